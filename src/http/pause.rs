//! A pause before the answer, for one client that needs it.
//!
//! The Go SDK v2 closes the body of a request as soon as the answer's head is there. Go's transport
//! reads the body once more behind its last byte, to see that nothing follows. If the body is closed
//! by then, the SDK's reader fails, the transport drops the connection, and the SDK sends the request
//! again: the records are doubled. Over HTTP/1.1 an answer within microseconds of the body is fast
//! enough for that (aws-sdk-go-v2 issues 1825 and 2737). So for this client the answer comes a little
//! later. Over HTTP/2 the SDK has no such fault.

use crate::limits::Limits;
use crate::world::RealDeadline;
use hyper::Version;
use hyper::header::USER_AGENT;
use hyper::http::request::Parts;
use std::time::Duration;

/// The start of the Go SDK's user agent.
const GO_SDK: &[u8] = b"aws-sdk-go-v2/";

/// Waits before the answer to a request with a body of so many bytes, if its client needs it.
pub(super) async fn pause_for(head: &Parts, body_bytes: usize, limits: &Limits) {
    if body_bytes == 0 || head.version > Version::HTTP_11 {
        return;
    }
    if let Some(ms) = limits.go_sdk_pause_ms
        && is_go_sdk(head)
    {
        // Boxed, so that other requests do not carry the timer.
        Box::pin(RealDeadline::lasting(Duration::from_millis(ms)).end()).await;
    }
}

fn is_go_sdk(head: &Parts) -> bool {
    let agent = head.headers.get(USER_AGENT);
    agent.is_some_and(|agent| agent.as_bytes().starts_with(GO_SDK))
}
