//! The paths about one stream, queue or channel, which is named by name or ARN.

use super::query::Query;
use super::state::{Admin, Refused, unknown_method, unknown_path};
use crate::engine::Stream;
use crate::model::{AccountRegion, StreamArn};
use axum::http::{Method, StatusCode, Uri};
use std::sync::Arc;

/// The actions on a stream, a queue or a channel, by the method of the request.
pub(super) struct Actions {
    pub(super) get: &'static [&'static str],
    pub(super) post: &'static [&'static str],
}

impl Actions {
    /// Splits a path such as `orders/records` at its last slash into name and action. The name can
    /// be an ARN, which contains a slash. `uri` is the whole path, for messages.
    ///
    /// # Errors
    /// The action is unknown, or takes another method.
    pub(super) fn split<'path>(
        &self,
        method: &Method,
        uri: &Uri,
        path: &'path str,
    ) -> Result<(&'path str, &'path str), Refused> {
        let Some((name, action)) = path.rsplit_once('/') else {
            return Err(unknown_path(uri));
        };
        // A handler of GET also answers HEAD.
        let (taken, others) = match *method {
            Method::POST => (self.post, self.get),
            _ => (self.get, self.post),
        };
        if taken.contains(&action) {
            Ok((name, action))
        } else if others.contains(&action) {
            Err(unknown_method(method, uri))
        } else {
            Err(unknown_path(uri))
        }
    }
}

/// Finds a stream by its ARN, or by its name in the account and region of the query string.
pub(super) fn find(admin: &Admin, query: &mut Query, name: &str) -> Result<Arc<Stream>, Refused> {
    let account_region = query.account_region(admin)?;
    let found = match StreamArn::parse(name) {
        Some(arn) => admin.engine.find(&arn.scope, &arn.name),
        None => admin.engine.find(&account_region, name),
    };
    found.ok_or_else(|| not_found("stream", name, &account_region))
}

/// Refuses a request about a stream, a queue or a channel that does not exist.
pub(super) fn not_found(kind: &str, name: &str, account_region: &AccountRegion) -> Refused {
    let AccountRegion { account, region } = account_region;
    let text = format!("there is no {kind} {name} in account {account}, region {region}");
    Refused::new(StatusCode::NOT_FOUND, &text)
}
