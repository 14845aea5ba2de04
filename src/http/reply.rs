//! Answers: in JSON and CBOR, and in the service's other tongues for requests it cannot route.

use super::metrics::Outcome;
use super::connection::held;
use super::{Body, dispatch, slow_reader};
use crate::admission::BudgetPermit;
use crate::error::{Error, Kind};
use crate::operation::{Entry, Events};
use crate::wire::{self, Format};
use crate::world::Random;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, ORIGIN};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Response, StatusCode};
use std::net::SocketAddr;
use std::time::Duration;

/// An answer before its headers.
#[derive(Debug)]
pub(super) struct Reply {
    status: u16,
    content_type: Option<&'static str>,
    body: Vec<u8>,
    /// What the body has of the bytes in flight.
    share: Option<BudgetPermit>,
    /// In the place of a body.
    events: Option<Box<Events>>,
    preflight: bool,
    operation: Option<&'static Entry>,
    /// What the request panicked with.
    panic: Option<String>,
    /// For the log.
    error: Option<Error>,
    stream: Option<String>,
}

/// A request that no format can be told of.
#[derive(Debug)]
pub(super) enum Unroutable {
    /// Its signature is refused.
    Refused(Error),
    /// It names no operation.
    NoTarget,
    /// It names an operation of ours, in no format of ours.
    NotHere,
    /// It names no operation of ours.
    Failed,
    /// It is for somebody else.
    OtherService {
        /// Whom.
        service: String,
        /// What.
        operation: String,
    },
}

/// The two answers to `application/json`, which has an envelope of its own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Coral {
    /// The body is no structure.
    Serialization,
    /// Nothing is served there.
    UnknownOperation,
}

