//! Reads the credential of a request from the `Authorization` header or the query string. Finds the
//! account and region that a credential names.

use crate::error::Error;
use crate::limits;
use crate::lock::Lock;
use crate::model::{AccountId, AccountRegion, Region};
use crate::options::Authentication;
use hyper::header::{AUTHORIZATION, DATE, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use memchr::memchr2_iter;
use std::borrow::Cow;

/// The header of AWS for the date of a signature. Clients may send this header instead of `Date`.
const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");

/// Checks that a request has all parts of a signature, and returns the credential in the signature.
/// With `--auth off`, parts may be missing, and the result is None if there is no credential.
pub(super) fn credential(
    head: &Parts,
    mode: Authentication,
) -> Result<Option<Cow<'_, str>>, Error> {
    let header = head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let query = SigningQuery::of(head);
    match (header, query) {
        (Some(_), Some(_)) if mode != Authentication::Off => Err(Error::signed_twice()),
        (Some(header), _) => signed_by_header(head, header, mode),
        (None, Some(query)) => signed_by_query(query, mode),
        (None, None) if mode == Authentication::Off => Ok(None),
        (None, None) => Err(Error::unsigned()),
    }
}

fn signed_by_header<'a>(
    head: &Parts,
    header: &'a [u8],
    mode: Authentication,
) -> Result<Option<Cow<'a, str>>, Error> {
    let names = ["Credential", "Signature", "SignedHeaders"];
    let found = parameters(header, names);
    let dated = || head.headers.contains_key(AMZ_DATE) || head.headers.contains_key(DATE);
    if mode != Authentication::Off && (found.contains(&None) || !dated()) {
        let missing = names.iter().zip(found).filter(|(_, found)| found.is_none());
        let mut missing: String = missing
            .map(|(name, _)| format!("Authorization header requires '{name}' parameter. "))
            .collect();
        if !dated() {
            missing.push_str(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' \
                 header. ",
            );
        }
        return Err(Error::incompletely_signed(format!(
            "{missing}Authorization={}",
            String::from_utf8_lossy(header)
        )));
    }
    Ok(found[0].map(text))
}

/// The value of the parameter `name` in an `Authorization` header. None if the parameter is missing
/// or empty.
pub(super) fn parameter<'a>(header: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    parameters(header, [name])[0].map(text)
}

/// The text of `bytes`, with a replacement character for each invalid part. `from_utf8_lossy` alone
/// takes 400 instructions more for a valid credential (measured).
fn text(bytes: &[u8]) -> Cow<'_, str> {
    let valid = std::str::from_utf8(bytes).map(Cow::Borrowed);
    valid.unwrap_or_else(|_| String::from_utf8_lossy(bytes))
}

/// The values of the parameters `names` in an `Authorization` header. The header consists of the
/// algorithm and of parameters `name=value`, separated by commas or blanks. If a name occurs twice,
/// its first value counts. An empty value counts as missing.
fn parameters<'a, const COUNT: usize>(
    header: &'a [u8],
    names: [&str; COUNT],
) -> [Option<&'a [u8]>; COUNT] {
    let mut found = [None; COUNT];
    for word in words(header).skip(1) {
        for (name, value) in names.iter().zip(&mut found) {
            let named = || word.strip_prefix(name.as_bytes())?.strip_prefix(b"=");
            *value = value.or_else(named);
        }
    }
    found.map(|value| value.filter(|value| !value.is_empty()))
}

/// The signing algorithm, which is the first word of an `Authorization` header.
pub(super) fn algorithm(header: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(words(header).next().unwrap_or_default())
}

/// Splits an `Authorization` header at commas and blanks, and leaves out empty words. Uses memchr
/// because this function runs for every request.
fn words(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr2_iter(b',', b' ', header).chain([header.len()]);
    let mut start = 0;
    let word = ends.map(move |end| &header[std::mem::replace(&mut start, end + 1)..end]);
    word.filter(|word| !word.is_empty())
}

/// The query parameters of a presigned request: a request with its signature in the query string.
pub(super) struct SigningQuery<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// The query parameters that a presigned request must have, in the order in which the service's
/// error lists missing parameters.
const QUERY_PARAMETERS: [&str; 5] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
    "X-Amz-Date",
];

impl<'a> SigningQuery<'a> {
    /// The query parameters of a request. None if no parameter names a signing algorithm.
    pub(super) fn of(head: &'a Parts) -> Option<Self> {
        let query = head.uri.query()?;
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        pairs
            .iter()
            .any(|(name, _)| name == QUERY_PARAMETERS[0])
            .then_some(Self(pairs))
    }

    /// The value of the query parameter `name`. None if the parameter is missing or empty.
    pub(super) fn value(&self, name: &str) -> Option<&Cow<'a, str>> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty())
    }
}

