//! The health checks of this emulator. The paths of other tools' health checks work, too.

use super::state::{Admin, json};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

/// The paths of LocalStack's health check: the path since version 2 of LocalStack, and the path of
/// earlier versions.
const LOCALSTACK: [&str; 2] = ["/_localstack/health", "/health"];
const KINESIS_MOCK: &str = "/healthcheck";

/// True for the health check paths of LocalStack and kinesis-mock.
pub(crate) fn is_health_of_other_tools(path: &str) -> bool {
    LOCALSTACK.contains(&path) || path == KINESIS_MOCK
}

pub(super) fn routes() -> Router<Admin> {
    Router::new()
        .route("/_minikin/health/live", get(async || "live\n"))
        .route("/_minikin/health/ready", get(ready))
        .route(KINESIS_MOCK, get(ready))
        .route(LOCALSTACK[0], get(services))
        .route(LOCALSTACK[1], get(services))
}

async fn ready(State(admin): State<Admin>) -> Response {
    match admin.engine.check_store() {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => {
            let text = format!("read only: {reason}\n");
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
    }
}

/// Answers with a document in the form of LocalStack's health check. Clients of LocalStack search
/// the document for an AWS service with the status `running` or `available`.
async fn services(State(admin): State<Admin>) -> Response {
    let (status, state) = match admin.engine.check_store() {
        Ok(()) => (StatusCode::OK, "running"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "error"),
    };
    let document = json!({
        "services": { "kinesis": state },
        "edition": "minikin",
        "version": env!("CARGO_PKG_VERSION"),
    });
    (status, json(&document)).into_response()
}
