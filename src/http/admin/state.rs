//! The state behind our own paths, and the form of their errors.

use crate::engine::Engine;
use crate::http::metrics::Metrics;
use crate::http::tls::TlsIdentity;
use crate::options::Secret;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
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
}

/// The source of a request to our own paths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    /// The client's address.
    pub address: SocketAddr,
    /// True when no other request was in flight on the connection as this one began.
    pub is_only_one: bool,
}

/// An answer that names a problem.
pub(super) fn problem(status: StatusCode, text: &str) -> Response {
    (status, format!("{text}\n")).into_response()
}
