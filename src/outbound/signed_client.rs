//! A client of one endpoint of an AWS service. The client signs requests and reads their answers.

use super::address::Address;
use super::connection::{Connection, RequestBody, SendError, whole};
use super::sign::{SignableBody, Signer, SigningScope};
use crate::limits;
use crate::wire::escaped;
use crate::world::Clock;
use bytes::Bytes;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response};
use std::fmt;

/// The client of one endpoint of an AWS service.
#[derive(Debug)]
pub(super) struct SignedClient {
    /// Name of the AWS service that the signatures contain.
    pub(super) service: &'static str,
    pub(super) address: Address,
    pub(super) signer: Signer,
    pub(super) region: String,
    pub(super) clock: Clock,
}

/// A request to the endpoint, without its body.
#[derive(Debug)]
pub(super) struct ClientRequest<'a> {
    pub(super) method: Method,
    /// Value of the header `Host`. None: the host of the endpoint.
    pub(super) host: Option<&'a str>,
    /// Path and query of the request, percent-encoded.
    pub(super) path: &'a str,
    pub(super) content_type: Option<&'a str>,
    /// Headers of the request in addition to `Host` and `Content-Type`. The signature covers these
    /// headers, too.
    pub(super) headers: &'a [(&'static str, String)],
}

/// The body of a request to the endpoint.
pub(super) enum Payload {
    /// A body in memory.
    Bytes(Bytes),
    /// A body that is read from its source while the request is sent.
    Streamed {
        body: RequestBody,
        length: u64,
        /// SHA-256 of the body, as lower-case hexadecimal digits.
        sha256: String,
    },
}

/// The reason why a request to the endpoint failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ClientError {
    /// The connection failed before any part of the request was sent, so another attempt is safe.
    NotConnected(String),
    /// The connection failed after at least a part of the request was sent.
    Lost(String),
    /// The server answered with an error or with too many bytes, or the request is invalid.
    Refused(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::NotConnected(reason) | Self::Lost(reason) | Self::Refused(reason)) = self;
        formatter.write_str(reason)
    }
}

impl SignedClient {
    /// Opens a connection to the endpoint.
    pub(super) async fn connect(&self) -> Result<Connection, ClientError> {
        let opened = Connection::open(&self.address).await;
        opened.map_err(|error| ClientError::NotConnected(error.to_string()))
    }

    /// Signs and sends a request, and returns the body of the answer.
    ///
    /// # Errors
    /// The connection fails, the request is invalid, or the answer is too large or has a status
    /// other than 2xx.
    pub(super) async fn send(
        &self,
        connection: &mut Connection,
        request: ClientRequest<'_>,
        payload: Payload,
    ) -> Result<Bytes, ClientError> {
        let most = limits::OUTBOUND_ANSWER_BYTES;
        let answer = self.exchange(connection, request, payload, most).await?;
        match answer.status().is_success() {
            true => Ok(answer.into_body()),
            false => Err(refusal(&answer)),
        }
    }

    /// Sends a request, and returns its answer, whatever the status. The body of the answer may
    /// have at most `most` bytes.
    ///
    /// # Errors
    /// The connection fails, or the answer is too large.
    pub(super) async fn exchange(
        &self,
        connection: &mut Connection,
        request: ClientRequest<'_>,
        payload: Payload,
        most: usize,
    ) -> Result<Response<Bytes>, ClientError> {
        let request = self
            .signed(&request, payload)
            .map_err(ClientError::Refused)?;
        match connection.send(request, most).await {
            Ok(answer) => Ok(answer),
            Err(SendError::NotSent(reason)) => Err(ClientError::NotConnected(reason)),
            Err(SendError::Lost(reason)) => Err(ClientError::Lost(reason)),
            Err(SendError::TooLarge) => {
                Err(ClientError::Refused("the answer is too large".to_owned()))
            }
        }
    }

    fn signed(
        &self,
        request: &ClientRequest<'_>,
        payload: Payload,
    ) -> Result<Request<RequestBody>, String> {
        let host = request.host.unwrap_or(&self.address.authority);
        let mut builder = Request::builder()
            .method(request.method.clone())
            .uri(request.path)
            .header(HOST, host);
        if let Some(content_type) = request.content_type {
            builder = builder.header(CONTENT_TYPE, content_type);
        }
        for (name, value) in request.headers {
            builder = builder.header(*name, value);
        }
        let (body, signable) = match payload {
            Payload::Bytes(bytes) => (whole(bytes.clone()), Signable::Bytes(bytes)),
            Payload::Streamed {
                body,
                length,
                sha256,
            } => {
                builder = builder.header(CONTENT_LENGTH, length);
                (body, Signable::Hash(sha256))
            }
        };
        let mut signed = builder.body(body).map_err(|error| error.to_string())?;
        let scheme = match self.address.tls {
            Some(_) => "https",
            None => "http",
        };
        let url = format!("{scheme}://{host}{}", request.path);
        let scope = SigningScope {
            service: self.service,
            region: &self.region,
            now_ms: self.clock.wall_time().millis(),
        };
        let signable = match &signable {
            Signable::Bytes(bytes) => SignableBody::Bytes(bytes),
            Signable::Hash(hash) => SignableBody::Precomputed(hash.clone()),
        };
        self.signer.sign(&mut signed, (&url, signable), scope)?;
        Ok(signed)
    }
}

/// The error for an answer whose status is not 2xx. Its text holds the beginning of the body, with
/// escaped control characters, because the text is shown in the log on terminals.
pub(super) fn refusal(answer: &Response<Bytes>) -> ClientError {
    let (status, body) = (answer.status(), answer.body());
    let shown = &body[..body.len().min(limits::OUTBOUND_ERROR_BYTES)];
    let shown = escaped(&String::from_utf8_lossy(shown), char::is_control);
    ClientError::Refused(format!("{status}: {shown}"))
}

/// The input of a signature for the body of a request: the bytes of the body, or their hash.
enum Signable {
    Bytes(Bytes),
    Hash(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_shows_no_control_characters_of_the_answer() {
        let body = Bytes::from_static(b"<Code>\x1b[31mSlowDown\x07</Code>");
        let answer = Response::builder().status(503).body(body).unwrap();
        let text = refusal(&answer).to_string();
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert!(text.contains("SlowDown"), "{text:?}");
    }
}
