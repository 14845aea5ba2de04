//! `/_minikin/faults`: lists, replaces, adds and removes fault rules.

use super::access::Permitted;
use super::own_body::OwnBody;
use super::path_part::PathPart;
use super::query::{NoQuery, refused};
use super::state::{Admin, Refused, json, problem};
use crate::operation::fault_rule;
use crate::options::rules_of_json;
use crate::world::{FaultRule, ListedRule};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json as value;

pub(super) async fn list_faults(
    State(admin): State<Admin>,
    _permitted: Permitted,
    _query: NoQuery,
) -> Response {
    listing(&admin.engine.world.faults.list())
}

/// Adds the fault rule or the list of fault rules in the body. Answers with the added rules.
pub(super) async fn add_faults(
    State(admin): State<Admin>,
    _permitted: Permitted,
    _query: NoQuery,
    body: OwnBody,
) -> Result<Response, Refused> {
    let added = fault_rule::add(&admin.engine.world, read(&body)?);
    added
        .map(|rules| listing(&rules))
        .map_err(|error| refused(&error.to_string()))
}

/// Replaces all fault rules by the rules in the body. Answers with the new rules.
pub(super) async fn replace_faults(
    State(admin): State<Admin>,
    _permitted: Permitted,
    _query: NoQuery,
    body: OwnBody,
) -> Result<Response, Refused> {
    let replaced = fault_rule::replace(&admin.engine.world, read(&body)?);
    replaced
        .map(|rules| listing(&rules))
        .map_err(|error| refused(&error.to_string()))
}

pub(super) async fn clear_faults(
    State(admin): State<Admin>,
    _permitted: Permitted,
    _query: NoQuery,
) -> Response {
    admin.engine.world.faults.clear();
    StatusCode::NO_CONTENT.into_response()
}

pub(super) async fn remove_fault(
    State(admin): State<Admin>,
    _permitted: Permitted,
    PathPart(id): PathPart,
    _query: NoQuery,
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

/// Reads the fault rules in a body. Refuses the whole body if one rule is invalid.
fn read(body: &OwnBody) -> Result<Vec<FaultRule>, Refused> {
    let text = body.text()?;
    if text.trim_ascii().is_empty() {
        return Err(refused(
            "the body is a fault rule or a list of rules, in JSON",
        ));
    }
    rules_of_json(text).map_err(|problem| refused(&problem.to_string()))
}

fn listing(rules: &[ListedRule]) -> Response {
    json(&value!({ "faults": rules }))
}
