//! Converts definitions in a setup file to the requests of operations. A definition has the members
//! of the operation's request. Unknown members and values of the wrong type are refused at every
//! depth. The operation itself checks all other constraints later.

use super::document::{Node, Value};
use super::fields::{Fields, unknown};
use super::problem::Problem;
use crate::wire::{Member, Shape};
use crate::world::Timestamp;
use serde_json::Map;

/// Converts the members of a table to the members of a request with the given shape. Refuses
/// unknown members and values of the wrong type. `others` names the members of the definition that
/// are not part of the request, for the message about an unknown member.
pub(super) fn of_shape(
    fields: Fields,
    shape: &Shape,
    others: &[&str],
) -> Result<Map<String, serde_json::Value>, Problem> {
    let members = shape.members();
    let mut request = Map::new();
    let path = fields.path().to_owned();
    for (name, mut node) in fields.rest() {
        let path = format!("{path}.{name}");
        let shape = find(&members, &name, others, &node, &path)?;
        check(&mut node, shape, &path)?;
        request.insert(name, node.into_json());
    }
    Ok(request)
}

fn find(
    members: &[&'static Member],
    name: &str,
    others: &[&str],
    node: &Node,
    path: &str,
) -> Result<&'static Shape, Problem> {
    if let Some(member) = members.iter().find(|member| member.name == name) {
        return Ok(member.shape);
    }
    let names = members.iter().map(|member| member.name);
    let known: Vec<&str> = names.chain(others.iter().copied()).collect();
    Err(unknown(name, &known).or_line(node.line).of(path))
}

/// Refuses unknown members within the value of `node`, and values of the wrong type. The operation
/// itself checks all other constraints.
fn check(node: &mut Node, shape: &Shape, path: &str) -> Result<(), Problem> {
    let line = node.line;
    match (&mut node.value, shape) {
        // A member that is null counts as missing.
        (Value::Scalar(serde_json::Value::Null), _) => Ok(()),
        (Value::Table(given), Shape::Structure(_)) => {
            let members = shape.members();
            given.iter_mut().try_for_each(|(name, node)| {
                let path = format!("{path}.{name}");
                check(node, find(&members, name, &[], node, &path)?, &path)
            })
        }
        (Value::Table(given), Shape::Map { value, .. }) => given
            .iter_mut()
            .try_for_each(|(name, node)| check(node, value, &format!("{path}.{name}"))),
        (Value::List(nodes), Shape::List { element, .. }) => {
            let mut nodes = nodes.iter_mut().enumerate();
            nodes.try_for_each(|(at, node)| check(node, element, &format!("{path}[{at}]")))
        }
        (Value::Scalar(scalar), _) => check_scalar(scalar, shape)
            .map_err(|expected| Problem::at(line, format!("this has to be {expected}")).of(path)),
        (Value::Table(_) | Value::List(_), _) => {
            let text = format!("this has to be {}", expected(shape));
            Err(Problem::at(line, text).of(path))
        }
    }
}

/// Checks the type of a value by the same rules as the operations. Replaces a time in text form by
/// a number of seconds since 1970, because the operations accept only numbers for times.
fn check_scalar(scalar: &mut serde_json::Value, shape: &Shape) -> Result<(), &'static str> {
    use serde_json::Value::{Bool, Number, String};
    match (&*scalar, shape) {
        (String(_), Shape::Text { .. } | Shape::Blob { .. })
        | (Number(_), Shape::Timestamp)
        | (Bool(_), Shape::Boolean) => Ok(()),
        (Number(number), Shape::Integer { long, .. }) => match number.as_i64() {
            Some(number) if *long || i32::try_from(number).is_ok() => Ok(()),
            Some(_) => Err("a whole number of 32 bits, 2147483647 at most"),
            None => Err(expected(shape)),
        },
        (String(text), Shape::Timestamp) => {
            let moment = Timestamp::parse(text).ok_or(expected(shape))?;
            *scalar = (moment.millis() as f64 / 1000.0).into();
            Ok(())
        }
        _ => Err(expected(shape)),
    }
}

fn expected(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text { .. } => "a text",
        Shape::Blob { .. } => "a text in base64",
        Shape::Integer { .. } => "a whole number",
        Shape::Boolean => "true or false",
        Shape::Timestamp => "a time, as 2026-01-31T12:00:00Z or in seconds since 1970",
        Shape::List { .. } => "a list",
        Shape::Map { .. } | Shape::Structure(_) => "a table",
    }
}
