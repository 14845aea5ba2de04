//! The fault rules: list, replace, add and remove rules.

use super::access::Permitted;
use super::own_body::OwnBody;
use super::path_part::PathPart;
use super::state::{Admin, json, problem};
use crate::operation::fault_rule::check_all;
use crate::world::{FaultRule, ListedRule};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json as value};

pub(super) async fn list_faults(State(admin): State<Admin>, _permitted: Permitted) -> Response {
    listing(&admin.engine.world.faults.list())
}

/// Adds a rule or a list of rules. The answer contains the added rules.
pub(super) async fn add_faults(
    State(admin): State<Admin>,
    _permitted: Permitted,
    body: OwnBody,
) -> Response {
    match read(&admin, &body.bytes) {
        Ok(rules) => listing(&admin.engine.world.faults.add(rules)),
        Err(reason) => problem(StatusCode::BAD_REQUEST, &reason),
    }
}

/// Replaces all rules. The answer contains the new rules.
pub(super) async fn replace_faults(
    State(admin): State<Admin>,
    _permitted: Permitted,
    body: OwnBody,
) -> Response {
    match read(&admin, &body.bytes) {
        Ok(rules) => listing(&admin.engine.world.faults.replace(rules)),
        Err(reason) => problem(StatusCode::BAD_REQUEST, &reason),
    }
}

pub(super) async fn clear_faults(State(admin): State<Admin>, _permitted: Permitted) -> Response {
    admin.engine.world.faults.clear();
    StatusCode::NO_CONTENT.into_response()
}

pub(super) async fn remove_fault(
    State(admin): State<Admin>,
    _permitted: Permitted,
    PathPart(id): PathPart,
) -> Response {
    let faults = &admin.engine.world.faults;
    if id.parse().is_ok_and(|id| faults.remove(id)) {
        return StatusCode::NO_CONTENT.into_response();
    }
    problem(
        StatusCode::NOT_FOUND,
        &format!("there is no fault rule {id}"),
    )
}

/// Reads and checks the rules in a body. If any rule is invalid, all are refused.
fn read(admin: &Admin, body: &[u8]) -> Result<Vec<FaultRule>, String> {
    let value: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let values = match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    let rules = values.into_iter().map(serde_json::from_value);
    let rules: Vec<FaultRule> = rules
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    let now = admin.engine.world.clock.now();
    check_all(rules, now).map_err(|error| error.to_string())
}

fn listing(rules: &[ListedRule]) -> Response {
    json(&value!({ "faults": rules }))
}
