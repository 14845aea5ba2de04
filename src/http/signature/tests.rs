//! Tests with requests that the AWS SDK's own signer signed: unchanged, and with one byte changed.

use super::*;
use aws_sdk_kinesis::config::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use hyper::{Request, http};
use std::time::{Duration, UNIX_EPOCH};

/// 2023-11-14T22:13:20Z, in milliseconds since 1970.
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const HOST: &str = "localhost:4567";
const DIFFERS: &str = "InvalidSignatureException: The request signature we calculated does not \
                       match the signature you provided. Check your AWS Secret Access Key and \
                       signing method. Consult the service documentation for details.";
const UNRECOGNIZED: &str =
    "UnrecognizedClientException: The security token included in the request is invalid.";

/// A signed request that a test can alter at any byte.
#[derive(Debug, Clone)]
struct Sent {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// The settings with which a test makes and signs a request.
#[derive(Debug, Clone, Copy)]
struct Way {
    place: SignatureLocation,
    key: &'static str,
    secret: &'static str,
    token: Option<&'static str>,
    service: &'static str,
    target: &'static str,
}

const HEADER: Way = Way {
    place: SignatureLocation::Headers,
    key: "AKIA",
    secret: "hush",
    token: None,
    service: SERVICE,
    target: "/a%20b/c?x=1&y=%2F",
};
const QUERY: Way = Way {
    place: SignatureLocation::QueryParams,
    ..HEADER
};
/// The settings for a signature with a temporary credential.
const TEMPORARY: Way = Way {
    key: "ASIA",
    token: Some("token/+=="),
    ..HEADER
};

fn verifier() -> Verifier {
    let credential = |key: &str, token: Option<&str>| Credential {
        key: key.to_owned(),
        secret: "hush".into(),
        token: token.map(Secret::from),
    };
    Verifier::new(vec![
        credential("AKIA", None),
        credential("ASIA", TEMPORARY.token),
    ])
}

fn signed(way: Way) -> Sent {
    let body = br#"{"StreamName":"orders"}"#.to_vec();
    let mut request = Request::post(format!("http://{HOST}{}", way.target))
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "Kinesis_20131202.DescribeStreamSummary")
        .body(())
        .unwrap();
    let credentials = Credentials::new(way.key, way.secret, way.token.map(str::to_owned), None, "");
    let identity = credentials.into();
    let mut settings = SigningSettings::default();
    settings.signature_location = way.place;
    if way.place == SignatureLocation::QueryParams {
        settings.expires_in = Some(Duration::from_secs(60));
    }
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name(way.service)
        .time(UNIX_EPOCH + Duration::from_millis(NOW.millis().unsigned_abs()))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect();
    let signable = SignableRequest::new(
        "POST",
        request.uri().to_string(),
        headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
        SignableBody::Bytes(&body),
    );
    let (instructions, _) = sign(signable.unwrap(), &params).unwrap().into_parts();
    instructions.apply_to_request_http1x(&mut request);
    let mut headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect();
    headers.push(("host".to_owned(), HOST.to_owned()));
    Sent {
        method: "POST".to_owned(),
        target: request.uri().path_and_query().unwrap().to_string(),
        headers,
        body,
    }
}

impl Sent {
    /// The head of the request. None if hyper cannot represent the head.
    fn head(&self) -> Option<Parts> {
        let mut request = Request::builder()
            .method(self.method.as_str())
            .uri(&self.target);
        for (name, value) in &self.headers {
            request = request.header(name, http::HeaderValue::from_bytes(value.as_bytes()).ok()?);
        }
        Some(request.body(()).ok()?.into_parts().0)
    }

    fn check_at(&self, now: Timestamp) -> Result<(), String> {
        let head = self.head().unwrap();
        let checked = verifier().check(&head, &self.body, now);
        checked.map_err(|error| error.to_string())
    }

    fn check(&self) -> Result<(), String> {
        self.check_at(NOW)
    }

    fn header(&mut self, name: &str) -> &mut String {
        let found = self.headers.iter_mut().find(|(known, _)| known == name);
        &mut found.unwrap().1
    }

    fn with(mut self, name: &str, from: &str, to: &str) -> Self {
        let text = self.header(name);
        assert!(text.contains(from), "{from} in {text}");
        *text = text.replacen(from, to, 1);
        self
    }
}

#[test]
fn the_scope_of_the_signature_names_the_service() {
    let request = signed(Way {
        service: "lambda",
        ..HEADER
    });
    let head = request.head().unwrap();
    let check = |service| {
        let checked = verifier().check_for(service, &head, &request.body, NOW);
        checked.map_err(|error| error.to_string())
    };
    assert_eq!(check("lambda"), Ok(()));
    check(SERVICE).unwrap_err();
}

#[test]
fn what_the_sdk_signs_comes_in() {
    for way in [
        HEADER,
        QUERY,
        TEMPORARY,
        Way {
            place: SignatureLocation::QueryParams,
            ..TEMPORARY
        },
        Way {
            target: "/",
            ..HEADER
        },
        Way {
            target: "/?b=2&a=%20&a",
            ..QUERY
        },
        Way {
            target: "/a//b/./c",
            ..HEADER
        },
    ] {
        assert_eq!(signed(way).check(), Ok(()), "{way:?}");
    }
}

