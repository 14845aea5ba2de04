//! Signatures in the header and in the query: a request is admitted with a valid one only.
//!
//! An input is a line `method target`, lines `name: value`, and an empty line.

use super::server::Bed;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningParams, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Uri};
use minikin::Clock;
use minikin::internals::options::Credential;
use minikin::{Authentication, Secret};
use std::borrow::Cow;
use std::time::{Duration, UNIX_EPOCH};

const KEY: &str = "AKIDLASTING";
const SECRET: &str = "hush/lasting";
/// The body of every request, and one that was not signed.
const BODY: &[u8] = b"{}";
const OTHER_BODY: &[u8] = b"{ }";
/// The headers of a call to the emulator.
const OURS: [(&str, &str); 3] = [
    ("host", "localhost:4567"),
    ("x-amz-target", "Kinesis_20131202.ListStreams"),
    ("content-type", "application/x-amz-json-1.1"),
];
/// The headers that the signer adds itself.
const SIGNERS: [&str; 5] = [
    "authorization",
    "date",
    "x-amz-date",
    "x-amz-content-sha256",
    "x-amz-security-token",
];

thread_local! {
    /// Strict, usual and careless. Nothing is asked of them that they would remember.
    static BEDS: [Bed; 3] = {
        let credential = Credential {
            key: KEY.to_owned(),
            secret: Secret::from(SECRET),
            token: None,
        };
        [
            Bed::new(Authentication::Verify, vec![credential]),
            Bed::new(Authentication::Structure, Vec::new()),
            Bed::new(Authentication::Off, Vec::new()),
        ]
    };
}

/// Every head gets an answer, and a signature passes verification only if it is valid.
pub fn authorization(input: &[u8]) {
    let Some(head) = Head::read(input) else {
        return;
    };
    BEDS.with(|[verifying, structural, open]| {
        let came_in = |bed: &Bed| {
            let answer = bed.ask(head.request(BODY));
            let known = [200, 400, 403, 404].contains(&answer.status);
            assert!(known, "{answer:?}");
            // A browser that asks first is answered in any case, with nothing.
            answer.status == 200 && answer.content_type.is_some()
        };
        assert!(!came_in(verifying), "a signature was guessed");
        let structured = came_in(structural);
        assert!(
            !structured || came_in(open),
            "who is let in there is let in here"
        );
        if let Some(signed) = head.signed(crc32fast::hash(input).is_multiple_of(2)) {
            check_signed(verifying, &signed);
        }
    });
}

/// Checks that a request signed by the SDK is admitted, and refused with another body.
fn check_signed(bed: &Bed, head: &Head) {
    for (body, status) in [(BODY, 200), (OTHER_BODY, 400)] {
        let answer = bed.ask(head.request(body));
        assert_eq!(answer.status, status, "{head:?} {answer:?}");
    }
}

/// The parts of a request that are known before its body.
#[derive(Debug)]
struct Head {
    method: String,
    target: Uri,
    headers: Vec<(String, Vec<u8>)>,
}

impl Head {
    fn read(input: &[u8]) -> Option<Self> {
        let mut lines = input.split(|byte| *byte == b'\n');
        let (method, target) = str::from_utf8(lines.next()?).ok()?.split_once(' ')?;
        let mut headers = Vec::new();
        for line in lines.take_while(|line| !line.is_empty()) {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = str::from_utf8(&line[..colon]).ok()?.to_ascii_lowercase();
            headers.push((name, line[colon + 1..].trim_ascii().to_vec()));
        }
        let head = Self {
            method: method.to_owned(),
            target: target.parse().ok()?,
            headers,
        };
        let is_one = head.target.path().starts_with('/') && head.try_request(BODY).is_some();
        is_one.then_some(head)
    }

    /// The request with this body. Headers that are missing get the values of a call of ours.
    fn try_request(&self, body: &'static [u8]) -> Option<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(self.method.as_str())
            .uri(self.target.clone());
        for (name, value) in &self.headers {
            request = request.header(name, &value[..]);
        }
        for (name, value) in OURS {
            if !self.headers.iter().any(|(known, _)| known == name) {
                request = request.header(name, value);
            }
        }
        request.body(Full::from(body)).ok()
    }

    fn request(&self, body: &'static [u8]) -> Request<Full<Bytes>> {
        let request = self.try_request(body);
        request.expect("what was built once can be built again")
    }

    /// True if the query is text, as the signer expects, and does not sign already.
    fn has_plain_query(&self) -> bool {
        let query = self.target.query().unwrap_or_default();
        let bytes: Vec<u8> = percent_encoding::percent_decode_str(query).collect();
        let signs = |(name, _): (Cow<'_, str>, _)| name.starts_with("X-Amz-");
        String::from_utf8(bytes).is_ok() && !form_urlencoded::parse(query.as_bytes()).any(signs)
    }

    /// The same head signed by the SDK's signer. None if the signer does not sign such a head.
    fn signed(&self, in_query: bool) -> Option<Self> {
        if self.method != "POST" || !self.has_plain_query() {
            return None;
        }
        let replaced = |name: &str| {
            let ours = OURS.iter().any(|(ours, _)| *ours == name);
            ours || SIGNERS.contains(&name)
        };
        let mut headers = self.headers.clone();
        headers.retain(|(name, _)| !replaced(name));
        let mut texts = vec![OURS[0]];
        for (name, value) in &headers {
            texts.push((name, str::from_utf8(value).ok()?));
        }
        let target = self.target.path_and_query()?;
        let signable = SignableRequest::new(
            &self.method,
            format!("http://{}{target}", OURS[0].1),
            texts.into_iter(),
            SignableBody::Bytes(BODY),
        );
        let signable = signable.ok()?;
        let signed = with_params(in_query, |params| sign(signable, params));
        let (added, _) = signed.ok()?.into_parts();
        let (added, parameters) = added.into_parts();
        for header in added {
            headers.push((header.name().to_owned(), header.value().into()));
        }
        let mut target = target.to_string();
        for (name, value) in parameters {
            let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            let joint = if target.contains('?') { '&' } else { '?' };
            target = format!("{target}{joint}{name}={value}");
        }
        Some(Self {
            method: self.method.clone(),
            target: target.parse().ok()?,
            headers,
        })
    }
}

/// Signs with what the signer is to know.
fn with_params<T>(in_query: bool, sign: impl FnOnce(&SigningParams<'_>) -> T) -> T {
    let identity = Credentials::new(KEY, SECRET, None, None, "fuzz").into();
    let mut settings = SigningSettings::default();
    if in_query {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(300));
    }
    let now_ms = Clock::System.now().millis().unsigned_abs();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("kinesis")
        .time(UNIX_EPOCH + Duration::from_millis(now_ms))
        .settings(settings);
    sign(&params.build().unwrap().into())
}
