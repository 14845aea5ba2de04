//! `POST reset`: removes all streams, queues and settings. On request, creates again what the setup
//! created at the start.

use super::access::Permitted;
use super::own_body::OwnBody;
use super::query::refused;
use super::state::{Admin, Refused, failed};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// The parameters of a reset.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Reset {
    /// True to create the streams, event source mappings and fault rules of the setup again.
    setup: bool,
}

/// Removes everything except the clock and the mappings from the options.
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
