//! Signatures that the SDK makes, over the wire, with `--auth verify`.

mod doors;
mod secrets;

use crate::lab::{Answer, Lab, Place, Request, SHARD_0, START_MS, h2, run, wire_test};
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_kinesis::error::ProvideErrorMetadata as _;
use aws_sdk_kinesis::primitives::Blob;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use minikin::Clock;
use std::time::{Duration, UNIX_EPOCH};

/// Two credentials: a permanent one and a temporary one.
const LET_IN: &str = "AKIDLASTING:hush/lasting,ASIATEMPORARY:hush/temporary:token+a/b==";
const LASTING: (&str, &str, Option<&str>) = ("AKIDLASTING", "hush/lasting", None);
const TEMPORARY: (&str, &str, Option<&str>) =
    ("ASIATEMPORARY", "hush/temporary", Some("token+a/b=="));
const DIFFERS: &str = "InvalidSignatureException: The request signature we calculated does not \
                       match the signature you provided. Check your AWS Secret Access Key and \
                       signing method. Consult the service documentation for details.";
const UNRECOGNIZED: &str =
    "UnrecognizedClientException: The security token included in the request is invalid.";

fn wall_ms() -> i64 {
    Clock::System.now().millis()
}

/// The same request, signed by the SDK's signer at `ms`.
fn signed_at(
    request: &Request,
    (key, secret, token): (&str, &str, Option<&str>),
    place: SignatureLocation,
    ms: i64,
) -> Request {
    let mut request = request
        .clone()
        .without("Authorization")
        .without("X-Amz-Date");
    let identity = Credentials::new(key, secret, token.map(str::to_owned), None, "lab").into();
    let mut settings = SigningSettings::default();
    settings.signature_location = place;
    if place == SignatureLocation::QueryParams {
        settings.expires_in = Some(Duration::from_secs(300));
    }
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("kinesis")
        .time(UNIX_EPOCH + Duration::from_millis(ms.unsigned_abs()))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let headers = request.headers.iter();
    let signable = SignableRequest::new(
        &request.method,
        format!("http://localhost:4567{}", request.path),
        headers.map(|(name, value)| (name.as_str(), value.as_str())),
        SignableBody::Bytes(&request.body),
    );
    let (instructions, _) = sign(signable.unwrap(), &params).unwrap().into_parts();
    let (headers, parameters) = instructions.into_parts();
    for header in headers {
        request = request.header(header.name(), header.value());
    }
    let parameters: Vec<String> = parameters
        .iter()
        .map(|(name, value)| {
            let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            format!("{name}={value}")
        })
        .collect();
    if parameters.is_empty() {
        return request;
    }
    let joint = if request.path.contains('?') { '&' } else { '?' };
    let path = format!("{}{joint}{}", request.path, parameters.join("&"));
    request.path(&path)
}

fn signed(request: &Request) -> Request {
    signed_at(request, LASTING, SignatureLocation::Headers, wall_ms())
}

fn list() -> Request {
    Request::json("ListStreams", "{}")
}

async fn refusal(lab: &Lab, request: &Request) -> String {
    lab.send_both(request).await.refusal().to_string()
}

fn client(lab: &Lab, (key, secret, token): (&str, &str, Option<&str>)) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(format!("http://{}", lab.address()))
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(
            key,
            secret,
            token.map(str::to_owned),
            None,
            "lab",
        ))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}

