//! `POST /`: a request from its bytes to its reply, check by check in the service's order.

use super::Server;
use super::credentials::{access_key, credential};
use super::listen::Client;
use super::reply::{Coral, Reply, Unroutable};
use crate::error::{Error, Kind};
use crate::model::{AccountRegion, Principal};
use crate::operation::{Answer, Context, Entry, Requester};
use crate::options::Authentication;
use crate::wire::{self, Format};
use bytes::Bytes;
use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderName, ORIGIN};
use hyper::http::request::Parts;
use std::sync::Arc;

/// The only service there is.
const SERVICE: &str = "Kinesis_20131202";

/// Names service and operation.
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// What a request's content type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Known(Format),
    /// `application/json`, which is read and then always refused.
    PlainJson,
    Unknown,
}

/// Answers a request whose body is whole.
pub(super) async fn answer(
    server: &Arc<Server>,
    head: &Parts,
    body: &Bytes,
    client: Client,
) -> Reply {
    if head.method == Method::OPTIONS && head.headers.contains_key(ORIGIN) {
        return Reply::preflight();
    }
    if head.method != Method::POST {
        return unroutable(head);
    }
    let target = Target::of(head);
    let content = Content::of(head);
    if body.is_empty() {
        let format = if content == Content::Known(Format::Json) {
            Format::Json
        } else {
            Format::Cbor
        };
        let known = target.entry().is_some();
        let error = if known {
            Error::unreadable()
        } else {
            Error::unknown_operation()
        };
        return Reply::refused(format, error);
    }
    match content {
        Content::Unknown => unroutable(head),
        Content::PlainJson if wire::parses(Format::Json, body) => {
            Reply::coral(Coral::UnknownOperation)
        }
        Content::PlainJson => Reply::coral(Coral::Serialization),
        Content::Known(format) => call(server, (head, client), body, format, target).await,
    }
}

/// Looks at the target, then at the credentials, then runs the operation. Where one of the first
/// two is to be refused, a body that is no structure is refused before it.
async fn call(
    server: &Arc<Server>,
    (head, client): (&Parts, Client),
    body: &Bytes,
    format: Format,
    target: Target<'_>,
) -> Reply {
    let refused = |error| {
        let error = if wire::parses(format, body) {
            error
        } else {
            Error::unreadable()
        };
        Reply::refused(format, error)
    };
    let Some(entry) = target.entry() else {
        return refused(Error::unknown_operation());
    };
    let (caller, requester) = match caller(server, head, body, client) {
        Ok(told) => told,
        Err(error) => return refused(error).of(entry),
    };
    let context = Context {
        engine: server.engine.clone(),
        caller,
        requester,
    };
    match entry.call(context, body.clone(), format).await {
        Ok(Answer::Whole(body, share)) => Reply::done(format, body).holding(share).of(entry),
        Ok(Answer::Events(events)) => Reply::events(events).of(entry),
        Err(error) => Reply::refused(format, error).of(entry).about(format, body),
    }
}

/// Whose request it is, if it may come in. The age of a signature is that of the machine's clock:
/// clients sign by theirs, whatever time the service plays.
fn caller(
    server: &Server,
    head: &Parts,
    body: &[u8],
    client: Client,
) -> Result<(AccountRegion, Option<Requester>), Error> {
    let credential = credential(head, server.authentication)?;
    if let Some(verifier) = &server.verifier {
        verifier.check(head, body, server.engine.world.clock.wall_time())?;
    }
    let credential = credential.as_deref();
    let Some(identities) = &server.identities else {
        return Ok((server.scopes.of(credential, None), None));
    };
    let known = identities.find(access_key(credential));
    let scope = server
        .scopes
        .of(credential, known.map(|known| known.account()));
    // A key that the policies do not name is its account's own.
    let root = || Arc::new(Principal::root(scope.account, scope.region.partition()));
    let requester = Requester {
        principal: known.cloned().unwrap_or_else(root),
        address: client.address.ip(),
        over_tls: client.over_tls,
    };
    Ok((scope, Some(requester)))
}

/// What to answer when neither format is known: XML, and first of all about the signature.
fn unroutable(head: &Parts) -> Reply {
    if let Err(error) = credential(head, Authentication::Structure) {
        return Reply::unroutable(Unroutable::Refused(error));
    }
    let target = Target::of(head);
    Reply::unroutable(match (target.service, target.operation) {
        ("", _) | (_, "") => Unroutable::NoTarget,
        (SERVICE, operation) if Entry::find(operation).is_some() => Unroutable::NotHere,
        (SERVICE, _) => Unroutable::Failed,
        (service, operation) => Unroutable::OtherService {
            service: service.to_owned(),
            operation: operation.to_owned(),
        },
    })
}

/// The operation that a request names, if there is one.
pub(super) fn named(head: &Parts) -> Option<&'static Entry> {
    Target::of(head).entry()
}

/// The two parts of the target header; further ones are ignored.
#[derive(Debug, Clone, Copy)]
struct Target<'a> {
    service: &'a str,
    operation: &'a str,
}

impl<'a> Target<'a> {
    fn of(head: &'a Parts) -> Self {
        let value = head.headers.get(TARGET);
        let value = value.and_then(|value| value.to_str().ok());
        let mut rest = value.unwrap_or_default();
        let mut part = || {
            let end = rest.bytes().position(|byte| byte == b'.');
            let part = &rest[..end.unwrap_or(rest.len())];
            rest = rest.get(part.len() + 1..).unwrap_or_default();
            part
        };
        Self {
            service: part(),
            operation: part(),
        }
    }

    fn entry(self) -> Option<&'static Entry> {
        (self.service == SERVICE)
            .then(|| Entry::find(self.operation))
            .flatten()
    }
}

impl Content {
    fn of(head: &Parts) -> Self {
        let formats = [Format::Json, Format::Cbor];
        let value = head.headers.get(CONTENT_TYPE);
        let usual = |format: &Format| value.is_some_and(|value| value == format.content_type());
        if let Some(format) = formats.into_iter().find(usual) {
            return Self::Known(format);
        }
        let value = value.and_then(|value| value.to_str().ok());
        let value = value.unwrap_or_default().split(';').next();
        let value = value.unwrap_or_default().trim();
        let known = |format: &Format| value.eq_ignore_ascii_case(format.content_type());
        if let Some(format) = formats.into_iter().find(known) {
            return Self::Known(format);
        }
        let plain = value.eq_ignore_ascii_case("application/json");
        if plain {
            Self::PlainJson
        } else {
            Self::Unknown
        }
    }
}

impl Reply {
    /// Notes what an error was about, for the log.
    fn about(self, format: Format, body: &[u8]) -> Self {
        if !tracing::enabled!(tracing::Level::WARN) || self.is_kind(Kind::InternalFailure) {
            return self;
        }
        let names = ["StreamName", "StreamARN"];
        let stream = names
            .iter()
            .find_map(|name| wire::member_text(format, body, name));
        self.naming(stream)
    }
}
