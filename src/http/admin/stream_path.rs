//! Finds the stream that a path names by name or ARN.

use super::query::Query;
use super::state::{Admin, Refused};
use crate::engine::Stream;
use crate::model::StreamArn;
use axum::http::StatusCode;
use std::sync::Arc;

/// Splits a path such as `orders/records` at its last slash into stream and action. The stream can
/// be an ARN, which contains a slash.
pub(super) fn split(path: &str) -> Option<(&str, &str)> {
    path.rsplit_once('/')
}

/// Finds a stream by its ARN, or by its name in the account and region of the query string.
pub(super) fn find(admin: &Admin, query: &mut Query, name: &str) -> Result<Arc<Stream>, Refused> {
    let account_region = query.account_region(admin)?;
    let found = match StreamArn::parse(name) {
        Some(arn) => admin.engine.find(&arn.scope, &arn.name),
        None => admin.engine.find(&account_region, name),
    };
    found.ok_or_else(|| {
        let text = format!(
            "there is no stream {name} in account {}, region {}",
            account_region.account,
            account_region.region.as_str()
        );
        Refused::new(StatusCode::NOT_FOUND, &text)
    })
}