wire_test!(
    the_sdk_is_admitted_with_either_credential,
    ["--auth", "verify", "--credential", LET_IN],
    |lab| async move {
        let lasting = client(&lab, LASTING);
        let create = lasting.create_stream().stream_name("orders").shard_count(1);
        create.send().await.unwrap();
        let put = client(&lab, TEMPORARY).put_record().stream_name("orders");
        let put = put
            .partition_key("k")
            .data(Blob::new("v"))
            .send()
            .await
            .unwrap();
        assert_eq!(put.shard_id, SHARD_0);
        for (credential, expected) in [
            (("AKIDLASTING", "hust", None), "InvalidSignatureException"),
            (
                ("AKIDNOBODY", "hush/lasting", None),
                "UnrecognizedClientException",
            ),
            (
                ("ASIATEMPORARY", "hush/temporary", None),
                "UnrecognizedClientException",
            ),
        ] {
            let refused = client(&lab, credential)
                .list_streams()
                .send()
                .await
                .unwrap_err();
            assert_eq!(refused.code(), Some(expected));
        }
    }
);

wire_test!(
    both_formats_come_in_over_both_protocols,
    ["--auth", "verify", "--credential", LET_IN],
    |lab| async move {
        let cbor = Request::cbor("ListStreams", &[0xa0]);
        let elsewhere = list().path("/any//./path%20?b=1&a=%2F");
        for request in [list(), cbor, elsewhere] {
            for place in [SignatureLocation::Headers, SignatureLocation::QueryParams] {
                for credential in [LASTING, TEMPORARY] {
                    let request = signed_at(&request, credential, place, wall_ms());
                    let answer = lab.send_both(&request).await;
                    assert_eq!(answer.status, 200, "{request:?} {}", answer.text());
                }
                let stranger = ("AKIDLASTING", "hust", None);
                let stranger = signed_at(&request, stranger, place, wall_ms());
                assert_eq!(refusal(&lab, &stranger).await, DIFFERS);
                let stranger = ("AKIDNOBODY", "hush/lasting", None);
                let stranger = signed_at(&request, stranger, place, wall_ms());
                assert_eq!(refusal(&lab, &stranger).await, UNRECOGNIZED);
            }
        }
    }
);

wire_test!(
    a_session_token_and_a_signature_are_both_checked,
    ["--auth", "verify", "--credential", LET_IN],
    |lab| async move {
        let (key, secret, token) = TEMPORARY;
        let longer = format!("{}=", token.unwrap());
        let shorter = &token.unwrap()[..token.unwrap().len() - 1];
        for place in [SignatureLocation::Headers, SignatureLocation::QueryParams] {
            let with = |secret, token| signed_at(&list(), (key, secret, token), place, wall_ms());
            assert_eq!(lab.send_both(&with(secret, token)).await.status, 200);
            // The token is correct and the signature is wrong.
            for wrong in ["hush/temporarz", "hush/lasting", ""] {
                assert_eq!(refusal(&lab, &with(wrong, token)).await, DIFFERS, "{wrong}");
            }
            // The signature is correct for the token in the request, but the token is wrong.
            for wrong in ["token+a/b=+", &longer, shorter, "x"] {
                let request = with(secret, Some(wrong));
                assert_eq!(refusal(&lab, &request).await, UNRECOGNIZED, "{wrong}");
            }
            assert_eq!(refusal(&lab, &with(secret, None)).await, UNRECOGNIZED);
            let (key, secret, _) = LASTING;
            let needless = signed_at(&list(), (key, secret, token), place, wall_ms());
            assert_eq!(refusal(&lab, &needless).await, UNRECOGNIZED);
        }
        // A correct token with a signature that was made for another token.
        let other = (key, secret, Some("token+other"));
        let swapped = signed_at(&list(), other, SignatureLocation::Headers, wall_ms());
        let swapped = swapped.header("X-Amz-Security-Token", token.unwrap());
        assert_eq!(refusal(&lab, &swapped).await, DIFFERS);
    }
);

/// In HTTP/2, the host is in the field `:authority`. Some clients sign it by this name.
#[test]
fn the_authority_of_http_2_is_a_host_that_can_be_forged_no_more_than_another() {
    let flags = ["--auth", "verify", "--credential", LET_IN];
    run(Place::Memory, &flags, |lab| async move {
        let exchange = async |request: Request| -> Answer {
            let stream = tokio::net::TcpStream::connect(lab.address()).await.unwrap();
            h2::exchange(stream, &[request]).await.remove(0)
        };
        assert_eq!(exchange(signed(&list())).await.status, 200);
        let elsewhere = list().header("Host", "example.com:4567");
        let elsewhere = signed(&elsewhere);
        assert_eq!(exchange(elsewhere).await.refusal().to_string(), DIFFERS);
    });
}

