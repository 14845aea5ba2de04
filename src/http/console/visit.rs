//! A request for a page of the console: the access check, the account and region, and the query
//! parameters.

use super::sign_in;
use crate::http::admin::{Admin, Permitted, Query, Refused};
use crate::http::rates::Rates;
use crate::model::AccountRegion;
use axum::Extension;
use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

/// The text on the page for a browser that has no access.
const REFUSAL: &str = "The console is for this machine: open it at localhost or at an IP address, \
                       not from a page of another site. From another machine, and from the host \
                       of a container, sign in with the admin token.";

/// A request for a page of the console, after the access check.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) admin: Admin,
    /// The account and region that the page shows.
    pub(super) scope: AccountRegion,
    /// The remaining query parameters. The page removes each parameter that it reads.
    pub(super) query: Query,
    pub(super) rates: Arc<Rates>,
    /// Path and query string of the page. The browser returns to this address after the action of a
    /// form on the page.
    pub(super) address: String,
}

impl FromRequestParts<Admin> for Visit {
    type Rejection = Response;

    async fn from_request_parts(head: &mut Parts, admin: &Admin) -> Result<Self, Response> {
        let permitted = Permitted::from_request_parts(head, admin).await;
        if let Err(refusal) = permitted {
            let accept = head.headers.get(header::ACCEPT);
            let accept = accept.and_then(|accept| accept.to_str().ok());
            return Err(
                match accept.is_some_and(|accept| accept.contains("text/html")) {
                    true => sign_in::page(admin, REFUSAL),
                    false => refusal,
                },
            );
        }
        let query = Query::from_request_parts(head, admin).await;
        let mut query = query.map_err(Refused::into_response)?;
        let scope = query.account_region(admin);
        let scope = scope.map_err(Refused::into_response)?;
        let rates = Extension::<Arc<Rates>>::from_request_parts(head, admin).await;
        let Extension(rates) = rates.expect("the routes add the rates");
        admin.metrics.recent().visit();
        let address = head.uri.path_and_query();
        Ok(Self {
            admin: admin.clone(),
            scope,
            query,
            rates,
            address: address.map_or_else(String::new, ToString::to_string),
        })
    }
}

impl Visit {
    /// The address of the page or action at `path`, for the account and region of the present page.
    pub(super) fn link(&self, path: &str) -> String {
        link_in(&self.scope, &self.admin.home, path)
    }

    /// The part of a query string that names the account and the region of the page. It begins with
    /// `&`, and is empty for the emulator's own account and region.
    pub(super) fn suffix(&self) -> String {
        let link = self.link("?");
        link.trim_start_matches('?').to_owned()
    }
}

/// The address of the page or action at `path`, for the account and region `scope`. An address
/// without an account and region stands for `home`, the emulator's own account and region.
pub(super) fn link_in(scope: &AccountRegion, home: &AccountRegion, path: &str) -> String {
    if scope == home {
        return path.to_owned();
    }
    let joint = if path.contains('?') { '&' } else { '?' };
    let (account, region) = (scope.account, scope.region.as_str());
    format!("{path}{joint}account={account}&region={region}")
}

/// Path of a page of the stream `name`. `part` is the last part of the path, such as `records`, or
/// empty for the path without this part.
pub(super) fn stream_path(name: &str, part: &str) -> String {
    let slash = if part.is_empty() { "" } else { "/" };
    format!("/_minikin/console/streams/{name}{slash}{part}")
}
