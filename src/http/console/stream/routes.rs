//! Routes the requests to the console's pages about one stream.

use super::{consumers, put, records, settings, shards, tail};
use crate::http::admin::Admin;
use axum::Router;
use axum::extract::Path;
use axum::response::Redirect;
use axum::routing::{get, post};

/// Routes the requests to `/_minikin/console/streams/{name}` and below, and the forms of these
/// pages.
pub(in crate::http::console) fn routes() -> Router<Admin> {
    Router::new()
        .route("/_minikin/console/streams/{name}", get(first_part))
        .route(
            "/_minikin/console/streams/{name}/records",
            get(records::page),
        )
        .route(
            "/_minikin/console/streams/{name}/record",
            get(records::record_page),
        )
        .route("/_minikin/console/streams/{name}/shards", get(shards::page))
        .route(
            "/_minikin/console/streams/{name}/consumers",
            get(consumers::page),
        )
        .route(
            "/_minikin/console/streams/{name}/settings",
            get(settings::page),
        )
        .route("/_minikin/console/do/put/{name}", post(put::put))
        .route(
            "/_minikin/console/do/retention/{name}",
            post(settings::set_retention),
        )
        .route("/_minikin/console/do/tag/{name}", post(settings::set_tag))
        .route(
            "/_minikin/console/do/clear/{name}",
            post(settings::clear_records),
        )
        .route("/_minikin/console/streams/{name}/tail", get(tail::tail))
}

async fn first_part(visit: super::super::visit::Visit, Path(name): Path<String>) -> Redirect {
    let path = super::super::visit::stream_path(&name, "records");
    Redirect::to(&visit.link(&path))
}
