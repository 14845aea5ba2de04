//! Minikin's own paths about one stream, queue or channel, such as `streams/NAME/records`. Each
//! path contains a name or an ARN, and then an action.

use super::query::Query;
use super::state::{Admin, Refused, unknown_method, unknown_path};
use crate::engine::Stream;
use crate::model::{AccountRegion, StreamArn};
use axum::http::{Method, StatusCode, Uri};
use std::sync::Arc;

/// The names of the actions that the paths of streams, of queues or of channels accept: the actions
/// for GET, and the actions for POST.
pub(super) struct Actions {
    pub(super) get: &'static [&'static str],
    pub(super) post: &'static [&'static str],
}

impl Actions {
    /// Splits a path such as `orders/records` at its last slash into a name and an action. An ARN
    /// in place of the name may contain slashes itself. `uri` is the URI of the request, for error
    /// messages.
    ///
    /// # Errors
    /// The action does not exist, or does not allow `method`.
    pub(super) fn split<'path>(
        &self,
        method: &Method,
        uri: &Uri,
        path: &'path str,
    ) -> Result<(&'path str, &'path str), Refused> {
        let Some((name, action)) = path.rsplit_once('/') else {
            return Err(unknown_path(uri));
        };
        let (gets, posts) = (self.get.contains(&action), self.post.contains(&action));
        // A handler of GET also answers HEAD.
        let (is_taken, methods) = match (gets, posts) {
            (false, false) => return Err(unknown_path(uri)),
            (true, false) => (matches!(*method, Method::GET | Method::HEAD), "GET,HEAD"),
            (false, true) => (*method == Method::POST, "POST"),
            (true, true) => (
                matches!(*method, Method::GET | Method::HEAD | Method::POST),
                "GET,HEAD,POST",
            ),
        };
        match is_taken {
            true => Ok((name, action)),
            false => Err(unknown_method(method, uri).with_allow(methods)),
        }
    }

    /// The refusal of a request whose method is neither GET, HEAD nor POST.
    pub(super) fn refuse(&self, method: &Method, uri: &Uri, path: &str) -> Refused {
        match self.split(method, uri, path) {
            Ok(_) => unknown_method(method, uri),
            Err(refused) => refused,
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

/// The refusal of a request about a stream, queue or channel that does not exist. `kind` is the
/// word `stream`, `queue` or `channel`.
pub(super) fn not_found(kind: &str, name: &str, account_region: &AccountRegion) -> Refused {
    let AccountRegion { account, region } = account_region;
    let text = match name.starts_with("arn:") {
        true => format!("there is no {kind} {name}"),
        false => format!("there is no {kind} {name} in account {account}, region {region}"),
    };
    Refused::new(StatusCode::NOT_FOUND, &text)
}
