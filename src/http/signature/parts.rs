//! Reads the parts of a signature from the `Authorization` header or the query string.

use crate::http::credentials::{SigningQuery, algorithm, parameter};
use hyper::http::request::Parts;
use std::borrow::Cow;

/// The parts of a request's signature, such as the credential, the signed headers and the date.
#[derive(Debug)]
pub(super) struct SignatureParts {
    pub(super) algorithm: String,
    pub(super) credential: String,
    pub(super) signed_headers: String,
    pub(super) signature: String,
    pub(super) date: String,
    /// True if the date comes from the `Date` header, whose format differs from that of
    /// `X-Amz-Date`.
    pub(super) in_date_header: bool,
    pub(super) token: Option<String>,
    /// The lifetime that a presigned request claims, in seconds after its date.
    pub(super) expires_s: Option<i64>,
    /// True if the signature is in the query string.
    pub(super) in_query: bool,
}

impl SignatureParts {
    /// Reads the parts of a request's signature. None if a part is missing.
    pub(super) fn of(head: &Parts) -> Option<Self> {
        match head.headers.get("authorization") {
            Some(header) => Self::of_header(head, header.as_bytes()),
            None => Self::of_query(head, &SigningQuery::of(head)?),
        }
    }

    fn of_header(head: &Parts, header: &[u8]) -> Option<Self> {
        let value = |name| parameter(header, name).map(Cow::into_owned);
        let date = text_of(head, "x-amz-date");
        let in_date_header = date.is_none();
        Some(Self {
            algorithm: algorithm(header).into_owned(),
            credential: value("Credential")?,
            signed_headers: value("SignedHeaders")?,
            signature: value("Signature")?,
            date: date.or_else(|| text_of(head, "date"))?,
            in_date_header,
            token: text_of(head, "x-amz-security-token"),
            expires_s: None,
            in_query: false,
        })
    }

    fn of_query(head: &Parts, query: &SigningQuery<'_>) -> Option<Self> {
        let value = |name| query.value(name).map(|value| value.clone().into_owned());
        let token = value("X-Amz-Security-Token");
        Some(Self {
            algorithm: value("X-Amz-Algorithm")?,
            credential: value("X-Amz-Credential")?,
            signed_headers: value("X-Amz-SignedHeaders")?,
            signature: value("X-Amz-Signature")?,
            date: value("X-Amz-Date")?,
            in_date_header: false,
            token: token.or_else(|| text_of(head, "x-amz-security-token")),
            expires_s: value("X-Amz-Expires").and_then(|text| text.parse().ok()),
            in_query: true,
        })
    }
}

fn text_of(head: &Parts, name: &str) -> Option<String> {
    let value = head.headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}
