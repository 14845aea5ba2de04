//! Delays the answer to one client that cannot cope with a fast answer: the Go SDK v2.
//!
//! The SDK closes the body of a request as soon as it has the head of the answer. After the last
//! byte of the body, Go's transport reads once more to see that the body has ended. If the SDK has
//! closed the body by then, this read fails, the transport drops the connection, and the SDK sends
//! the request again, so that its records are written twice. Over HTTP/1.1 an answer within
//! microseconds triggers this (aws-sdk-go-v2 issues 1825 and 2737). Over HTTP/2 the SDK does not
//! have this fault.

use crate::limits::Limits;
use crate::world::RealDeadline;
use hyper::Version;
use hyper::header::USER_AGENT;
use hyper::http::request::Parts;
use std::time::Duration;

/// Prefix of the Go SDK's user agent.
const GO_SDK: &[u8] = b"aws-sdk-go-v2/";

/// Delays the answer if the client is the Go SDK v2 over HTTP/1.1 and the request had a body.
pub(super) async fn pause_for(head: &Parts, body_bytes: usize, limits: &Limits) {
    if body_bytes == 0 || head.version > Version::HTTP_11 {
        return;
    }
    if let Some(ms) = limits.go_sdk_pause_ms
        && is_go_sdk(head)
    {
        // Boxed, so that the futures of other requests do not contain the timer.
        Box::pin(RealDeadline::lasting(Duration::from_millis(ms)).end()).await;
    }
}

fn is_go_sdk(head: &Parts) -> bool {
    let agent = head.headers.get(USER_AGENT);
    agent.is_some_and(|agent| agent.as_bytes().starts_with(GO_SDK))
}
