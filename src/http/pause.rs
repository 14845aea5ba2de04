//! Delays the answer to the Go SDK v2, which cannot handle an answer that comes too fast.
//!
//! The SDK closes the body of a request as soon as it has the head of the answer. Go's HTTP
//! transport reads once more after the last byte of the body, to find the end of the body. If the
//! SDK has already closed the body, this read fails and the transport drops the connection. The SDK
//! then sends the request again, so that its records are written twice.
//!
//! Over HTTP/1.1, an answer within microseconds triggers this bug (aws-sdk-go-v2 issues 1825 and
//! 2737). Over HTTP/2, the SDK does not have the bug.
//!
//! Go's transport collects a request in a buffer before it sends the request. If the whole request
//! fits into the buffer, the transport first looks for the end of the body and then sends the
//! request. The answer comes after both steps, so it needs no delay.

use crate::limits::Limits;
use crate::world::RealDeadline;
use hyper::Version;
use hyper::header::USER_AGENT;
use hyper::http::request::Parts;
use std::time::Duration;

/// The text with which the Go SDK's header `User-Agent` begins.
const GO_SDK: &[u8] = b"aws-sdk-go-v2/";

/// Size in bytes of the buffer in which Go's transport collects the bytes of a request before
/// sending them (`WriteBufferSize` of `net/http.Transport`).
const GO_BUFFER_BYTES: usize = 4096;

/// Waits before the answer if the client is the Go SDK v2 over HTTP/1.1 and the request did not fit
/// into the buffer of Go's transport.
pub(super) async fn pause_for(head: &Parts, body_bytes: usize, limits: &Limits) {
    if let Some(ms) = limits.go_sdk_pause_ms
        && needs_pause(head, body_bytes)
    {
        // Box this future, so that the timer does not enlarge the futures of other requests.
        Box::pin(RealDeadline::lasting(Duration::from_millis(ms)).end()).await;
    }
}

fn needs_pause(head: &Parts, body_bytes: usize) -> bool {
    body_bytes > 0
        && head.version <= Version::HTTP_11
        && is_go_sdk(head)
        && head_bytes(head) + body_bytes >= GO_BUFFER_BYTES
}

fn is_go_sdk(head: &Parts) -> bool {
    let agent = head.headers.get(USER_AGENT);
    agent.is_some_and(|agent| agent.as_bytes().starts_with(GO_SDK))
}

/// Number of bytes in the head of a request as sent over HTTP/1.1: the line `POST / HTTP/1.1`, a
/// line for each header, and an empty line.
fn head_bytes(head: &Parts) -> usize {
    let path = head
        .uri
        .path_and_query()
        .map_or(1, |path| path.as_str().len());
    let first = head.method.as_str().len() + path + " HTTP/1.1\r\n".len() + 1;
    let headers = head.headers.iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    first + headers.sum::<usize>() + "\r\n".len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn head(version: Version, agent: &str) -> Parts {
        let request = Request::post("/")
            .version(version)
            .header("Host", "127.0.0.1:4567")
            .header("User-Agent", agent)
            .body(());
        request.unwrap().into_parts().0
    }

    #[test]
    fn only_requests_of_the_go_sdk_that_its_transport_does_not_hold_back_need_a_pause() {
        let go = head(Version::HTTP_11, "aws-sdk-go-v2/1.47.7 ua/2.1");
        let written = "POST / HTTP/1.1\r\nHost: 127.0.0.1:4567\r\n\
                       User-Agent: aws-sdk-go-v2/1.47.7 ua/2.1\r\n\r\n";
        assert_eq!(head_bytes(&go), written.len());
        let most = GO_BUFFER_BYTES - written.len();
        assert!(!needs_pause(&go, most - 1), "held back");
        assert!(needs_pause(&go, most), "a full buffer is sent at once");
        assert!(needs_pause(&go, 1 << 20));
        assert!(!needs_pause(&go, 0));
        let over_http_2 = head(Version::HTTP_2, "aws-sdk-go-v2/1.47.7 ua/2.1");
        assert!(!needs_pause(&over_http_2, 1 << 20));
        let other = head(Version::HTTP_11, "aws-sdk-rust/1.3.3");
        assert!(!needs_pause(&other, 1 << 20));
    }
}
