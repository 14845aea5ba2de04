//! Finds the operation and the format that the head of a request names.
//!
//! The JSON and CBOR protocols of AWS name the operation in the header `X-Amz-Target`. Smithy RPC
//! v2 CBOR names the operation at the end of the path, `/service/Kinesis_20131202/operation/NAME`,
//! after any prefix.

use crate::operation::Entry;
use crate::wire::Format;
use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderName};
use hyper::http::request::Parts;

/// The name of the Kinesis API. A request contains this name next to the name of the operation.
pub(super) const SERVICE: &str = "Kinesis_20131202";

/// The header that names the AWS service and the operation in the JSON and CBOR protocols of AWS.
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// The header that names the protocol in requests and answers of Smithy's RPC v2 protocols.
pub(super) const PROTOCOL: HeaderName = HeaderName::from_static("smithy-protocol");

/// The value of the header [`PROTOCOL`] for the protocol RPC v2 CBOR.
pub(super) const RPC_V2_CBOR: &str = "rpc-v2-cbor";

/// True for a request in the protocol RPC v2 CBOR. Smithy requires the header [`PROTOCOL`] in every
/// such request.
pub(super) fn is_rpc_v2(head: &Parts) -> bool {
    head.method == Method::POST
        && head
            .headers
            .get(PROTOCOL)
            .is_some_and(|protocol| protocol == RPC_V2_CBOR)
}

/// The names of the AWS service and the operation that a request calls. A name that the request
/// lacks is empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) service: &'a str,
    pub(super) operation: &'a str,
}

impl<'a> Target<'a> {
    pub(super) fn of(head: &'a Parts) -> Self {
        Self::in_protocol(head, is_rpc_v2(head))
    }

    /// Finds the names of the AWS service and the operation in a request of the given format.
    pub(super) fn in_format(head: &'a Parts, format: Format) -> Self {
        Self::in_protocol(head, format == Format::RpcV2Cbor)
    }

    fn in_protocol(head: &'a Parts, is_rpc_v2: bool) -> Self {
        if is_rpc_v2 {
            Self::in_path(head.uri.path())
        } else {
            Self::in_header(head)
        }
    }

    /// Reads the text `SERVICE.OPERATION` in the header `X-Amz-Target`. Ignores everything after a
    /// second dot.
    fn in_header(head: &'a Parts) -> Self {
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

    /// Reads the text `service/SERVICE/operation/OPERATION` at the end of a path.
    fn in_path(path: &'a str) -> Self {
        let mut segments = path.rsplit('/');
        let mut next = || segments.next().unwrap_or_default();
        let (operation, second, service, fourth) = (next(), next(), next(), next());
        if (fourth, second) == ("service", "operation") {
            Self { service, operation }
        } else {
            let (service, operation) = ("", "");
            Self { service, operation }
        }
    }

    /// The row of the called operation in the table of operations. None if Kinesis has no such
    /// operation.
    pub(super) fn entry(self) -> Option<&'static Entry> {
        (self.service == SERVICE)
            .then(|| Entry::find(self.operation))
            .flatten()
    }
}

/// The format that the content type of a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A format in which the service accepts requests.
    Known(Format),
    /// `application/json`, which the service parses and then always refuses.
    PlainJson,
    /// Any other content type, or no content type.
    Unknown,
}

impl Content {
    pub(super) fn of(head: &Parts) -> Self {
        if is_rpc_v2(head) {
            // A request with the header of RPC v2 may have any content type. This is a choice.
            return Self::Known(Format::RpcV2Cbor);
        }
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
        if value.eq_ignore_ascii_case("application/json") {
            Self::PlainJson
        } else {
            Self::Unknown
        }
    }
}

/// The format in which a request is refused before its body is read: the format that the request
/// names, or else JSON.
pub(super) fn refusal_format(head: &Parts) -> Format {
    if is_rpc_v2(head) {
        return Format::RpcV2Cbor;
    }
    let json = head.headers.get(CONTENT_TYPE).is_none_or(|value| {
        value
            .as_bytes()
            .starts_with(Format::Json.content_type().as_bytes())
    });
    if json { Format::Json } else { Format::Cbor }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_an_operation_behind_any_prefix() {
        fn named(path: &str) -> (&str, &str) {
            let Target { service, operation } = Target::in_path(path);
            (service, operation)
        }
        let put = ("Kinesis_20131202", "PutRecord");
        for prefix in ["", "/", "/prefix", "/a/b", "//service/x/operation/y"] {
            let path = format!("{prefix}/service/Kinesis_20131202/operation/PutRecord");
            assert_eq!(named(&path), put, "{path}");
        }
        for path in [
            "",
            "/",
            "/service/Kinesis_20131202/operation/PutRecord/",
            "/service/Kinesis_20131202/PutRecord",
            "/services/Kinesis_20131202/operation/PutRecord",
            "/Kinesis_20131202/operation/PutRecord",
        ] {
            assert_eq!(named(path), ("", ""), "{path}");
        }
    }
}
