//! The pieces of a signature, from the header or from the query.

use crate::http::credentials::{Query, algorithm, piece};
use hyper::http::request::Parts;
use std::borrow::Cow;

/// What a request says about its signature, in the service's words.
#[derive(Debug)]
pub(super) struct Pieces {
    pub(super) algorithm: String,
    pub(super) credential: String,
    pub(super) signed_headers: String,
    pub(super) signature: String,
    pub(super) date: String,
    /// Whether the date is that of the `Date` header, which has a form of its own.
    pub(super) in_own_words: bool,
    pub(super) token: Option<String>,
    /// After how many seconds the request is void, if it says so.
    pub(super) expires_s: Option<i64>,
    /// Whether it stands in the query, of which the signature itself is then no part.
    pub(super) in_query: bool,
}

impl Pieces {
    /// The pieces of a request that has them all.
    pub(super) fn of(head: &Parts) -> Option<Self> {
        match head.headers.get("authorization") {
            Some(header) => Self::of_header(head, header.as_bytes()),
            None => Self::of_query(head, &Query::of(head)?),
        }
    }

    fn of_header(head: &Parts, header: &[u8]) -> Option<Self> {
        let said = |name| piece(header, name).map(Cow::into_owned);
        let date = text_of(head, "x-amz-date");
        let in_own_words = date.is_none();
        Some(Self {
            algorithm: algorithm(header).into_owned(),
            credential: said("Credential")?,
            signed_headers: said("SignedHeaders")?,
            signature: said("Signature")?,
            date: date.or_else(|| text_of(head, "date"))?,
            in_own_words,
            token: text_of(head, "x-amz-security-token"),
            expires_s: None,
            in_query: false,
        })
    }

    fn of_query(head: &Parts, query: &Query<'_>) -> Option<Self> {
        let said = |name| query.value(name).map(|value| value.clone().into_owned());
        let token = said("X-Amz-Security-Token");
        Some(Self {
            algorithm: said("X-Amz-Algorithm")?,
            credential: said("X-Amz-Credential")?,
            signed_headers: said("X-Amz-SignedHeaders")?,
            signature: said("X-Amz-Signature")?,
            date: said("X-Amz-Date")?,
            in_own_words: false,
            token: token.or_else(|| text_of(head, "x-amz-security-token")),
            expires_s: said("X-Amz-Expires").and_then(|text| text.parse().ok()),
            in_query: true,
        })
    }
}

fn text_of(head: &Parts, name: &str) -> Option<String> {
    let value = head.headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}