#[test]
fn strangers_do_not() {
    for (way, refusal) in [
        (
            Way {
                key: "AKIB",
                ..HEADER
            },
            UNRECOGNIZED,
        ),
        (
            Way {
                key: "AKIB",
                ..QUERY
            },
            UNRECOGNIZED,
        ),
        (
            Way {
                secret: "hust",
                ..HEADER
            },
            DIFFERS,
        ),
        (
            Way {
                secret: "hust",
                ..QUERY
            },
            DIFFERS,
        ),
        (
            Way {
                token: Some("token/+="),
                ..TEMPORARY
            },
            UNRECOGNIZED,
        ),
        (
            Way {
                token: None,
                ..TEMPORARY
            },
            UNRECOGNIZED,
        ),
        (
            Way {
                token: TEMPORARY.token,
                ..HEADER
            },
            UNRECOGNIZED,
        ),
    ] {
        assert_eq!(signed(way).check(), Err(refusal.to_owned()), "{way:?}");
    }
}

#[test]
fn each_check_has_its_text_in_the_services_order() {
    let scope = "20231114/eu-west-1/kinesis/aws4_request";
    let auth = "authorization";
    let mut broken = signed(HEADER).with(auth, "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA25");
    let mut refusals = vec![broken.check().unwrap_err()];
    broken = broken.with("x-amz-date", "20231114T221320Z", "2023");
    refusals.push(broken.check().unwrap_err());
    broken = broken.with(auth, "host;", "");
    refusals.push(broken.check().unwrap_err());
    broken = broken.with(auth, scope, "20231114/eu-west-1/kinesis");
    refusals.push(broken.check().unwrap_err());
    assert_eq!(
        refusals,
        [
            "IncompleteSignatureException: Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25' (only \
             AWS4-HMAC-SHA256 for now). ",
            "IncompleteSignatureException: Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25' (only \
             AWS4-HMAC-SHA256 for now). ",
            "InvalidSignatureException: 'Host' or ':authority' must be a 'SignedHeader' in the \
             AWS Authorization.",
            "IncompleteSignatureException: Credential must have exactly 5 slash-delimited \
             elements, e.g. keyid/date/region/service/term, got \
             'AKIA/20231114/eu-west-1/kinesis'",
        ]
    );
    let misdated = signed(HEADER).with("x-amz-date", "20231114T221320Z", "2023");
    assert_eq!(
        misdated.check().unwrap_err(),
        "IncompleteSignatureException: Date must be in ISO-8601 'basic format'. Got '2023'. See \
         http://en.wikipedia.org/wiki/ISO_8601"
    );
    // The verifier checks the scope first, then the age, the access key and the signature.
    let misscoped = signed(Way {
        key: "AKIB",
        secret: "hust",
        ..HEADER
    });
    let misscoped = misscoped.with(auth, scope, "b//dynamodb/e");
    let later = NOW.plus_millis(301_000);
    assert_eq!(
        misscoped.check_at(later).unwrap_err(),
        "InvalidSignatureException: Credential should be scoped to a valid region, not ''. \
         Credential should be scoped to correct service: 'kinesis'. Credential should be scoped \
         with a valid terminator: 'aws4_request', not 'e'. Date in Credential scope does not \
         match YYYYMMDD from ISO-8601 version of date from HTTP: 'b' != '20231114', from \
         '20231114T221320Z'."
    );
    let unknown = signed(Way {
        key: "AKIB",
        secret: "hust",
        ..HEADER
    });
    assert_eq!(
        unknown.check_at(later).unwrap_err(),
        "InvalidSignatureException: Signature expired: 20231114T221320Z is now earlier than \
         20231114T221321Z (20231114T221821Z - 5 min.)"
    );
    assert_eq!(unknown.check().unwrap_err(), UNRECOGNIZED);
}

#[test]
fn a_hash_in_the_headers_is_that_of_the_body() {
    let mut request = signed(HEADER);
    let hash = hex(&Sha256::digest(&request.body));
    let named = |hash: &str| ("x-amz-content-sha256".to_owned(), hash.to_owned());
    request.headers.push(named(&hash));
    assert_eq!(request.check(), Ok(()));
    for other in [&hash[1..], "UNSIGNED-PAYLOAD", ""] {
        *request.header("x-amz-content-sha256") = other.to_owned();
        assert_eq!(request.check().unwrap_err(), DIFFERS, "{other}");
    }
    *request.header("x-amz-content-sha256") = hash;
    request.headers.push(named("UNSIGNED-PAYLOAD"));
    assert_eq!(request.check().unwrap_err(), DIFFERS, "a second one");
}

#[test]
fn signing_keys_are_kept_and_bounded() {
    let verifier = verifier();
    let request = signed(HEADER);
    let head = request.head().unwrap();
    let stranger = signed(Way {
        secret: "hust",
        ..HEADER
    });
    for _ in 0..2 {
        assert_eq!(verifier.check(&head, &request.body, NOW), Ok(()));
        let refused = verifier.check(&stranger.head().unwrap(), &stranger.body, NOW);
        assert!(refused.is_err());
        assert_eq!(verifier.keys.lock().len(), 1);
    }
    for region in 0..2 * limits::SIGNING_KEYS {
        let elsewhere = signed(HEADER).with("authorization", "eu-west-1", &region.to_string());
        let refused = verifier.check(&elsewhere.head().unwrap(), &elsewhere.body, NOW);
        assert!(refused.is_err());
    }
    assert_eq!(verifier.keys.lock().len(), limits::SIGNING_KEYS);
    assert_eq!(verifier.check(&head, &request.body, NOW), Ok(()));
}

mod changes;
