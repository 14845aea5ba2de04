//! Answers of the Kinesis API in JSON and CBOR, and answers in the other forms that the service
//! uses for requests that it cannot route.

use super::body::Body;
use super::connection::counted;
use super::metrics::Outcome;
use super::origin::{Asked, FromPage};
use super::slow_reader;
use super::target::{PROTOCOL, RPC_V2_CBOR, Target, refusal_format};
use crate::admission::BudgetPermit;
use crate::error::{Error, Kind};
use crate::operation::{Entry, Events};
use crate::wire::{self, Format};
use crate::world::Random;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Response, StatusCode};
use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

/// An answer of the Kinesis API without its headers, with details for the log and the metrics.
#[derive(Debug)]
pub(super) struct Reply {
    status: u16,
    content_type: Option<&'static str>,
    body: Vec<u8>,
    /// Budget permit for the bytes in `body`.
    permit: Option<BudgetPermit>,
    /// The events of a subscription, which are streamed in place of `body`. None for any other
    /// answer.
    events: Option<Box<Events>>,
    is_preflight: bool,
    is_rpc_v2: bool,
    /// True if a fault rule demands that the connection is closed without an answer.
    closes_connection: bool,
    operation: Option<&'static Entry>,
    /// Message of the panic that ended the operation. None if there was no panic.
    panic: Option<String>,
    /// The error that the answer reports. None for an answer without an error of the API.
    error: Option<Error>,
    /// The stream that a refused request names, for the log. None if the stream is unknown.
    stream: Option<String>,
    /// The reason for a refusal, for the log. None if the answer itself contains the reason.
    note: Option<Cow<'static, str>>,
}

/// The reason why the service cannot route a request. The service answers such a request in XML.
#[derive(Debug)]
pub(super) enum Unroutable {
    /// The request has no signature, an incomplete one or two signatures. The error says which.
    Refused(Error),
    /// The request names no operation.
    NoTarget,
    /// The request names an existing operation, but the service does not know the content type.
    UnknownFormat,
    /// The request names an operation that does not exist, and the service does not know the
    /// content type.
    UnknownOperation,
    /// The request names another AWS service than Kinesis.
    OtherService { service: String, operation: String },
}

/// The log text for a request with an unknown content type.
const UNKNOWN_FORMAT: &str = "the content type is none of the service's: \
     application/x-amz-json-1.1, application/x-amz-cbor-1.1, or application/cbor with the header \
     smithy-protocol: rpc-v2-cbor";

impl Unroutable {
    /// The explanation of the refusal. The log needs this explanation, because the service's answer
    /// explains little.
    pub(super) fn note(&self) -> &'static str {
        match self {
            Self::Refused(_) => "the signature is incomplete, and the content type is unknown",
            Self::NoTarget => "the request names no operation: it has no X-Amz-Target header",
            Self::UnknownFormat => UNKNOWN_FORMAT,
            Self::UnknownOperation => "there is no such operation, and the content type is unknown",
            Self::OtherService { .. } => "the request is for another service",
        }
    }
}

/// The two answers of the service to a request with the content type `application/json`. They have
/// a form that no other answer of the service has: the error is wrapped in another object.
#[derive(Debug, Clone, Copy)]
pub(super) enum PlainJsonAnswer {
    /// The answer if the body is not valid JSON.
    Serialization,
    /// The answer if the body is valid JSON.
    UnknownOperation,
}

