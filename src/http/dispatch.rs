//! Finds the operation that a request to the Kinesis API names, and runs it. Serves all protocols
//! of the API. The checks of a request have the same order as in the service.

use super::access::Access;
use super::connection::Client;
use super::credentials::credential;
use super::origin::FromPage;
use super::reply::{PlainJsonAnswer, Reply, Unroutable};
use super::signature;
use super::target::{Content, SERVICE, Target, refusal_format};
use crate::engine::Engine;
use crate::error::{Error, Kind};
use crate::operation::{self, Answer, Context, Entry};
use crate::options::Authentication;
use crate::wire::{self, Format};
use bytes::Bytes;
use hyper::Method;
use hyper::header::{CONTENT_ENCODING, ORIGIN};
use hyper::http::request::Parts;
use std::sync::Arc;

/// An empty map, encoded in CBOR.
const EMPTY_MAP: &[u8] = &[0xa0];

/// Answers requests to the Kinesis API.
#[derive(Debug)]
pub(super) struct Dispatcher {
    engine: Arc<Engine>,
    access: Arc<Access>,
}

/// A request whose body was received in full.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReceivedRequest<'a> {
    pub(super) head: &'a Parts,
    pub(super) body: &'a Bytes,
    pub(super) client: Client,
    pub(super) from_page: FromPage,
}

impl Dispatcher {
    pub(super) fn new(engine: Arc<Engine>, access: Arc<Access>) -> Self {
        Self { engine, access }
    }

    /// Answers a request to the Kinesis API. The request may also be a browser's preflight request,
    /// or may name no operation.
    pub(super) async fn answer(&self, request: ReceivedRequest<'_>) -> Reply {
        let ReceivedRequest { head, body, .. } = request;
        let is_preflight = head.method == Method::OPTIONS && head.headers.contains_key(ORIGIN);
        if request.from_page == FromPage::Refused {
            return refused_page(head, is_preflight);
        }
        if is_preflight {
            return Reply::preflight();
        }
        if head.method != Method::POST {
            return unroutable(head);
        }
        let content = Content::of(head);
        if body.is_empty() && content != Content::Known(Format::RpcV2Cbor) {
            return empty_body(head, content);
        }
        match content {
            Content::Unknown => unroutable(head),
            Content::PlainJson if wire::parses(Format::Json, body) => {
                Reply::plain_json(PlainJsonAnswer::UnknownOperation)
            }
            Content::PlainJson => Reply::plain_json(PlainJsonAnswer::Serialization),
            Content::Known(format) => self.call(request, format).await,
        }
    }

    /// Finds the operation and the caller of a request, and runs the operation. If a request has
    /// several errors, the answer reports only one of them: an unreadable body rather than an
    /// unknown operation, and an unknown operation rather than a wrong credential.
    async fn call(&self, request: ReceivedRequest<'_>, format: Format) -> Reply {
        let ReceivedRequest {
            head, body, client, ..
        } = request;
        let signed = body;
        let empty = Bytes::from_static(EMPTY_MAP);
        // Only a request in RPC v2 can have an empty body here, because its operation has no input.
        // The decoder gets an empty map instead of the empty body.
        let body = if body.is_empty() { &empty } else { body };
        let Some(entry) = Target::in_format(head, format).entry() else {
            return refused(head, format, body, Error::unknown_operation());
        };
        let clock = &self.engine.world.clock;
        let caller = match self
            .access
            .caller(head, signed, client, signature::SERVICE, clock)
        {
            Ok(caller) => caller,
            Err(error) => return refused(head, format, body, error).of(entry),
        };
        let context = Context::new(self.engine.clone(), caller.scope, caller.requester);
        match entry.call(context, body.clone(), format).await {
            Ok(Answer::Whole(body, permit)) => Reply::done(format, body).holding(permit).of(entry),
            Ok(Answer::Lost) => Reply::closing_connection().of(entry),
            Ok(Answer::Events(events)) => Reply::events(format, events).of(entry),
            Err(error) => {
                let stream = named_stream(format, body);
                let note = unreadable_note(head, format, body, &error)
                    .or_else(|| mismatch_note(format, body, &error, entry));
                let reply = Reply::refused(format, error).of(entry);
                reply.about(stream).noting(note)
            }
        }
    }
}

/// Makes the refusal of a request whose operation was not run. The answer reports an unreadable
/// body if the body cannot be parsed, and otherwise `error`.
fn refused(head: &Parts, format: Format, body: &[u8], error: Error) -> Reply {
    let error = if wire::parses(format, body) {
        error
    } else {
        Error::unreadable()
    };
    let note = unreadable_note(head, format, body, &error)
        .or_else(|| target_note(head, format, error.kind));
    Reply::refused(format, error).noting(note)
}

