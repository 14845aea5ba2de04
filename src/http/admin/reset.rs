//! `POST reset`: removes all contents of the emulator except the clock and the event source
//! mappings that the options define. Optionally carries out the setup again.

use super::access::Permitted;
use super::own_body::OwnBody;
use super::query::NoQuery;
use super::state::{Admin, Refused, failed};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Removes all contents of the emulator except the clock and the event source mappings that the
/// options define. If the member `setup` of the body is true, the setup is then carried out again,
/// as at the start.
pub(super) async fn reset(
    State(admin): State<Admin>,
    _permitted: Permitted,
    _query: NoQuery,
    body: OwnBody,
) -> Result<Response, Refused> {
    let mut members = body.members("setup")?;
    let setup = members.flag("setup")?.unwrap_or(false);
    members.end()?;
    let _permit = admin.definitions.replacement().await;
    admin.engine.world.faults.clear();
    let removal = admin.engine.reset().map_err(|error| failed(&error))?;
    let made = match setup {
        // The setup does not wait for the disk, which makes the removal durable meanwhile.
        true => admin.definitions.create(&admin.engine).await,
        false => Ok(()),
    };
    let removed = removal.durable().await;
    removed.map_err(|error| failed(&error))?;
    made.map_err(|error| Refused::new(StatusCode::CONFLICT, &error.to_string()))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