impl Reply {
    fn new(status: u16, content_type: Option<&'static str>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type,
            body: body.into(),
            share: None,
            events: None,
            preflight: false,
            operation: None,
            panic: None,
            error: None,
            stream: None,
        }
    }

    /// The answer of an operation.
    pub(super) fn done(format: Format, body: Vec<u8>) -> Self {
        Self::new(200, Some(format.content_type()), body)
    }

    /// The frames of a subscription.
    pub(super) fn events(events: Box<Events>) -> Self {
        let reply = Self::new(200, Some("application/vnd.amazon.eventstream"), []);
        Self {
            events: Some(events),
            ..reply
        }
    }

    /// A refusal, in the request's format.
    pub(super) fn refused(format: Format, error: Error) -> Self {
        let mut members = vec![("__type", error.kind.name())];
        if let Some(message) = &error.message {
            members.push((error.kind.message_key(), message));
        }
        let body = wire::encode(format, &Members(&members));
        let reply = Self::new(error.kind.status(), Some(format.content_type()), body);
        Self {
            error: Some(error),
            ..reply
        }
    }

    /// A bug of ours ended the request, with this text.
    pub(super) fn panicked(head: &Parts, panic: String) -> Self {
        Self {
            panic: Some(panic),
            ..Self::unread(head, Error::internal())
        }
    }

    /// A refusal of a request whose body was not looked at.
    pub(super) fn unread(head: &Parts, error: Error) -> Self {
        let json = head.headers.get(CONTENT_TYPE).is_none_or(|value| {
            value
                .as_bytes()
                .starts_with(Format::Json.content_type().as_bytes())
        });
        let format = if json { Format::Json } else { Format::Cbor };
        let operation = dispatch::named(head);
        Self {
            operation,
            ..Self::refused(format, error)
        }
    }

    /// The answer to a browser that asks first.
    pub(super) fn preflight() -> Self {
        Self {
            preflight: true,
            ..Self::new(200, None, [])
        }
    }

    /// The answer to `application/json`.
    pub(super) fn coral(answer: Coral) -> Self {
        let (status, name) = match answer {
            Coral::Serialization => (400, "SerializationException"),
            Coral::UnknownOperation => (404, "UnknownOperationException"),
        };
        let body = format!(
            r#"{{"Output":{{"__type":"com.amazon.coral.service#{name}"}},"Version":"1.0"}}"#
        );
        Self::new(status, Some("application/json"), body)
    }

    /// The XML-like answer to what cannot be routed; it has no content type.
    pub(super) fn unroutable(request: Unroutable) -> Self {
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
            Unroutable::Failed => (500, "InternalFailure", "".into()),
            Unroutable::NotHere => (404, "UnknownOperationException", "".into()),
        };
        let body = if message.is_empty() {
            format!("<{name}/>\n")
        } else {
            format!("<{name}>\n  <Message>{message}</Message>\n</{name}>\n")
        };
        Self::new(status, None, body)
    }

    /// Notes whose answer it is, for the log.
    pub(super) fn of(self, entry: &'static Entry) -> Self {
        Self {
            operation: Some(entry),
            ..self
        }
    }

    /// Notes which stream it is about, for the log.
    pub(super) fn naming(self, stream: Option<String>) -> Self {
        Self { stream, ..self }
    }

    /// Gives it what it has of the bytes in flight.
    pub(super) fn holding(self, share: Option<BudgetPermit>) -> Self {
        Self { share, ..self }
    }

    /// Gives it what its request had, unless it has a share of its own.
    pub(super) fn holding_at_least(mut self, mut share: BudgetPermit) -> Self {
        if self.share.is_none() && !self.body.is_empty() {
            share.exchange_for(self.body.len() as u64);
            self.share = Some(share);
        }
        self
    }

    /// Whose answer it is, what became of the request, and the size of the answer.
    pub(super) fn outcome(&self) -> (Option<&'static Entry>, Outcome, usize) {
        let kind = self.error.as_ref().map(|error| error.kind);
        let outcome = Outcome::of(self.status, kind);
        (self.operation, outcome, self.body.len())
    }

    /// Whether it tells of an error of this kind.
    pub(super) fn is_kind(&self, kind: Kind) -> bool {
        self.error.as_ref().is_some_and(|error| error.kind == kind)
    }

    /// The whole answer, with the request's own map for its headers. Its ids are random and, on the
    /// way, told to the log.
    pub(super) fn into_response(
        mut self,
        head: Parts,
        peer: SocketAddr,
        took: Duration,
        random: &Random,
    ) -> Response<Body> {
        let request_id = uuid::Builder::from_random_bytes(random.bytes()).into_uuid();
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let request_id: &str = request_id.hyphenated().encode_lower(&mut text);
        self.log(&head, peer, took, request_id);

        let mut response = Response::new(match self.events.take() {
            Some(events) => Body::events(events),
            None => {
                let (body, share) = (std::mem::take(&mut self.body), self.share.take());
                Body::whole(held(body, share, slow_reader::connection()))
            }
        });
        *response.status_mut() = StatusCode::from_u16(self.status).expect("ours are in range");
        let asked = head
            .headers
            .contains_key(ORIGIN)
            .then(|| Origin::of(&head.headers));
        // The map goes on to the next request of the connection, which costs no memory then.
        let mut headers = head.headers;
        headers.clear();
        headers.insert(REQUEST_ID, ascii(request_id));
        if let Some(content_type) = self.content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if !self.preflight {
            headers.insert(EXTENDED_ID, extended_id(random));
        }
        if let Some(asked) = asked {
            asked.allow(&self, &mut headers);
        }
        *response.headers_mut() = headers;
        response
    }

    fn log(&self, head: &Parts, peer: SocketAddr, took: Duration, request_id: &str) {
        let operation = self.operation.map_or("", |entry| entry.name);
        let (status, bytes) = (self.status, self.body.len());
        if let Some(panic) = &self.panic {
            tracing::error!(operation, request_id, panic, "a request panicked");
        }
        if let Some(error) = &self.error {
            let stream = self.stream.as_deref().unwrap_or_default();
            tracing::warn!(
                operation,
                stream,
                request_id,
                status,
                "{}",
                error.with_remedy()
            );
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
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const EXTENDED_ID: HeaderName = HeaderName::from_static("x-amz-id-2");
/// Seconds for which a browser may keep the answer to a preflight.
const PREFLIGHT_LIFE_S: &str = "172800";
const EXPOSED: &str = "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,\
                       x-amzn-ErrorMessage,Date";

fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("ids are ASCII")
}

/// 96 characters of base64, as the service's are, each of six random bits.
fn extended_id(random: &Random) -> HeaderValue {
    let mut text: [u8; 96] = random.bytes();
    for character in &mut text {
        *character = BASE64[usize::from(*character & 63)];
    }
    HeaderValue::from_bytes(&text).expect("base64 is ASCII")
}

/// What the page asks for that sends a request, for its browser.
struct Origin {
    headers: Option<HeaderValue>,
    method: Option<HeaderValue>,
}

impl Origin {
    fn of(asked: &HeaderMap) -> Self {
        Self {
            headers: asked.get("access-control-request-headers").cloned(),
            method: asked.get("access-control-request-method").cloned(),
        }
    }

    /// Lets a page of any origin see the answer.
    fn allow(self, reply: &Reply, headers: &mut HeaderMap) {
        headers.insert("access-control-allow-origin", HeaderValue::from_static("*"));
        if !reply.preflight {
            headers.insert(
                "access-control-expose-headers",
                HeaderValue::from_static(EXPOSED),
            );
            return;
        }
        let allowed = [
            ("access-control-allow-headers", self.headers),
            ("access-control-allow-methods", self.method),
        ];
        for (name, value) in allowed {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
        headers.insert(
            "access-control-max-age",
            HeaderValue::from_static(PREFLIGHT_LIFE_S),
        );
    }
}

/// The answer to a body that is too large: nothing, not even ids.
pub(super) fn too_large() -> Response<Body> {
    let mut response = Response::new(Body::without_length());
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response
}

/// A structure of texts.
struct Members<'a>(&'a [(&'static str, &'a str)]);

impl serde::Serialize for Members<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}
