//! Whose request it is: the signature's pieces, in the header or in the query.

use crate::error::Error;
use crate::limits;
use crate::lock::Lock;
use crate::model::{AccountId, AccountRegion, Region};
use crate::options::Authentication;
use hyper::header::{AUTHORIZATION, DATE, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use memchr::memchr2_iter;
use std::borrow::Cow;

/// Clients may give a date in a header of AWS's own.
const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");

/// Checks that a request brings what a signature needs, and gives the credential, if there is one.
pub(super) fn credential(
    head: &Parts,
    mode: Authentication,
) -> Result<Option<Cow<'_, str>>, Error> {
    let header = head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let query = Query::of(head);
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
    let found = pieces(header, names);
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
    Ok(found[0].map(String::from_utf8_lossy))
}

/// The value of a piece of the header, as [`pieces`] finds it.
pub(super) fn piece<'a>(header: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    pieces(header, [name])[0].map(String::from_utf8_lossy)
}

/// The values of pieces of the header: `key=value`, set apart by commas and blanks, behind the
/// algorithm. The first of a name counts; an empty one counts as missing.
fn pieces<'a, const COUNT: usize>(
    header: &'a [u8],
    names: [&str; COUNT],
) -> [Option<&'a [u8]>; COUNT] {
    let mut found = [None; COUNT];
    for word in words(header).skip(1) {
        for (name, value) in names.iter().zip(&mut found) {
            let said = || word.strip_prefix(name.as_bytes())?.strip_prefix(b"=");
            *value = value.or_else(said);
        }
    }
    found.map(|value| value.filter(|value| !value.is_empty()))
}

/// What stands before the header's pieces.
pub(super) fn algorithm(header: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(words(header).next().unwrap_or_default())
}

/// What commas and blanks set apart; every request pays for it.
fn words(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr2_iter(b',', b' ', header).chain([header.len()]);
    let mut start = 0;
    let word = ends.map(move |end| &header[std::mem::replace(&mut start, end + 1)..end]);
    word.filter(|word| !word.is_empty())
}

/// The query parameters that sign a request.
pub(super) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// In the order in which missing ones are told.
const QUERY_PIECES: [&str; 5] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
    "X-Amz-Date",
];

impl<'a> Query<'a> {
    /// The query, if it says that it signs.
    pub(super) fn of(head: &'a Parts) -> Option<Self> {
        let query = head.uri.query()?;
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        pairs
            .iter()
            .any(|(name, _)| name == QUERY_PIECES[0])
            .then_some(Self(pairs))
    }

    /// The value of a parameter. An empty one counts as missing.
    pub(super) fn value(&self, name: &str) -> Option<&Cow<'a, str>> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty())
    }
}

fn signed_by_query(query: Query<'_>, mode: Authentication) -> Result<Option<Cow<'_, str>>, Error> {
    let missing = QUERY_PIECES
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

/// The access key of a credential.
pub(super) fn access_key(credential: Option<&str>) -> &str {
    let mut parts = credential.unwrap_or_default().split('/');
    parts.next().unwrap_or_default()
}

/// Turns credentials into scopes. Those of the last few are kept, since most requests of a client
/// have the same one.
#[derive(Debug)]
pub(super) struct Scopes {
    configured: AccountRegion,
    recent: Lock<Vec<Recent>>,
}

/// What a credential came to.
#[derive(Debug)]
struct Recent {
    credential: Box<str>,
    known: Option<AccountId>,
    scope: AccountRegion,
}

impl Scopes {
    pub(super) fn new(configured: AccountRegion) -> Self {
        Self {
            configured,
            recent: Lock::default(),
        }
    }

    /// The scope of `key/date/region/service/aws4_request`. Unless the key's account is `known`, a
    /// key of twelve digits is an account of its own; any text is a region.
    pub(super) fn of(&self, credential: Option<&str>, known: Option<AccountId>) -> AccountRegion {
        let text = credential.unwrap_or_default();
        let mut recent = self.recent.lock();
        let is_it = |recent: &&Recent| *recent.credential == *text && recent.known == known;
        if let Some(recent) = recent.iter().find(is_it) {
            return recent.scope.clone();
        }
        let scope = self.told(credential, known);
        if text.len() <= limits::RECENT_SCOPE_BYTES {
            if recent.len() == limits::RECENT_SCOPES {
                recent.remove(0);
            }
            recent.push(Recent {
                credential: text.into(),
                known,
                scope: scope.clone(),
            });
        }
        scope
    }

    fn told(&self, credential: Option<&str>, known: Option<AccountId>) -> AccountRegion {
        let account = known
            .or_else(|| AccountId::parse(access_key(credential)))
            .unwrap_or(self.configured.account);
        let mut parts = credential.unwrap_or_default().split('/');
        let region = parts.nth(2).filter(|region| !region.is_empty());
        let region = region.map_or_else(|| self.configured.region.clone(), Region::new);
        AccountRegion { account, region }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_stand_in_any_order_between_commas_and_blanks() {
        for header in [
            "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c",
            "AWS4- Signature=c Credential=a SignedHeaders=b",
            "x Signature=c,Credential=a,,SignedHeaders=b",
        ] {
            let said = |name| piece(header.as_bytes(), name).unwrap_or_default();
            assert_eq!(said("Credential"), "a");
            assert_eq!(said("Signature"), "c");
            assert_eq!(said("SignedHeaders"), "b");
        }
        let none = piece(b"Credential=a", "Credential");
        assert_eq!(none, None, "the first token is skipped");
        assert_eq!(piece(b"x Credential=", "Credential"), None);
        assert_eq!(piece(b"", "Credential"), None);
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
        let known = AccountId::parse("000000000007");
        let scope = scopes.of(Some("AKIA/20260101/mars-1"), known);
        assert_eq!(scope.to_string(), "000000000007/mars-1");
        assert_ne!(text(Some("AKIA/20260101/mars-1")), "000000000007/mars-1");
    }
}
