//! The table of the console's paths.

use super::{
    actions, assets, channels, clock, faults, limits_page, mappings, metrics_page, queues,
    requests, sign_in, stream, streams,
};
use crate::http::admin::Admin;
use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};

/// The Content-Security-Policy of the pages. Pages load resources only from this origin, contain no
/// inline scripts, send forms only to this origin, and cannot be shown in a frame.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'; object-src 'none'";

/// Routes the requests to the console: its pages, its assets and its forms.
pub(in crate::http) fn routes() -> Router<Admin> {
    Router::new()
        .route("/_minikin", get(async || Redirect::permanent("/_minikin/")))
        .route("/_minikin/", get(streams::page))
        .route(
            "/_minikin/console",
            get(async || Redirect::permanent("/_minikin/")),
        )
        .route("/_minikin/console/assets/{name}", get(asset))
        .route("/_minikin/console/queues", get(queues::page))
        .route("/_minikin/console/queues/{name}", get(queues::queue_page))
        .route("/_minikin/console/mappings", get(mappings::page))
        .route(
            "/_minikin/console/mappings/{uuid}",
            get(mappings::mapping_page),
        )
        .route("/_minikin/console/channels", get(channels::page))
        .route("/_minikin/console/clock", get(clock::page))
        .route("/_minikin/console/faults", get(faults::page))
        .route("/_minikin/console/requests", get(requests::page))
        .route("/_minikin/console/limits", get(limits_page::page))
        .route("/_minikin/console/metrics", get(metrics_page::page))
        .route("/_minikin/console/sign-in", post(sign_in::sign_in))
        .nest("/_minikin/console/do", forms())
        .merge(stream::routes())
        .layer(middleware::map_response(protected))
}

/// Routes the requests of the console's forms to their actions. The paths are relative to
/// `/_minikin/console/do`.
fn forms() -> Router<Admin> {
    Router::new()
        .route("/call/{operation}", post(actions::call))
        .route("/queue", post(queues::create_queue))
        .route("/purge/{name}", post(queues::purge_queue))
        .route("/restore/{name}", post(queues::restore_queue))
        .route("/mappings", post(mappings::create_mapping))
        .route("/mapping/{uuid}/{action}", post(mappings::change))
        .route("/redeliver/{uuid}/{number}", post(mappings::redeliver))
        .route("/flush/{name}", post(channels::flush))
        .route("/clock", post(clock::move_clock))
        .route("/faults/add", post(faults::add_rule))
        .route("/faults/clear", post(faults::clear))
        .route("/faults/remove/{id}", post(faults::remove))
}

/// Answers with an asset of the pages. No access check is needed, because the assets are the same
/// in every emulator.
async fn asset(Path(name): Path<String>) -> Response {
    assets::asset(&name).into_response()
}

/// Adds to a response the headers that protect its page against other sites.
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
