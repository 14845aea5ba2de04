//! The table of minikin's own paths, and the handlers that return the metrics and the certificate.

use super::channels;
use super::clock::{move_clock, read_clock};
use super::event_sources;
use super::faults::{add_faults, clear_faults, list_faults, remove_fault, replace_faults};
use super::health;
use super::overview;
use super::queues;
use super::reset;
use super::snapshot;
use super::state::{Admin, problem, unknown_method, unknown_path};
use super::streams;
use crate::http::metrics::TEXT_FORMAT;
use crate::http::rates::Rates;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Extension, Router};
use std::sync::Arc;

/// Routes the requests to minikin's own paths.
pub(crate) fn router(admin: Admin) -> Router {
    Router::new()
        .route("/_minikin/metrics", get(metrics))
        .route("/_minikin/ca.pem", get(ca_pem))
        .route("/_minikin/streams", get(overview::streams))
        .route(
            "/_minikin/streams/{*path}",
            get(streams::get)
                .post(streams::post)
                .fallback(streams::refuse),
        )
        .route("/_minikin/reset", post(reset::reset))
        .route(
            "/_minikin/snapshot",
            get(snapshot::save).put(snapshot::load),
        )
        .route("/_minikin/clock", get(read_clock).post(move_clock))
        .route(
            "/_minikin/faults",
            get(list_faults)
                .post(add_faults)
                .put(replace_faults)
                .delete(clear_faults),
        )
        .route("/_minikin/faults/{id}", delete(remove_fault))
        .merge(health::routes())
        .merge(event_sources::routes())
        .merge(queues::routes())
        .merge(channels::routes())
        .merge(pages())
        .fallback(async |uri: Uri| unknown_path(&uri))
        .method_not_allowed_fallback(async |method: Method, uri: Uri| unknown_method(&method, &uri))
        .layer(Extension(Arc::new(Rates::new())))
        .with_state(admin)
}

/// Routes the requests to the console: its pages, its assets and its forms.
#[cfg(feature = "console")]
fn pages() -> Router<Admin> {
    crate::http::console::routes()
}

#[cfg(not(feature = "console"))]
fn pages() -> Router<Admin> {
    Router::new()
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let text = admin.metrics.text(admin.engine);
    ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response()
}

async fn ca_pem(State(admin): State<Admin>) -> Response {
    let pem = tokio::task::spawn_blocking(move || admin.tls.ca_pem()).await;
    match pem.expect("making a certificate does not panic") {
        Ok(pem) => ([(header::CONTENT_TYPE, "application/x-pem-file")], pem).into_response(),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}
