//! `POST reset`: removes everything, and makes again what the start made where the request says so.

use super::access::Permitted;
use super::own_body::OwnBody;
use super::query::refused;
use super::state::{Admin, Refused, failed};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// A request to reset.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Reset {
    /// Make again what the start made: streams, event source mappings and fault rules.
    setup: bool,
}

/// Removes everything but the clock and the mappings of the options.
pub(super) async fn reset(
    State(admin): State<Admin>,
    _permitted: Permitted,
    body: OwnBody,
) -> Result<Response, Refused> {
    let reset: Reset = match body.bytes.is_empty() {
        true => Reset::default(),
        false => serde_json::from_slice(&body.bytes)
            .map_err(|error| refused(&format!("the body is {{\"setup\": true}}: {error}")))?,
    };
    admin.engine.world.faults.clear();
    let removed = admin.engine.reset().await;
    removed.map_err(|error| failed(&error))?;
    if reset.setup {
        let made = admin.maker.make(&admin.engine).await;
        made.map_err(|error| Refused::new(StatusCode::CONFLICT, &error.to_string()))?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
