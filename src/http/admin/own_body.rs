//! The bodies of requests to minikin's own paths.
//!
//! A handler that needs the body reads it only after the check of access, and within the in-flight
//! budget. All other handlers answer without reading the body. Therefore a client without access
//! cannot fill the server's memory with bodies.
//!
//! [`Members`] parses a body that is a JSON object.

use super::query::refused;
use super::state::{Admin, Refused, Source, problem};
use crate::admission::BudgetPermit;
use crate::http::request_body::{BodyOutcome, Bounds};
use crate::options::{Fields, Problem, fields_of_json};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The whole body of a request, and the body's permit of the in-flight budget.
#[derive(Debug)]
pub(in crate::http) struct OwnBody {
    pub(in crate::http) bytes: Bytes,
    _permit: BudgetPermit,
}

/// The body of a request that writes records. It may have as many bytes as the body of PutRecords.
#[derive(Debug)]
pub(in crate::http) struct LargeBody(pub(in crate::http) OwnBody);

/// The members of a body that is a JSON object. The handler removes each member that it reads.
#[derive(Debug)]
pub(super) struct Members {
    fields: Fields,
    /// The text for error messages that lists the permitted members of the body.
    form: &'static str,
    /// The names of the members that the handler has asked for so far.
    known: Vec<&'static str>,
}

impl OwnBody {
    /// The body as text. Refuses a body that is not UTF-8.
    pub(in crate::http) fn text(&self) -> Result<&str, Refused> {
        str::from_utf8(&self.bytes).map_err(|_| refused("the body is not UTF-8"))
    }

    /// Refuses a body with contents. Accepts an empty body and a JSON object without members.
    pub(super) fn expect_none(&self) -> Result<(), Refused> {
        let text = self.text()?.trim_ascii();
        let is_empty = |members: serde_json::Map<String, Value>| members.is_empty();
        match text.is_empty() || serde_json::from_str(text).is_ok_and(is_empty) {
            true => Ok(()),
            false => Err(refused(
                "the body is empty, or a JSON object without members",
            )),
        }
    }

    /// Parses a body that is a JSON object. An empty body has no members. `form` lists the
    /// permitted members, for error messages.
    pub(super) fn members(&self, form: &'static str) -> Result<Members, Refused> {
        let text = match self.text()?.trim_ascii() {
            "" => "{}",
            text => text,
        };
        if !text.starts_with('{') {
            return Err(refused(&format!("the body is a JSON object with {form}")));
        }
        let fields = fields_of_json(text).map_err(|problem| malformed(form, &problem))?;
        Ok(Members {
            fields,
            form,
            known: Vec::new(),
        })
    }
}

impl Members {
    /// Removes the member `name` from the body and returns its value, which must be true or false.
    /// None if the member is missing.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Refused> {
        self.take(name, "this has to be true or false")
    }

    /// Removes the member `name` from the body and returns its value, which must be a whole number,
    /// 0 or more. None if the member is missing.
    pub(super) fn count(&mut self, name: &'static str) -> Result<Option<u64>, Refused> {
        self.take(name, "this has to be a whole number, 0 or more")
    }

    /// Removes the member `name` from the body and returns its value, which must be a whole number
    /// of milliseconds. The number may be negative. None if the member is missing.
    pub(super) fn millis(&mut self, name: &'static str) -> Result<Option<i64>, Refused> {
        self.take(name, "this has to be a whole number of milliseconds")
    }

    /// Removes the member `name` from the body and returns its value, which may be any JSON value.
    /// None if the member is missing.
    pub(super) fn value(&mut self, name: &'static str) -> Result<Option<Value>, Refused> {
        self.take(name, "this has to be a value")
    }

    /// Refuses the body if it has a member that the handler has not asked for.
    pub(super) fn end(self) -> Result<(), Refused> {
        let ended = self.fields.end(&self.known);
        ended.map_err(|problem| malformed(self.form, &problem))
    }

    /// Removes the member `name` from the body and returns its value. None if the member is missing
    /// or null. `expected` is the error message for a value of another type.
    fn take<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        expected: &str,
    ) -> Result<Option<T>, Refused> {
        self.known.push(name);
        let read = |value: Value| serde_json::from_value(value).map_err(|_| expected.to_owned());
        let taken = self.fields.parsed(name, read);
        let taken = taken.map_err(|problem| malformed(self.form, &problem))?;
        Ok(taken.flatten())
    }
}

fn malformed(form: &str, problem: &Problem) -> Refused {
    refused(&format!("the body is a JSON object with {form}: {problem}"))
}

impl FromRequest<Admin> for OwnBody {
    type Rejection = Response;

    async fn from_request(request: Request, admin: &Admin) -> Result<Self, Response> {
        let engine = &admin.engine;
        let bounds = Bounds::of_own_paths(engine.admission.clone(), &engine.limits);
        receive(request, &bounds).await
    }
}

impl FromRequest<Admin> for LargeBody {
    type Rejection = Response;

    async fn from_request(request: Request, admin: &Admin) -> Result<Self, Response> {
        let engine = &admin.engine;
        let bounds = Bounds::new(engine.admission.clone(), &engine.limits);
        receive(request, &bounds).await.map(Self)
    }
}

async fn receive(request: Request, bounds: &Bounds) -> Result<OwnBody, Response> {
    let (head, body) = request.into_parts();
    let source = head.extensions.get::<Source>();
    let only = source.is_some_and(|source| source.is_only_one);
    match bounds.receive(&head, body, only).await {
        Ok(BodyOutcome::Whole(bytes, _permit)) => Ok(OwnBody { bytes, _permit }),
        Ok(BodyOutcome::TooLarge { .. }) => Err(problem(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is too large",
        )),
        Ok(BodyOutcome::Refused(error)) => {
            let status = StatusCode::from_u16(error.kind.status());
            let text = error.message.unwrap_or_default();
            Err(problem(status.expect("ours are in range"), &text))
        }
        Err(_) => Err(problem(StatusCode::BAD_REQUEST, "the body is cut off")),
    }
}