fn signed_by_query(
    query: SigningQuery<'_>,
    mode: Authentication,
) -> Result<Option<Cow<'_, str>>, Error> {
    let missing = QUERY_PARAMETERS
        .iter()
        .filter(|name| query.value(name).is_none());
    let mut missing: String = missing
        .map(|name| format!("AWS query-string parameters must include '{name}'. "))
        .collect();
    if !missing.is_empty() && mode != Authentication::Off {
        missing.push_str("Re-examine the query-string parameters.");
        return Err(Error::incompletely_signed(missing));
    }
    Ok(query.value("X-Amz-Credential").cloned())
}

/// The access key id, which is the first part of a credential. Empty if there is no credential.
pub(super) fn access_key(credential: Option<&str>) -> &str {
    let mut parts = credential.unwrap_or_default().split('/');
    parts.next().unwrap_or_default()
}

/// Finds the account and region that a credential names. Caches the results for the last few
/// credentials, because a client usually sends the same credential with every request.
#[derive(Debug)]
pub(super) struct Scopes {
    default: AccountRegion,
    recent: Lock<Vec<CachedScope>>,
}

/// A result in the cache: a credential, and the account and region that the credential names.
#[derive(Debug)]
struct CachedScope {
    credential: Box<str>,
    known: Option<AccountId>,
    scope: AccountRegion,
}

impl Scopes {
    pub(super) fn new(default: AccountRegion) -> Self {
        Self {
            default,
            recent: Lock::default(),
        }
    }

    /// The account and region of the credential `key/date/region/service/aws4_request`. The account
    /// is `known`, if given. Otherwise a key of twelve digits is the id of the account, and any
    /// other key means the default account. The region may be any text of 1 to 64 bytes. A longer
    /// text means the default region, because the names of regions occupy memory and disk. This
    /// default is a choice.
    pub(super) fn of(&self, credential: Option<&str>, known: Option<AccountId>) -> AccountRegion {
        let text = credential.unwrap_or_default();
        let mut recent = self.recent.lock();
        let is_same = |recent: &&CachedScope| *recent.credential == *text && recent.known == known;
        if let Some(recent) = recent.iter().find(is_same) {
            return recent.scope.clone();
        }
        let scope = self.named(credential, known);
        if text.len() <= limits::RECENT_SCOPE_BYTES {
            if recent.len() == limits::RECENT_SCOPES {
                recent.remove(0);
            }
            recent.push(CachedScope {
                credential: text.into(),
                known,
                scope: scope.clone(),
            });
        }
        scope
    }

    fn named(&self, credential: Option<&str>, known: Option<AccountId>) -> AccountRegion {
        let account = known
            .or_else(|| AccountId::parse(access_key(credential)))
            .unwrap_or(self.default.account);
        let mut parts = credential.unwrap_or_default().split('/');
        let is_region = |name: &&str| (1..=limits::REGION_CHARACTERS).contains(&name.len());
        let region = parts.nth(2).filter(is_region);
        let region = region.map_or_else(|| self.default.region.clone(), Region::new);
        AccountRegion { account, region }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_stand_in_any_order_between_commas_and_blanks() {
        for header in [
            "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c",
            "AWS4- Signature=c Credential=a SignedHeaders=b",
            "x Signature=c,Credential=a,,SignedHeaders=b",
        ] {
            let value = |name| parameter(header.as_bytes(), name).unwrap_or_default();
            assert_eq!(value("Credential"), "a");
            assert_eq!(value("Signature"), "c");
            assert_eq!(value("SignedHeaders"), "b");
        }
        let none = parameter(b"Credential=a", "Credential");
        assert_eq!(none, None, "the first token is skipped");
        assert_eq!(parameter(b"x Credential=", "Credential"), None);
        assert_eq!(parameter(b"", "Credential"), None);
        assert_eq!(algorithm(b" ,AWS4- x=y"), "AWS4-");
    }

    #[test]
    fn twelve_digits_are_an_account_and_anything_is_a_region() {
        let account = AccountId::default();
        let scopes = Scopes::new(AccountRegion {
            account,
            region: Region::new("us-east-1"),
        });
        let text = |credential| scopes.of(credential, None).to_string();
        let other = text(Some("123456789012/20260101/mars-1/kinesis/aws4_request"));
        assert!(
            other.contains("123456789012") && other.contains("mars-1"),
            "{other}"
        );
        let configured = text(None);
        assert_eq!(text(Some("AKIA")), configured);
        assert_eq!(text(Some("AKIA/20260101/us-east-1")), configured);
        let long = |bytes| format!("AKIA/20260101/{}", "r".repeat(bytes));
        let (longest, longer) = (long(64), long(65));
        assert_ne!(text(Some(&longest)), configured);
        assert_eq!(text(Some(&longer)), configured);
        let known = AccountId::parse("000000000007");
        let scope = scopes.of(Some("AKIA/20260101/mars-1"), known);
        assert_eq!(scope.to_string(), "000000000007/mars-1");
        assert_ne!(text(Some("AKIA/20260101/mars-1")), "000000000007/mars-1");
    }
}