impl Reply {
    fn new(status: u16, content_type: Option<&'static str>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type,
            body: body.into(),
            permit: None,
            events: None,
            is_preflight: false,
            is_rpc_v2: false,
            closes_connection: false,
            operation: None,
            panic: None,
            error: None,
            stream: None,
            note: None,
        }
    }

    /// The answer of an operation that succeeded. `body` is the encoded output of the operation.
    pub(super) fn done(format: Format, body: Vec<u8>) -> Self {
        // In RPC v2, the answer of an operation without output has neither a body nor a content
        // type.
        let is_untyped = format == Format::RpcV2Cbor && body.is_empty();
        let content_type = (!is_untyped).then(|| format.content_type());
        Self::new(200, content_type, body).in_protocol(format)
    }

    /// Marks the answer as an answer to a request in `format`. In RPC v2, the answer has an
    /// additional header.
    fn in_protocol(self, format: Format) -> Self {
        Self {
            is_rpc_v2: format == Format::RpcV2Cbor,
            ..self
        }
    }

    /// The answer to SubscribeToShard, which streams events.
    pub(super) fn events(format: Format, events: Box<Events>) -> Self {
        let reply = Self::new(200, Some("application/vnd.amazon.eventstream"), []);
        Self {
            events: Some(events),
            ..reply.in_protocol(format)
        }
    }

    /// The refusal of a request with `error`, in the format of the request.
    pub(super) fn refused(format: Format, error: Error) -> Self {
        let (name, message_key) = match format {
            Format::RpcV2Cbor => (shape_id(error.kind).into(), "message"),
            _ => (Cow::Borrowed(error.kind.name()), error.kind.message_key()),
        };
        let mut members = vec![("__type", name.as_ref())];
        if let Some(message) = &error.message {
            members.push((message_key, message));
        }
        let body = wire::encode(format, &Members(&members));
        let reply = Self::new(error.kind.status(), Some(format.content_type()), body);
        Self {
            error: Some(error),
            ..reply.in_protocol(format)
        }
    }

    /// The answer to a request whose handler panicked with the message `panic`.
    pub(super) fn panicked(head: &Parts, panic: String) -> Self {
        Self {
            panic: Some(panic),
            ..Self::body_not_received(head, Error::internal())
        }
    }

    /// The refusal of a request whose body was not received in full.
    pub(super) fn body_not_received(head: &Parts, error: Error) -> Self {
        Self {
            operation: Target::of(head).entry(),
            ..Self::refused(refusal_format(head), error)
        }
    }

    /// The answer to a browser's preflight request.
    pub(super) fn preflight() -> Self {
        Self {
            is_preflight: true,
            ..Self::new(200, None, [])
        }
    }

    /// The answer to the preflight request of a page that may not call the service.
    pub(super) fn preflight_refused(error: Error) -> Self {
        Self {
            error: Some(error),
            is_preflight: true,
            ..Self::new(403, None, [])
        }
    }

    /// A reply that closes the connection without an answer, as a fault rule demands.
    pub(super) fn closing_connection() -> Self {
        Self {
            closes_connection: true,
            ..Self::new(500, None, [])
        }
    }

    /// True if the connection has to be closed without an answer.
    pub(super) const fn closes_connection(&self) -> bool {
        self.closes_connection
    }

    /// One of the two answers to a request with the content type `application/json`.
    pub(super) fn plain_json(answer: PlainJsonAnswer) -> Self {
        let (status, name) = match answer {
            PlainJsonAnswer::Serialization => (400, "SerializationException"),
            PlainJsonAnswer::UnknownOperation => (404, "UnknownOperationException"),
        };
        let body = format!(
            r#"{{"Output":{{"__type":"com.amazon.coral.service#{name}"}},"Version":"1.0"}}"#
        );
        Self {
            note: Some(Cow::Borrowed(UNKNOWN_FORMAT)),
            ..Self::new(status, Some("application/json"), body)
        }
    }

    /// The answer to a request that the service cannot route. Like the service's answer, it has a
    /// body that looks like XML, and no content type.
    pub(super) fn unroutable(request: Unroutable) -> Self {
        let note = request.note();
        let (status, name, message) = match request {
            Unroutable::Refused(error) => {
                (403, error.kind.name(), error.message.unwrap_or_default())
            }
            Unroutable::NoTarget => (
                403,
                "AccessDeniedException",
                "Unable to determine service/operation name to be authorized".into(),
            ),
            Unroutable::OtherService { service, operation } => {
                let message = format!(
                    "No authorization strategy was found for service: {service}, operation: \
                     {operation}"
                );
                (403, "UnrecognizedClientException", message.into())
            }
            Unroutable::UnknownOperation => (500, "InternalFailure", "".into()),
            Unroutable::UnknownFormat => (404, "UnknownOperationException", "".into()),
        };
        let body = if message.is_empty() {
            format!("<{name}/>\n")
        } else {
            format!("<{name}>\n  <Message>{message}</Message>\n</{name}>\n")
        };
        Self {
            note: Some(Cow::Borrowed(note)),
            ..Self::new(status, None, body)
        }
    }

    /// Sets the operation that was called, for the log and the metrics.
    pub(super) fn of(self, entry: &'static Entry) -> Self {
        Self {
            operation: Some(entry),
            ..self
        }
    }

    /// Sets the stream that the request names, for the log.
    pub(super) fn about(self, stream: Option<String>) -> Self {
        Self { stream, ..self }
    }

    /// Sets the reason for a refusal, for the log. None if the answer itself contains the reason.
    pub(super) fn noting(self, note: Option<String>) -> Self {
        Self {
            note: note.map(Cow::Owned),
            ..self
        }
    }

    /// Sets the budget permit for the bytes of the body.
    pub(super) fn holding(self, permit: Option<BudgetPermit>) -> Self {
        Self { permit, ..self }
    }

    /// Passes the request's permit on to the body of the answer, unless the answer already has a
    /// permit or has no body.
    pub(super) fn holding_at_least(mut self, mut permit: BudgetPermit) -> Self {
        if self.permit.is_none() && !self.body.is_empty() {
            permit.exchange_for(self.body.len() as u64);
            self.permit = Some(permit);
        }
        self
    }

    /// The operation, the outcome, and the size of the answer's body in bytes, for the metrics.
    pub(super) fn outcome(&self) -> (Option<&'static Entry>, Outcome, usize) {
        let kind = self.error.as_ref().map(|error| error.kind);
        let outcome = Outcome::of(self.status, kind);
        (self.operation, outcome, self.body.len())
    }

    /// The HTTP status and, if the request failed, the error with advice. The console shows both in
    /// its list of requests.
    pub(super) fn problem(&self) -> (u16, Option<String>) {
        let error = self
            .error
            .as_ref()
            .map(|error| error.with_remedy().to_string());
        let note = self.note.as_deref().map(str::to_owned);
        let text = match (error, note) {
            (Some(error), Some(note)) => Some(format!("{error}: {note}")),
            (error, note) => error.or(note),
        };
        let closed = || {
            self.closes_connection
                .then(|| "a fault rule closed the connection".to_owned())
        };
        (self.status, text.or_else(closed))
    }

    /// True if the answer has an error status.
    pub(super) const fn has_failed(&self) -> bool {
        self.status >= 400
    }

    /// The name of the called operation. For an unknown operation, this is the name in the request.
    pub(super) fn operation_name(&self, head: &Parts) -> String {
        operation_text(self.operation, head).to_owned()
    }

    /// Logs the answer, and builds the response with random request ids. The response reuses the
    /// memory of the request's header map.
    pub(super) fn into_response(
        mut self,
        head: Parts,
        (peer, from_page): (SocketAddr, FromPage),
        took: Duration,
        random: &Random,
    ) -> Response<Body> {
        let request_id = uuid::Builder::from_random_bytes(random.bytes()).into_uuid();
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let request_id: &str = request_id.hyphenated().encode_lower(&mut text);
        self.log(&head, peer, took, request_id);
        let mut response = Response::new(self.take_body());
        *response.status_mut() = StatusCode::from_u16(self.status).expect("ours are in range");
        *response.headers_mut() = self.headers(head.headers, from_page, request_id, random);
        response
    }

    fn take_body(&mut self) -> Body {
        match self.events.take() {
            Some(events) => Body::frames(events),
            None => {
                let (body, permit) = (std::mem::take(&mut self.body), self.permit.take());
                Body::whole(counted(body, permit, slow_reader::connection()))
            }
        }
    }

    /// Makes the headers of the response. The headers reuse the memory of `headers`, which is the
    /// header map of the request.
    fn headers(
        &self,
        mut headers: HeaderMap,
        from_page: FromPage,
        request_id: &str,
        random: &Random,
    ) -> HeaderMap {
        let asked = (from_page == FromPage::Allowed).then(|| Asked::of(&headers));
        headers.clear();
        headers.insert(REQUEST_ID, ascii(request_id));
        if let Some(content_type) = self.content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if self.is_rpc_v2 {
            headers.insert(PROTOCOL, HeaderValue::from_static(RPC_V2_CBOR));
        }
        if !self.is_preflight {
            headers.insert(EXTENDED_ID, extended_id(random));
        }
        if let Some(asked) = asked {
            asked.allow(self.is_preflight, &mut headers);
        }
        headers
    }

    fn log(&self, head: &Parts, peer: SocketAddr, took: Duration, request_id: &str) {
        let operation = operation_text(self.operation, head);
        let (status, bytes) = (self.status, self.body.len());
        if let Some(panic) = &self.panic {
            tracing::error!(operation, request_id, panic, "a request panicked");
        }
        if self.error.is_some() || self.note.is_some() {
            self.log_refusal(head, operation, request_id);
        }
        tracing::debug!(
            method = %head.method,
            path = head.uri.path(),
            operation,
            status,
            bytes,
            took_us = took.as_micros(),
            %peer,
            request_id,
            "request"
        );
    }

    fn log_refusal(&self, head: &Parts, operation: &str, request_id: &str) {
        let status = self.status;
        let note = self.note.as_deref().unwrap_or_default();
        let Some(error) = &self.error else {
            let content_type = content_type(head);
            tracing::warn!(operation, %content_type, request_id, status, "{note}");
            return;
        };
        let stream = self.stream.as_deref().unwrap_or_default();
        let separator = if note.is_empty() { "" } else { ": " };
        tracing::warn!(
            operation,
            stream,
            request_id,
            status,
            "{}{separator}{note}",
            error.with_remedy()
        );
    }
}

