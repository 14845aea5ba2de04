//! Signatures, in the header and in the query: nobody comes in without one, everybody with one.
//!
//! An input is a line `method target`, lines `name: value`, and an empty line.

use super::server::Bed;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Uri};
use minikin::options::{Authentication, Credential, Secret};
use minikin::world::Clock;
use std::borrow::Cow;
use std::time::{Duration, UNIX_EPOCH};

const KEY: &str = "AKIDLASTING";
const SECRET: &str = "hush/lasting";
/// The body of every request, and one that was not signed.
const BODY: &[u8] = b"{}";
const OTHER_BODY: &[u8] = b"{ }";
/// What the signer adds itself.
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

/// Any head is answered; a signature is believed if and only if it is one.
pub fn authorization(input: &[u8]) {
    let Some(head) = Head::read(input) else {
        return;
    };
    BEDS.with(|[verifying, structural, open]| {
        let came_in = |bed: &Bed| {
            let answer = bed.ask(head.request(&head.target, &head.headers, BODY));
            let known = [200, 400, 403, 404].contains(&answer.status);
            assert!(known, "{answer:?}");
            // A browser that asks first is answered in any case, with nothing.
            answer.status == 200 && answer.content_type.is_some()
        };
        assert!(!came_in(verifying), "nobody guesses a signature");
        assert!(
            !came_in(structural) || came_in(open),
            "who is let in there is let in here"
        );
        check_signed(verifying, &head, crc32fast::hash(input) % 2 == 0);
    });
}

/// The same request, signed by the SDK, comes in, and with another body it does not.
fn check_signed(bed: &Bed, head: &Head, in_query: bool) {
    let Some((target, headers)) = head.signed(in_query) else {
        return;
    };
    let answer = bed.ask(head.request(&target, &headers, BODY));
    assert_eq!(answer.status, 200, "{target} {headers:?} {answer:?}");
    let answer = bed.ask(head.request(&target, &headers, OTHER_BODY));
    assert_eq!(answer.status, 400, "{target} {headers:?} {answer:?}");
}

/// What is known of a request before its body.
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
        let target: Uri = target.parse().ok()?;
        target.path().starts_with('/').then_some(())?;
        let head = Self {
            method: method.to_owned(),
            target,
            headers,
        };
        head.try_request(&head.target, &head.headers, BODY)
            .map(|_| head)
    }

    fn try_request(
        &self,
        target: &Uri,
        headers: &[(String, Vec<u8>)],
        body: &'static [u8],
    ) -> Option<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(self.method.as_str())
            .uri(target.clone());
        for (name, value) in headers {
            request = request.header(name, &value[..]);
        }
        for (name, value) in [
            ("host", "localhost:4567"),
            ("x-amz-target", "Kinesis_20131202.ListStreams"),
            ("content-type", "application/x-amz-json-1.1"),
        ] {
            if !headers.iter().any(|(known, _)| known == name) {
                request = request.header(name, value);
            }
        }
        request.body(Full::from(body)).ok()
    }

    fn request(
        &self,
        target: &Uri,
        headers: &[(String, Vec<u8>)],
        body: &'static [u8],
    ) -> Request<Full<Bytes>> {
        let request = self.try_request(target, headers, body);
        request.expect("what was built once can be built again")
    }

    /// Whether the query is text, which the signer takes it for, and does not sign already.
    fn has_plain_query(&self) -> bool {
        let query = self.target.query().unwrap_or_default();
        let bytes: Vec<u8> = percent_encoding::percent_decode_str(query).collect();
        let signs = |(name, _): (Cow<'_, str>, _)| name.starts_with("X-Amz-");
        String::from_utf8(bytes).is_ok() && !form_urlencoded::parse(query.as_bytes()).any(signs)
    }

    /// Target and headers with a signature by the SDK's signer; none for what it does not sign,
    /// or what is no call of ours.
    fn signed(&self, in_query: bool) -> Option<(Uri, Vec<(String, Vec<u8>)>)> {
        let own = |name: &str| ["x-amz-target", "content-type", "host"].contains(&name);
        let headers = self.headers.iter();
        let headers: Vec<(String, Vec<u8>)> = headers
            .filter(|(name, _)| !SIGNERS.contains(&name.as_str()) && !own(name))
            .cloned()
            .collect();
        if self.method != "POST" || !self.has_plain_query() {
            return None;
        }
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
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let texts: Option<Vec<(&str, &str)>> = headers
            .iter()
            .map(|(name, value)| Some((name.as_str(), str::from_utf8(value).ok()?)))
            .collect();
        let mut texts = texts?;
        texts.push(("host", "localhost:4567"));
        let target = self.target.path_and_query()?;
        let signable = SignableRequest::new(
            &self.method,
            format!("http://localhost:4567{target}"),
            texts.into_iter(),
            SignableBody::Bytes(BODY),
        );
        let (instructions, _) = sign(signable.ok()?, &params).ok()?.into_parts();
        let (added, parameters) = instructions.into_parts();
        let mut signed = headers;
        for header in added {
            signed.push((header.name().to_owned(), header.value().as_bytes().to_vec()));
        }
        if parameters.is_empty() {
            return Some((target.as_str().parse().ok()?, signed));
        }
        let parameters: Vec<String> = parameters
            .iter()
            .map(|(name, value)| {
                let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
                format!("{name}={value}")
            })
            .collect();
        let joint = if self.target.query().is_some() {
            '&'
        } else {
            '?'
        };
        let target = format!("{target}{joint}{}", parameters.join("&"));
        Some((target.parse().ok()?, signed))
    }
}
