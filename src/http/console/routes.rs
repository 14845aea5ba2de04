//! The table of the console's paths.

use super::rates::Rates;
use super::visit::Visit;
use super::{actions, assets, stream, streams};
use crate::http::admin::Admin;
use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router, middleware};
use std::sync::Arc;

/// Pages load everything from this origin, run no code in themselves, send their forms to this
/// origin only, and are shown in no frame.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'; object-src 'none'";

/// The paths of the console.
pub(in crate::http) fn routes() -> Router<Admin> {
    Router::new()
        .route("/_minikin", get(async || Redirect::permanent("/_minikin/")))
        .route("/_minikin/", get(streams::page))
        .route(
            "/_minikin/console",
            get(async || Redirect::permanent("/_minikin/")),
        )
        .route("/_minikin/console/assets/{name}", get(asset))
        .route("/_minikin/console/do/call/{operation}", post(actions::call))
        .merge(stream::routes())
        .layer(Extension(Arc::new(Rates::new())))
        .layer(middleware::map_response(protected))
}

async fn asset(_visit: Visit, Path(name): Path<String>) -> Response {
    assets::asset(&name).into_response()
}

/// Adds the headers that protect a page.
async fn protected(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