wire_test!(
    a_request_changed_after_its_signature_is_refused,
    ["--auth", "verify", "--credential", LET_IN],
    |lab| async move {
        let good = signed(&Request::json("DescribeStream", r#"{"StreamName":"a"}"#).path("/p?q=1"));
        let message = lab.send_both(&good).await.refusal();
        assert_eq!(message.kind, "ResourceNotFoundException", "it came in");
        let bytes = |body: &str| good.clone().body(body.as_bytes());
        for changed in [
            bytes(r#"{"StreamName":"b"}"#),
            bytes(r#"{"StreamName":"a"} "#),
            good.clone().path("/o?q=1"),
            good.clone().path("/p?q=2"),
            good.clone().path("/p?q=1&r"),
            good.clone()
                .header("X-Amz-Target", "Kinesis_20131202.DeleteStream"),
            good.clone()
                .header("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
        ] {
            assert_eq!(refusal(&lab, &changed).await, DIFFERS, "{changed:?}");
        }
        let moved = good.clone().header("Host", "localhost:4568");
        assert_eq!(lab.send(&moved).await.refusal().to_string(), DIFFERS);
    }
);

wire_test!(
    a_signature_ages_by_the_machines_clock,
    ["--auth", "verify", "--credential", LET_IN],
    |lab| async move {
        // The emulator's clock is years behind the machine's clock, and moves.
        lab.clock.advance(crate::lab::hours(1000)).await;
        for place in [SignatureLocation::Headers, SignatureLocation::QueryParams] {
            let at = |ms| signed_at(&list(), LASTING, place, ms);
            for ms in [wall_ms(), wall_ms() - 200_000, wall_ms() + 200_000] {
                assert_eq!(lab.send_both(&at(ms)).await.status, 200);
            }
            for (ms, wrong, sign) in [
                (
                    START_MS,
                    "Signature expired: 20231114T221320Z is now earlier than ",
                    '-',
                ),
                (wall_ms() - 310_000, "Signature expired: ", '-'),
                (wall_ms() + 400_000, "Signature not yet current: ", '+'),
            ] {
                let message = lab.send(&at(ms)).await.refusal().to_string();
                let start = format!("InvalidSignatureException: {wrong}");
                assert!(message.starts_with(&start), "{message}");
                assert!(message.ends_with(&format!("Z {sign} 5 min.)")), "{message}");
            }
        }
    }
);

wire_test!(
    presence_is_checked_before_and_types_after_the_signature,
    ["--auth", "verify", "--credential", LET_IN],
    |lab| async move {
        let unsigned = list().without("Authorization");
        let missing = "MissingAuthenticationTokenException: Missing Authentication Token";
        assert_eq!(refusal(&lab, &unsigned).await, missing);
        let both = signed(&list()).path("/?X-Amz-Algorithm");
        assert!(
            refusal(&lab, &both)
                .await
                .starts_with("InvalidSignatureException: Found both")
        );
        let half = list().header("Authorization", "AWS4-HMAC-SHA256 Credential=a");
        assert!(
            refusal(&lab, &half)
                .await
                .starts_with("IncompleteSignatureException: Auth")
        );
        let shape = list().header(
            "Authorization",
            "A Credential=a, SignedHeaders=b, Signature=c",
        );
        assert_eq!(
            refusal(&lab, &shape).await,
            "IncompleteSignatureException: Credential must have exactly 5 slash-delimited \
             elements, e.g. keyid/date/region/service/term, got 'a'"
        );
        let forged = |operation, body| {
            let stranger = ("AKIDLASTING", "hust", None);
            let request = Request::json(operation, body);
            signed_at(&request, stranger, SignatureLocation::Headers, wall_ms())
        };
        let unknown = refusal(&lab, &forged("Nothing", "{}")).await;
        assert_eq!(unknown, "UnknownOperationException");
        assert_eq!(
            refusal(&lab, &forged("ListStreams", "{")).await,
            "SerializationException"
        );
        let mistyped = r#"{"Limit":"a"}"#;
        assert_eq!(
            refusal(&lab, &forged("ListStreams", mistyped)).await,
            DIFFERS
        );
        let mistyped = signed(&Request::json("ListStreams", mistyped));
        assert_eq!(
            lab.send(&mistyped).await.refusal().kind,
            "SerializationException"
        );
    }
);

wire_test!(
    a_key_of_twelve_digits_is_an_account_also_here,
    [
        "--auth",
        "verify",
        "--credential",
        "111122223333:a,AKID:b",
        "--account",
        "444455556666"
    ],
    |lab| async move {
        for (key, secret, account) in [
            ("111122223333", "a", "111122223333"),
            ("AKID", "b", "444455556666"),
        ] {
            let client = client(&lab, (key, secret, None));
            client
                .create_stream()
                .stream_name("s")
                .shard_count(1)
                .send()
                .await
                .unwrap();
            let described = client
                .describe_stream_summary()
                .stream_name("s")
                .send()
                .await
                .unwrap();
            let arn = described.stream_description_summary.unwrap().stream_arn;
            assert_eq!(arn, format!("arn:aws:kinesis:us-east-1:{account}:stream/s"));
        }
    }
);

#[test]
fn the_key_of_a_signature_selects_its_policies() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = r#"{"ASIATEMPORARY": {
        "arn": "arn:aws:sts::000000000000:assumed-role/loader/today",
        "policies": [{"Statement": {
            "Effect": "Allow", "Action": "kinesis:PutRecord",
            "Resource": "arn:aws:kinesis:us-east-1:000000000000:stream/orders"
        }}]
    }}"#;
    std::fs::write(file.path(), text).unwrap();
    let path = file.path().to_str().unwrap();
    let flags = [
        "--auth",
        "verify",
        "--credential",
        LET_IN,
        "--policies",
        path,
    ];
    run(Place::Memory, &flags, |lab| async move {
        let (lasting, temporary) = (client(&lab, LASTING), client(&lab, TEMPORARY));
        let create = lasting.create_stream().stream_name("orders").shard_count(1);
        create.send().await.unwrap();
        let put = temporary.put_record().stream_name("orders");
        let put = put.partition_key("k").data(Blob::new("v"));
        assert_eq!(put.send().await.unwrap().shard_id, SHARD_0);
        let error = temporary.list_streams().send().await.unwrap_err();
        let error = error.into_service_error();
        assert_eq!(error.code(), Some("AccessDeniedException"));
        let message = error.message().unwrap_or_default();
        assert!(message.starts_with(
            "User: arn:aws:sts::000000000000:assumed-role/loader/today is not authorized to \
             perform: kinesis:ListStreams"
        ));
        // The access key beside the signature is not the key that signed. Both must be equal. Sign
        // only once, because the signature contains the second of its creation.
        let once = signed(&list());
        let said = once
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let other = said.unwrap().1.replace("AKIDLASTING", "ASIATEMPORARY");
        let forged = once.clone().header("authorization", &other);
        assert_eq!(refusal(&lab, &forged).await, UNRECOGNIZED);
        let doubled = format!(
            "{}, Credential=ASIATEMPORARY/x/y/kinesis/aws4_request",
            said.unwrap().1
        );
        let doubled = once.clone().header("authorization", &doubled);
        assert_eq!(
            lab.send(&doubled).await.status,
            200,
            "the first of two equal parts counts"
        );
    });
}
