//! The state behind our own paths, and the form of their errors.

use crate::engine::Engine;
use crate::engine::StoreError;
use crate::http::metrics::Metrics;
use crate::http::tls::TlsIdentity;
use crate::model::AccountRegion;
use crate::options::Secret;
use crate::setup::Maker;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;

/// The state that our own paths show and change.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    /// The streams and the clock.
    pub engine: Arc<Engine>,
    /// The server's certificate.
    pub tls: Arc<TlsIdentity>,
    /// The metrics of this process.
    pub metrics: Arc<Metrics>,
    /// The token that permits access from other machines.
    pub token: Option<Secret>,
    /// The account and region of requests that name none.
    pub home: AccountRegion,
    /// Makes again, after a reset, what the start made.
    pub maker: Arc<Maker>,
}

/// The source of a request to our own paths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    /// The client's address.
    pub address: SocketAddr,
    /// True when no other request was in flight on the connection as this one began.
    pub is_only_one: bool,
}

/// Marks an answer whose body is made while it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Streamed;

/// An answer that names a problem.
pub(crate) fn problem(status: StatusCode, text: &str) -> Response {
    (status, json(&serde_json::json!({ "message": text }))).into_response()
}

/// An answer in JSON.
pub(super) fn json(document: &Value) -> Response {
    let body = Body::from(document.to_string());
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// The refusal of a request: a status and a sentence.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    text: String,
}

impl Refused {
    pub(super) fn new(status: StatusCode, text: &str) -> Self {
        Self {
            status,
            text: text.to_owned(),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        problem(self.status, &self.text)
    }
}

/// The refusal of a request that the store cannot carry out.
pub(super) fn failed(error: &StoreError) -> Refused {
    Refused::new(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
}
