//! The state that all handlers of minikin's own paths share, and the form of their error answers.

use crate::engine::Engine;
use crate::engine::StoreError;
use crate::http::metrics::Metrics;
use crate::http::tls::TlsIdentity;
use crate::model::AccountRegion;
use crate::options::Secret;
use crate::setup::Definitions;
use axum::body::Body;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;

/// The objects of the server that the handlers of minikin's own paths show and change.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    /// The engine with its streams and its clock.
    pub engine: Arc<Engine>,
    /// The server's certificate and key.
    pub tls: Arc<TlsIdentity>,
    /// The metrics of this process.
    pub metrics: Arc<Metrics>,
    /// The admin token, which permits access from other machines. None: other machines have no
    /// access.
    pub token: Option<Secret>,
    /// The account and region of requests that name no account or region.
    pub home: AccountRegion,
    /// The definitions of the setup. A request for a reset can demand that the setup is carried out
    /// again.
    pub definitions: Arc<Definitions>,
}

/// The client that sent a request to one of minikin's own paths, and the state of its connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    /// Address of the client's socket.
    pub address: SocketAddr,
    /// True if the request was the only request in flight on its connection when it arrived.
    pub is_only_one: bool,
}

/// Marks a response of the router as streamed: the body of the response is produced while the
/// client reads it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Streamed;

/// Makes a response with a status and, as JSON, the error message `text`.
pub(crate) fn problem(status: StatusCode, text: &str) -> Response {
    (status, json(&serde_json::json!({ "message": text }))).into_response()
}

/// Makes a response with status 200 and a JSON document.
pub(super) fn json(document: &Value) -> Response {
    let body = Body::from(document.to_string());
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// The refusal of a request to one of minikin's own paths: a status and an error message.
#[derive(Debug)]
pub(in crate::http) struct Refused {
    pub(in crate::http) status: StatusCode,
    pub(in crate::http) text: String,
    /// The value of the header `Allow`: the methods that the path allows. None if the router adds
    /// the header, or if the refusal has no such header.
    allow: Option<&'static str>,
}

impl Refused {
    pub(in crate::http) fn new(status: StatusCode, text: &str) -> Self {
        Self {
            status,
            text: text.to_owned(),
            allow: None,
        }
    }

    /// Adds the header `Allow` with `methods`, the methods that the path allows.
    pub(super) fn with_allow(self, methods: &'static str) -> Self {
        Self {
            allow: Some(methods),
            ..self
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let answer = problem(self.status, &self.text);
        match self.allow {
            Some(methods) => ([(header::ALLOW, methods)], answer).into_response(),
            None => answer,
        }
    }
}

/// The refusal of a request to a path that does not exist.
pub(super) fn unknown_path(uri: &Uri) -> Refused {
    let text = format!("there is no path {}", uri.path());
    Refused::new(StatusCode::NOT_FOUND, &text)
}

/// The refusal of a request whose path does not allow its method. For a path that contains the name
/// of a stream, queue or channel, the caller has to add the header `Allow` by `with_allow`. For any
/// other path, the router adds this header.
pub(super) fn unknown_method(method: &Method, uri: &Uri) -> Refused {
    let text = format!("{} does not allow the method {method}", uri.path());
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, &text)
}

/// The refusal of a request because of an error of the store.
pub(super) fn failed(error: &StoreError) -> Refused {
    Refused::new(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
}