/// The name of the called operation. For an unknown operation, this is the name in the request.
fn operation_text<'a>(operation: Option<&'static Entry>, head: &'a Parts) -> &'a str {
    operation.map_or_else(|| Target::of(head).operation, |entry| entry.name)
}

fn content_type(head: &Parts) -> Cow<'_, str> {
    let value = head.headers.get(CONTENT_TYPE);
    String::from_utf8_lossy(value.map(HeaderValue::as_bytes).unwrap_or_default())
}

/// Logs that the body of a request is too large. `bytes` is the announced size, or the number of
/// bytes that had arrived. `limit` is the largest permitted size in bytes.
pub(super) fn log_too_large(head: &Parts, bytes: u64, limit: u64) {
    let operation = operation_text(None, head);
    tracing::warn!(
        operation,
        bytes,
        limit,
        status = 413,
        "the body is too large. The limit is set by --limit request-bytes=N"
    );
}

/// The full Smithy shape id of an exception, which RPC v2 requires. An exception that the service's
/// model lacks has the namespace of Coral, the web framework of AWS.
fn shape_id(kind: Kind) -> String {
    let namespace = if kind.is_modelled() {
        "com.amazonaws.kinesis"
    } else {
        "com.amazon.coral.service"
    };
    format!("{namespace}#{}", kind.name())
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const EXTENDED_ID: HeaderName = HeaderName::from_static("x-amz-id-2");

fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("ids are ASCII")
}

/// A random extended request id in the form of the service: 96 characters in base64.
fn extended_id(random: &Random) -> HeaderValue {
    let mut text: [u8; 96] = random.bytes();
    for character in &mut text {
        *character = BASE64[usize::from(*character & 63)];
    }
    HeaderValue::from_bytes(&text).expect("base64 is ASCII")
}

/// The answer to a request whose body is too large: a status only, without request ids.
pub(super) fn too_large() -> Response<Body> {
    bare(StatusCode::PAYLOAD_TOO_LARGE)
}

/// An answer that consists of a status only, without headers and body.
pub(super) fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::without_length());
    *response.status_mut() = status;
    response
}

/// A JSON or CBOR object whose values are texts.
struct Members<'a>(&'a [(&'static str, &'a str)]);

impl serde::Serialize for Members<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}
