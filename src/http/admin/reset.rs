//! `POST reset`: removes everything except the clock and the event source mappings of the options.
//! On request, creates again what the setup created at the start.

use super::access::Permitted;
use super::own_body::OwnBody;
use super::query::NoQuery;
use super::state::{Admin, Refused, failed};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Removes everything except the clock and the event source mappings of the options. If `setup` is
/// true, then creates the streams, queues, event source mappings and fault rules of the setup
/// again.
pub(super) async fn reset(
    State(admin): State<Admin>,
    _permitted: Permitted,
    _query: NoQuery,
    body: OwnBody,
) -> Result<Response, Refused> {
    let mut members = body.members("setup")?;
    let setup = members.flag("setup")?.unwrap_or(false);
    members.end()?;
    admin.engine.world.faults.clear();
    let removed = admin.engine.reset().await;
    removed.map_err(|error| failed(&error))?;
    if setup {
        let made = admin.definitions.create(&admin.engine).await;
        made.map_err(|error| Refused::new(StatusCode::CONFLICT, &error.to_string()))?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
