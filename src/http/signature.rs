//! Verifies the signatures of requests (Signature Version 4).
//!
//! A request is refused if any byte that its signature covers was changed. Headers that the
//! signature does not cover are not checked. Clients sign different sets of headers, and the
//! service requires only that the host header is signed.

mod canonical;
mod date;
mod parts;

use crate::error::Error;
use crate::limits;
use crate::lock::Lock;
use crate::options::{Credential, Secret};
use crate::world::Timestamp;
use date::SignatureDate;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::http::request::Parts;
use parts::SignatureParts;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The only signing algorithm that the service accepts.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The names of the host header, one of which must be signed. HTTP/2 sends the host in
/// `:authority`.
const HOSTS: [&str; 2] = ["host", ":authority"];
/// The name of Kinesis in the credential scope of a request's signature.
pub(super) const SERVICE: &str = "kinesis";
/// The last part of every credential scope.
const TERMINATOR: &str = "aws4_request";

/// Verifies signatures against the known credentials.
#[derive(Debug)]
pub(super) struct Verifier {
    credentials: Vec<Credential>,
    /// A cache of the signing keys that were used last, the least recently used first. Deriving a
    /// signing key costs more than checking a signature.
    keys: Lock<Vec<SigningKey>>,
}

/// The signing key that is derived from a secret key for one day, one region and one service.
#[derive(Clone)]
struct SigningKey {
    access_key: String,
    date: String,
    region: String,
    service: String,
    key: Hmac<Sha256>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

/// The parts of a credential, `key/date/region/service/aws4_request`.
struct CredentialScope<'a> {
    access_key: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    terminator: &'a str,
}

impl Verifier {
    pub(super) fn new(credentials: Vec<Credential>) -> Self {
        Self {
            credentials,
            keys: Lock::default(),
        }
    }

    /// Checks the signature of a request to Kinesis, as [`Self::check_for`] does.
    #[cfg(test)]
    fn check(&self, head: &Parts, body: &[u8], now: Timestamp) -> Result<(), Error> {
        self.check_for(SERVICE, head, body, now)
    }

    /// Checks the signature of a request to `service`. `now` is the time of the machine's clock,
    /// which bounds the age of the signature.
    pub(super) fn check_for(
        &self,
        service: &'static str,
        head: &Parts,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Error> {
        let parts = SignatureParts::of(head).ok_or_else(Error::unsigned)?;
        let scoped = CredentialScope::of(&parts.credential)?;
        let date = signed_date(&parts, &scoped, service, now)?;
        let credential = self.find(scoped.access_key, parts.token.as_deref());
        let credential = credential.ok_or_else(Error::unrecognized_client)?;
        let key = self.key(credential, &scoped);
        let calculated = string_to_sign(head, body, &parts, &scoped, &date)
            .map(|to_sign| hex(&mac(key, to_sign.as_bytes())));
        match calculated {
            Some(calculated) if is_equal(&calculated, &parts.signature) => Ok(()),
            _ => Err(Error::signature_differs()),
        }
    }

    /// Finds the credential with the access key `access_key`. None if no credential has this access
    /// key, or if the session token of the credential differs from `token`.
    fn find(&self, access_key: &str, token: Option<&str>) -> Option<&Credential> {
        let found = self
            .credentials
            .iter()
            .find(|known| known.key == access_key)?;
        let known = match (&found.token, token) {
            (None, None) => true,
            (Some(known), Some(token)) => is_equal(known.expose(), token),
            _ => false,
        };
        known.then_some(found)
    }

    fn key(&self, credential: &Credential, scoped: &CredentialScope<'_>) -> Hmac<Sha256> {
        let mut keys = self.keys.lock();
        let found = keys.iter().position(|key| {
            key.access_key == scoped.access_key
                && key.date == scoped.date
                && key.region == scoped.region
                && key.service == scoped.service
        });
        let key = match found {
            Some(at) => keys.remove(at),
            None => SigningKey {
                access_key: scoped.access_key.to_owned(),
                date: scoped.date.to_owned(),
                region: scoped.region.to_owned(),
                service: scoped.service.to_owned(),
                key: signing_key(&credential.secret, scoped),
            },
        };
        if keys.len() == limits::SIGNING_KEYS {
            keys.remove(0);
        }
        let ready = key.key.clone();
        keys.push(key);
        ready
    }
}

impl<'a> CredentialScope<'a> {
    fn of(credential: &'a str) -> Result<Self, Error> {
        let parts: Vec<&str> = credential.split('/').collect();
        let [access_key, date, region, service, terminator] = parts[..] else {
            return Err(Error::misshapen_credential(credential));
        };
        Ok(Self {
            access_key,
            date,
            region,
            service,
            terminator,
        })
    }

