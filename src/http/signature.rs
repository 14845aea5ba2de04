//! Whether a request is signed by somebody who may come in: Signature Version 4, verified.
//!
//! What the signature covers is refused when one byte of it changes. What it does not cover is not
//! looked at: clients sign different sets of headers, and the service asks for the host only.

mod canonical;
mod moment;
mod pieces;

use crate::error::Error;
use crate::limits;
use crate::lock::Lock;
use crate::options::{Credential, Secret};
use crate::world::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::http::request::Parts;
use moment::Moment;
use pieces::Pieces;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The only way of signing that is understood.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// One of these has to be signed: HTTP/2 has a name of its own for the host.
const HOSTS: [&str; 2] = ["host", ":authority"];
/// What a credential's scope has to name.
const SERVICE: &str = "kinesis";
/// What it has to end with.
const TERMINATOR: &str = "aws4_request";

/// Knows who may come in.
#[derive(Debug)]
pub(super) struct Verifier {
    credentials: Vec<Credential>,
    /// Those used last, oldest first: making one takes longer than the signature itself.
    keys: Lock<Vec<SigningKey>>,
}

/// What one access key signs with on one day in one region.
#[derive(Clone)]
struct SigningKey {
    access_key: String,
    date: String,
    region: String,
    key: Hmac<Sha256>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

/// `key/date/region/service/aws4_request`, taken apart.
struct Scoped<'a> {
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

    /// Checks the signature of a request that has all its pieces, at the machine's time `now`.
    pub(super) fn check(&self, head: &Parts, body: &[u8], now: Timestamp) -> Result<(), Error> {
        let pieces = Pieces::of(head).ok_or_else(Error::unsigned)?;
        let scoped = Scoped::of(&pieces.credential)?;
        let date = usable(&pieces, &scoped, now)?;
        let credential = self.find(scoped.access_key, pieces.token.as_deref());
        let credential = credential.ok_or_else(Error::unrecognized_client)?;
        let key = self.key(credential, &scoped);
        let calculated = to_sign(head, body, &pieces, &scoped, &date)
            .map(|to_sign| hex(&mac(key, to_sign.as_bytes())));
        match calculated {
            Some(calculated) if same(&calculated, &pieces.signature) => Ok(()),
            _ => Err(Error::signature_differs()),
        }
    }

    /// Who has this access key and brings this session token.
    fn find(&self, access_key: &str, token: Option<&str>) -> Option<&Credential> {
        let found = self
            .credentials
            .iter()
            .find(|known| known.key == access_key)?;
        let known = match (&found.token, token) {
            (None, None) => true,
            (Some(known), Some(token)) => same(known.expose(), token),
            _ => false,
        };
        known.then_some(found)
    }

    fn key(&self, credential: &Credential, scoped: &Scoped<'_>) -> Hmac<Sha256> {
        let mut keys = self.keys.lock();
        let found = keys.iter().position(|key| {
            key.access_key == scoped.access_key
                && key.date == scoped.date
                && key.region == scoped.region
        });
        let key = match found {
            Some(at) => keys.remove(at),
            None => SigningKey {
                access_key: scoped.access_key.to_owned(),
                date: scoped.date.to_owned(),
                region: scoped.region.to_owned(),
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

impl<'a> Scoped<'a> {
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

    /// Whether it is for this service on the day of `date`; any text is a region.
    fn check(&self, date: &Moment) -> Result<(), Error> {
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
        if *service != SERVICE {
            wrong.push_str(&format!(
                "Credential should be scoped to correct service: '{SERVICE}'. "
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

/// The date of a signature that says the right things about itself, whoever made it.
fn usable(pieces: &Pieces, scoped: &Scoped<'_>, now: Timestamp) -> Result<Moment, Error> {
    let mut signed = pieces.signed_headers.split(';');
    if !signed.any(|name| HOSTS.iter().any(|host| name.eq_ignore_ascii_case(host))) {
        return Err(Error::host_unsigned());
    }
    if pieces.algorithm != ALGORITHM {
        return Err(Error::unsupported_algorithm(&pieces.algorithm));
    }
    let date = Moment::read(&pieces.date, pieces.in_own_words)
        .ok_or_else(|| Error::misshapen_date(&pieces.date))?;
    scoped.check(&date)?;
    date.check_age(now, pieces.expires_s)?;
    Ok(date)
}

/// What the client has signed; none if that was not this request.
fn to_sign(
    head: &Parts,
    body: &[u8],
    pieces: &Pieces,
    scoped: &Scoped<'_>,
    date: &Moment,
) -> Option<String> {
    let body_hash = hex(&Sha256::digest(body));
    let mut told = head.headers.get_all("x-amz-content-sha256").iter();
    if told.any(|told| told.as_bytes() != body_hash.as_bytes()) {
        return None;
    }
    let hash = hex(&Sha256::digest(canonical::request(
        head, pieces, &body_hash,
    )?));
    let (text, day, region) = (&date.text, scoped.date, scoped.region);
    Some(format!(
        "{ALGORITHM}\n{text}\n{day}/{region}/{SERVICE}/{TERMINATOR}\n{hash}"
    ))
}

fn signing_key(secret: &Secret, scoped: &Scoped<'_>) -> Hmac<Sha256> {
    let mut key = keyed(format!("AWS4{}", secret.expose()).as_bytes());
    for part in [scoped.date, scoped.region, SERVICE, TERMINATOR] {
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

/// Compares in a time that does not tell where the difference is.
pub(super) fn same(one: &str, other: &str) -> bool {
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
