//! Our own paths: health, metrics and the certificate for everyone, the clock for this machine
//! or whoever shows the token.

mod access;

pub use access::Peer;

use super::metrics::{Metrics, TEXT_FORMAT};
use super::tls::TlsIdentity;
use crate::engine::Engine;
use crate::limits;
use crate::options::Secret;
use crate::store::Health;
use crate::world::{Clock, Timestamp};
use access::LetIn;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// What our own paths show and move.
#[derive(Debug, Clone)]
pub struct Admin {
    /// The state.
    pub engine: Arc<Engine>,
    /// Who the server is to TLS clients.
    pub tls: Arc<TlsIdentity>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Lets others than this machine in.
    pub token: Option<Secret>,
}

impl Admin {
    /// The paths under `/_minikin/`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/_minikin/health/live", get(async || "live\n"))
            .route("/_minikin/health/ready", get(ready))
            .route("/_minikin/metrics", get(metrics))
            .route("/_minikin/ca.pem", get(ca_pem))
            .route("/_minikin/clock", get(read_clock).post(move_clock))
            .with_state(self)
    }
}

async fn ready(State(admin): State<Admin>) -> Response {
    match admin.engine.health() {
        Health::Serving => "ready\n".into_response(),
        Health::ReadOnly { reason } => {
            let text = format!("read only: {reason}\n");
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
    }
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let text = admin.metrics.text(&admin.engine);
    ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response()
}

async fn ca_pem(State(admin): State<Admin>) -> Response {
    let pem = tokio::task::spawn_blocking(move || admin.tls.ca_pem()).await;
    match pem.expect("making a certificate does not panic") {
        Ok(pem) => ([(header::CONTENT_TYPE, "application/x-pem-file")], pem).into_response(),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn read_clock(State(admin): State<Admin>, _let_in: LetIn) -> Response {
    told(&admin.engine.world.clock)
}

/// How to move a virtual clock: to a moment, or by a time. It never goes back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Move {
    /// To so many milliseconds since 1970.
    SetMs(i64),
    /// By so many milliseconds.
    AdvanceMs(i64),
}

async fn move_clock(State(admin): State<Admin>, _let_in: LetIn, body: Bytes) -> Response {
    let clock = &admin.engine.world.clock;
    let Clock::Virtual(moved) = clock else {
        let text = "the clock is the machine's; start with --clock virtual to move it";
        return problem(StatusCode::CONFLICT, text);
    };
    let target = match serde_json::from_slice(&body) {
        Ok(Move::SetMs(ms)) => Timestamp::from_millis(ms),
        Ok(Move::AdvanceMs(ms)) if ms >= 0 => clock.now().plus_millis(ms),
        Ok(Move::AdvanceMs(_)) => return problem(StatusCode::BAD_REQUEST, BACKWARDS),
        Err(_) => return problem(StatusCode::BAD_REQUEST, MOVES),
    };
    if target < clock.now() {
        return problem(StatusCode::BAD_REQUEST, BACKWARDS);
    }
    if target > LAST_MOMENT {
        return problem(
            StatusCode::BAD_REQUEST,
            "the clock ends where the year 2400 begins",
        );
    }
    moved.advance_to(target).await;
    match admin.engine.keep_time().await {
        Ok(()) => told(clock),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

const MOVES: &str = r#"say {"advance_ms": N} or {"set_ms": N}"#;
const BACKWARDS: &str = "the clock never goes back";
const LAST_MOMENT: Timestamp = Timestamp::from_millis(limits::LAST_MOMENT_MS);

fn told(clock: &Clock) -> Response {
    let kind = if matches!(clock, Clock::Virtual(_)) {
        "virtual"
    } else {
        "system"
    };
    let body = json!({ "clock": kind, "now_ms": clock.now().millis() });
    (
        [(header::CONTENT_TYPE, "application/json")],
        Body::from(body.to_string()),
    )
        .into_response()
}

fn problem(status: StatusCode, text: &str) -> Response {
    (status, format!("{text}\n")).into_response()
}