    /// Checks that the credential scope names the service `wanted` and the day of `date`. The
    /// region may be any text that is not empty.
    fn check(&self, wanted: &'static str, date: &SignatureDate) -> Result<(), Error> {
        let Self {
            date: said,
            region,
            service,
            terminator,
            ..
        } = self;
        let mut wrong = String::new();
        if region.is_empty() {
            wrong.push_str("Credential should be scoped to a valid region, not ''. ");
        }
        if *service != wanted {
            wrong.push_str(&format!(
                "Credential should be scoped to correct service: '{wanted}'. "
            ));
        }
        if *terminator != TERMINATOR {
            wrong.push_str(&format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}', not \
                 '{terminator}'. "
            ));
        }
        let (day, text) = (date.day(), &date.text);
        if *said != day {
            wrong.push_str(&format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP: '{said}' != '{day}', from '{text}'."
            ));
        }
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(Error::misscoped(wrong))
        }
    }
}

/// Makes all checks of a signature that need no signing key, and returns the signature's date.
fn signed_date(
    parts: &SignatureParts,
    scoped: &CredentialScope<'_>,
    service: &'static str,
    now: Timestamp,
) -> Result<SignatureDate, Error> {
    let mut signed = parts.signed_headers.split(';');
    if !signed.any(|name| HOSTS.iter().any(|host| name.eq_ignore_ascii_case(host))) {
        return Err(Error::host_unsigned());
    }
    if parts.algorithm != ALGORITHM {
        return Err(Error::unsupported_algorithm(&parts.algorithm));
    }
    let date = SignatureDate::parse(&parts.date, parts.in_date_header)
        .ok_or_else(|| Error::misshapen_date(&parts.date))?;
    scoped.check(service, &date)?;
    date.check_age(now, parts.expires_s)?;
    Ok(date)
}

/// The text that the client must have signed for this request (the string to sign). None if the
/// request lacks a signed header, or if its header `x-amz-content-sha256` differs from the hash of
/// the body.
fn string_to_sign(
    head: &Parts,
    body: &[u8],
    parts: &SignatureParts,
    scoped: &CredentialScope<'_>,
    date: &SignatureDate,
) -> Option<String> {
    let body_hash = hex(&Sha256::digest(body));
    let mut named = head.headers.get_all("x-amz-content-sha256").iter();
    if named.any(|named| named.as_bytes() != body_hash.as_bytes()) {
        return None;
    }
    let hash = hex(&Sha256::digest(canonical::request(
        head, parts, &body_hash,
    )?));
    let CredentialScope {
        date: day,
        region,
        service,
        ..
    } = scoped;
    let text = &date.text;
    Some(format!(
        "{ALGORITHM}\n{text}\n{day}/{region}/{service}/{TERMINATOR}\n{hash}"
    ))
}

fn signing_key(secret: &Secret, scoped: &CredentialScope<'_>) -> Hmac<Sha256> {
    let mut key = keyed(format!("AWS4{}", secret.expose()).as_bytes());
    for part in [scoped.date, scoped.region, scoped.service, TERMINATOR] {
        key = keyed(&mac(key, part.as_bytes()));
    }
    key
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key may have any length")
}

fn mac(mut key: Hmac<Sha256>, text: &[u8]) -> impl AsRef<[u8]> + std::ops::Deref<Target = [u8]> {
    key.update(text);
    key.finalize().into_bytes()
}

/// True if the texts are equal. The comparison takes the same time for all texts of one length, so
/// that its duration discloses nothing about a secret.
pub(super) fn is_equal(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

#[cfg(test)]
mod tests;
