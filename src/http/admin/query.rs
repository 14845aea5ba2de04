//! The query strings of minikin's own paths. A query string may contain each parameter only once.

use super::state::{Admin, Refused};
use crate::model::{AccountId, AccountRegion, Region};
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The parameters of a request's query string that the handler has not removed yet.
#[derive(Debug)]
pub(in crate::http) struct Query(Vec<(String, String)>);

impl FromRequestParts<Admin> for Query {
    type Rejection = Refused;

    async fn from_request_parts(head: &mut Parts, _admin: &Admin) -> Result<Self, Refused> {
        let text = head.uri.query().unwrap_or_default();
        let mut members: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if members.iter().any(|(known, _)| *known == name) {
                return Err(refused(&format!("the query names {name} twice")));
            }
            members.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(members))
    }
}

/// A handler's argument that refuses every request with query parameters. Handlers of paths without
/// parameters use it.
#[derive(Debug)]
pub(super) struct NoQuery;

impl FromRequestParts<Admin> for NoQuery {
    type Rejection = Refused;

    async fn from_request_parts(head: &mut Parts, admin: &Admin) -> Result<Self, Refused> {
        let query = Query::from_request_parts(head, admin).await?;
        query.end().map(|()| Self)
    }
}

impl Query {
    /// Removes the parameter `name` from the query and returns its value. None if the parameter is
    /// missing.
    pub(in crate::http) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Removes the parameter `name` from the query and returns its value, a number in `range`.
    /// Returns `default` if the parameter is missing.
    pub(in crate::http) fn number<N: FromStr + PartialOrd + Display>(
        &mut self,
        name: &str,
        range: RangeInclusive<N>,
        default: N,
    ) -> Result<N, Refused> {
        let Some(text) = self.take(name) else {
            return Ok(default);
        };
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            let (low, high) = (range.start(), range.end());
            refused(&format!("{name} is a number from {low} to {high}"))
        })
    }

    /// Removes the parameters `account` and `region` from the query and returns their values. The
    /// emulator's own account and region are the defaults.
    pub(in crate::http) fn account_region(
        &mut self,
        admin: &Admin,
    ) -> Result<AccountRegion, Refused> {
        let mut account_region = admin.home.clone();
        if let Some(text) = self.take("account") {
            account_region.account = AccountId::parse(&text)
                .ok_or_else(|| refused("account is a number of twelve digits"))?;
        }
        if let Some(text) = self.take("region") {
            if !crate::options::is_region(&text) {
                return Err(refused("region is the name of a region"));
            }
            account_region.region = Region::new(&text);
        }
        Ok(account_region)
    }

    /// Refuses the request if the query still has a parameter. The handler has already removed all
    /// parameters that it knows.
    pub(in crate::http) fn end(self) -> Result<(), Refused> {
        match self.0.first() {
            Some((name, _)) => Err(refused(&format!("this path has no parameter {name}"))),
            None => Ok(()),
        }
    }
}

/// The refusal of a malformed request: status 400 with the message `text`.
pub(super) fn refused(text: &str) -> Refused {
    Refused::new(StatusCode::BAD_REQUEST, text)
}