/// Makes the refusal of a request from a web page that may not call the service.
fn refused_page(head: &Parts, is_preflight: bool) -> Reply {
    let origin = head.headers.get(ORIGIN).map(|origin| origin.as_bytes());
    let origin = String::from_utf8_lossy(origin.unwrap_or_default());
    let error = Error::origin_refused(&origin);
    if is_preflight {
        return Reply::preflight_refused(error);
    }
    let reply = Reply::refused(refusal_format(head), error);
    match Target::of(head).entry() {
        Some(entry) => reply.of(entry),
        None => reply,
    }
}

/// The reason why the body cannot be parsed, for the log. The log needs this reason, because the
/// service's error does not contain it. None if `error` is not about an unreadable body, or if the
/// log leaves out warnings.
fn unreadable_note(head: &Parts, format: Format, body: &[u8], error: &Error) -> Option<String> {
    if !tracing::enabled!(tracing::Level::WARN)
        || error.kind != Kind::SerializationException
        || error.message.is_some()
    {
        return None;
    }
    if let Some(encoding) = head.headers.get(CONTENT_ENCODING) {
        let encoding = String::from_utf8_lossy(encoding.as_bytes());
        return Some(format!(
            "bodies with Content-Encoding {encoding} are not supported"
        ));
    }
    wire::unreadable_reason(format, body)
}

/// The position in the body of the first value that has the wrong type, for the log. None if
/// `error` is not about the contents of the body, or if the log leaves out warnings.
fn mismatch_note(format: Format, body: &[u8], error: &Error, entry: &Entry) -> Option<String> {
    let is_logged = tracing::enabled!(tracing::Level::WARN);
    let path = (is_logged && error.kind == Kind::SerializationException)
        .then(|| wire::mismatch_path(format, body, entry.input))??;
    Some(match path.is_empty() {
        true => "in the root of the body".to_owned(),
        false => format!("at {path}"),
    })
}

/// The reason why a request does not name an operation of Kinesis, for the log. None if `kind` is
/// not the error for an unknown operation. Also None if the request names Kinesis and an operation,
/// because the answer already reports that this operation is unknown.
fn target_note(head: &Parts, format: Format, kind: Kind) -> Option<String> {
    if kind != Kind::UnknownOperationException {
        return None;
    }
    match Target::in_format(head, format) {
        Target {
            service: "",
            operation: "",
        } if format == Format::RpcV2Cbor => Some(format!(
            "the request names no operation: its path does not end with \
             /service/{SERVICE}/operation/NAME"
        )),
        Target { service: "", .. } => Some(Unroutable::NoTarget.note().to_owned()),
        Target {
            service,
            operation: "",
        } => Some(format!(
            "the target {service} names no operation: it is not written as {SERVICE}.NAME"
        )),
        Target {
            service: SERVICE, ..
        } => None,
        Target { service, .. } => Some(format!(
            "the request is for another service: {service} and not {SERVICE}"
        )),
    }
}

fn empty_body(head: &Parts, content: Content) -> Reply {
    let format = if content == Content::Known(Format::Json) {
        Format::Json
    } else {
        Format::Cbor
    };
    let error = if Target::of(head).entry().is_some() {
        Error::unreadable()
    } else {
        Error::unknown_operation()
    };
    let note = target_note(head, format, error.kind);
    Reply::refused(format, error).noting(note)
}

/// Makes the answer in XML that the service gives to a request that it cannot route. If the
/// signature is missing or incomplete, the answer reports this error and not the missing or wrong
/// operation.
fn unroutable(head: &Parts) -> Reply {
    if let Err(error) = credential(head, Authentication::Structure) {
        return Reply::unroutable(Unroutable::Refused(error));
    }
    let target = Target::of(head);
    Reply::unroutable(match (target.service, target.operation) {
        ("", _) | (_, "") => Unroutable::NoTarget,
        (SERVICE, operation) if Entry::find(operation).is_some() => Unroutable::UnknownFormat,
        (SERVICE, _) => Unroutable::UnknownOperation,
        (service, operation) => Unroutable::OtherService {
            service: service.to_owned(),
            operation: operation.to_owned(),
        },
    })
}

/// The name of the stream that a refused request names, for the log. None if the log leaves out
/// warnings.
fn named_stream(format: Format, body: &[u8]) -> Option<String> {
    let is_logged = tracing::enabled!(tracing::Level::WARN);
    is_logged.then(|| operation::named_stream(format, body))?
}
