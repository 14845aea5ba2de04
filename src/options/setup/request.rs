//! The members of an operation's request in a setup file. Unknown members are refused at every
//! depth; the values are checked later by the operation itself.

use super::document::{Node, Value};
use super::fields::{Fields, unknown};
use super::problem::Problem;
use crate::wire::{Member, Shape};
use serde_json::Map;

/// The members that belong to a request of this shape. `others` are additional members that the
/// table may have.
pub(super) fn of_shape(
    fields: Fields,
    shape: &Shape,
    others: &[&str],
) -> Result<Map<String, serde_json::Value>, Problem> {
    let members = shape.members();
    let mut request = Map::new();
    let path = fields.path().to_owned();
    for (name, node) in fields.rest() {
        let path = format!("{path}.{name}");
        check(&node, find(&members, &name, others, &node, &path)?, &path)?;
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

/// Refuses unknown members within a value.
fn check(node: &Node, shape: &Shape, path: &str) -> Result<(), Problem> {
    match (&node.value, shape) {
        (Value::Table(given), Shape::Structure(_)) => {
            let members = shape.members();
            for (name, node) in given {
                let path = format!("{path}.{name}");
                check(node, find(&members, name, &[], node, &path)?, &path)?;
            }
            Ok(())
        }
        (Value::List(nodes), Shape::List { element, .. }) => {
            let mut nodes = nodes.iter().enumerate();
            nodes.try_for_each(|(at, node)| check(node, element, &format!("{path}[{at}]")))
        }
        _ => Ok(()),
    }
}
