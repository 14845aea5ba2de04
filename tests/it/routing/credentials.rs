//! The caller of a request, and the required parts of a signature.

use crate::lab::{Request, wire_test};
use serde_json::Value;

fn call() -> Request {
    Request::json("ListStreams", "{}")
}

const WHOLE: &str = "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c";

wire_test!(
    a_signature_stands_in_the_header_or_in_the_query,
    |lab| async move {
        let both = "InvalidSignatureException: Found both 'X-Amz-Algorithm' as a query-string param \
                and 'Authorization' as HTTP header.";
        for path in [
            "/?X-Amz-Algorithm=AWS4",
            "/?a=b&X-Amz-Algorithm",
            "/?X-Amz-Algorithm=&c",
        ] {
            let answer = lab.send_both(&call().path(path)).await;
            assert_eq!(answer.refusal().to_string(), both, "{path}");
        }
        let neither = "MissingAuthenticationTokenException: Missing Authentication Token";
        for path in [
            "/",
            "/?X-Amz-Signature=a&X-Amz-Date=b&X-Amz-Credential=c",
            "/?x-amz-algorithm=a",
        ] {
            let answer = lab
                .send_both(&call().without("Authorization").path(path))
                .await;
            assert_eq!(answer.refusal().to_string(), neither, "{path}");
            let cbor = Request::cbor("ListStreams", &[0xa0])
                .without("Authorization")
                .path(path);
            assert_eq!(
                lab.send_both(&cbor).await.refusal().to_string(),
                neither,
                "{path}"
            );
        }
    }
);

wire_test!(
    missing_parts_of_the_header_are_listed_in_order,
    |lab| async move {
        let credential = "Authorization header requires 'Credential' parameter. ";
        let signature = "Authorization header requires 'Signature' parameter. ";
        let headers = "Authorization header requires 'SignedHeaders' parameter. ";
        let date = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' \
                header. ";
        for (header, dated, missing) in [
            ("AWS4 SignedHeaders=b, Signature=c", true, vec![credential]),
            ("AWS4 Credential=a, SignedHeaders=b", true, vec![signature]),
            ("AWS4 Credential=a, Signature=c", true, vec![headers]),
            (
                "AWS4 Credential=,Signature=c,SignedHeaders=",
                true,
                vec![credential, headers],
            ),
            (
                "Credential=a Signature=c SignedHeaders=b",
                true,
                vec![credential],
            ),
            (
                "AWS4 credential=a Signature=c SignedHeaders=b",
                true,
                vec![credential],
            ),
            ("AWS4", true, vec![credential, signature, headers]),
            ("x", false, vec![credential, signature, headers, date]),
            (WHOLE, false, vec![date]),
        ] {
            let mut request = call().header("Authorization", header);
            if !dated {
                request = request.without("X-Amz-Date");
            }
            let expected = format!(
                "IncompleteSignatureException: {}Authorization={header}",
                missing.concat()
            );
            assert_eq!(
                lab.send_both(&request).await.refusal().to_string(),
                expected
            );
        }
    }
);

wire_test!(
    parts_may_be_in_any_order_between_commas_and_blanks,
    |lab| async move {
        for header in [
            WHOLE,
            "AWS4-HMAC-SHA256 Signature=c Credential=a SignedHeaders=b",
            "AWS4- Signature=c,Credential=a,SignedHeaders=b",
            "a SignedHeaders=b,   Signature=c ,Credential=a",
            "a,Signature=c,Credential=a,SignedHeaders=b",
            "AWS4 Signature=c Credential=a SignedHeaders=b More=d",
        ] {
            let answer = lab.send_both(&call().header("Authorization", header)).await;
            assert_eq!(answer.status, 200, "{header}");
        }
        let dated = call()
            .without("X-Amz-Date")
            .header("Date", "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(lab.send(&dated).await.status, 200);
    }
);

wire_test!(
    missing_and_empty_parameters_of_the_query_are_listed_in_order,
    |lab| async move {
        let names = [
            "X-Amz-Algorithm",
            "X-Amz-Credential",
            "X-Amz-Signature",
            "X-Amz-SignedHeaders",
            "X-Amz-Date",
        ];
        let call = call().without("Authorization").without("X-Amz-Date");
        let whole = names.map(|name| format!("{name}=x"));
        let answer = lab
            .send_both(&call.clone().path(&format!("/?{}", whole.join("&"))))
            .await;
        assert_eq!(answer.status, 200);
        let expected = |missing: &[&str]| {
            let missing: String = missing
                .iter()
                .map(|name| format!("AWS query-string parameters must include '{name}'. "))
                .collect();
            format!(
                "IncompleteSignatureException: {missing}Re-examine the query-string parameters."
            )
        };
        for (at, name) in names.iter().enumerate() {
            let mut empty = whole.clone();
            empty[at] = format!("{name}=");
            let answer = lab
                .send_both(&call.clone().path(&format!("/?{}", empty.join("&"))))
                .await;
            assert_eq!(answer.refusal().to_string(), expected(&[name]));
            if at > 0 {
                let mut absent = whole.to_vec();
                absent.remove(at);
                let answer = lab
                    .send_both(&call.clone().path(&format!("/?{}", absent.join("&"))))
                    .await;
                assert_eq!(answer.refusal().to_string(), expected(&[name]));
            }
        }
        let answer = lab.send_both(&call.clone().path("/?X-Amz-Algorithm")).await;
        assert_eq!(answer.refusal().to_string(), expected(&names));
        let answer = lab
            .send_both(&call.path("/?X-Amz-Algorithm=a&x-amz-date=b"))
            .await;
        assert_eq!(answer.refusal().to_string(), expected(&names[1..]));
    }
);

wire_test!(
    authentication_comes_before_types_and_after_the_target,
    |lab| async move {
        let bad = Request::json("ListStreams", r#"{"Limit":"a"}"#).without("Authorization");
        let message = lab.send(&bad).await.refusal();
        assert_eq!(message.kind, "MissingAuthenticationTokenException");
        let unknown = Request::json("Nothing", "{}").without("Authorization");
        assert_eq!(
            lab.send(&unknown).await.refusal().kind,
            "UnknownOperationException"
        );
    }
);

/// The ARN of a stream that is created with this credential.
async fn arn(lab: &crate::lab::Lab, name: &str, credential: &str) -> String {
    let header = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=b, Signature=c");
    let signed = |operation: &str, body: &str| {
        Request::json(operation, body).header("Authorization", &header)
    };
    let create = format!(r#"{{"StreamName":"{name}","ShardCount":1}}"#);
    assert_eq!(lab.send(&signed("CreateStream", &create)).await.status, 200);
    let summary = signed(
        "DescribeStreamSummary",
        &format!(r#"{{"StreamName":"{name}"}}"#),
    );
    let summary: Value = lab.send(&summary).await.value();
    summary["StreamDescriptionSummary"]["StreamARN"]
        .as_str()
        .unwrap()
        .to_owned()
}

wire_test!(
    the_credential_says_account_and_region,
    ["--region", "local-1"],
    |lab| async move {
        for (credential, owner) in [
            (
                "AKIA/20231114/eu-west-1/kinesis/aws4_request",
                "aws:kinesis:eu-west-1:000000000000",
            ),
            (
                "123456789012/20231114/mars-9/kinesis/aws4_request",
                "aws:kinesis:mars-9:123456789012",
            ),
            (
                "AKIA/20231114/cn-north-1/x/y",
                "aws-cn:kinesis:cn-north-1:000000000000",
            ),
            (
                "AKIA/20231114/us-gov-west-1/x/y",
                "aws-us-gov:kinesis:us-gov-west-1:000000000000",
            ),
            (
                "12345678901/20231114/r/kinesis/aws4_request",
                "aws:kinesis:r:000000000000",
            ),
            (
                "1234567890123/20231114/q/kinesis/aws4_request",
                "aws:kinesis:q:000000000000",
            ),
            ("AKIA", "aws:kinesis:local-1:000000000000"),
            ("210987654321/20231114", "aws:kinesis:local-1:210987654321"),
        ] {
            let expected = format!("arn:{owner}:stream/orders");
            assert_eq!(
                arn(&lab, "orders", credential).await,
                expected,
                "{credential}"
            );
        }
    }
);

wire_test!(a_signed_query_says_them_too, |lab| async move {
    let path = "/?X-Amz-Algorithm=a&X-Amz-Credential=111122223333%2F20231114%2Fap-south-1%2Fkinesis\
                %2Faws4_request&X-Amz-Signature=c&X-Amz-SignedHeaders=d&X-Amz-Date=e";
    let signed = |operation: &str, body: &str| {
        Request::json(operation, body)
            .without("Authorization")
            .path(path)
    };
    let create = signed("CreateStream", r#"{"StreamName":"s","ShardCount":1}"#);
    assert_eq!(lab.send(&create).await.status, 200);
    let answer = lab
        .send(&signed("DescribeStreamSummary", r#"{"StreamName":"s"}"#))
        .await;
    let expected = "arn:aws:kinesis:ap-south-1:111122223333:stream/s";
    assert_eq!(
        answer.value()["StreamDescriptionSummary"]["StreamARN"],
        expected
    );
});

wire_test!(
    without_authentication_the_configuration_says_them,
    [
        "--auth",
        "off",
        "--account",
        "999988887777",
        "--region",
        "moon-1"
    ],
    |lab| async move {
        let unsigned = |operation: &str, body: &str| {
            Request::json(operation, body)
                .without("Authorization")
                .without("X-Amz-Date")
        };
        let create = unsigned("CreateStream", r#"{"StreamName":"s","ShardCount":1}"#);
        assert_eq!(lab.send(&create).await.status, 200);
        let answer = lab
            .send(&unsigned("DescribeStreamSummary", r#"{"StreamName":"s"}"#))
            .await;
        let expected = "arn:aws:kinesis:moon-1:999988887777:stream/s";
        assert_eq!(
            answer.value()["StreamDescriptionSummary"]["StreamARN"],
            expected
        );
        // An incomplete signature counts as no signature. A complete signature names the account.
        for header in ["x", "AWS4 Signature=c"] {
            let broken = call().header("Authorization", header);
            assert_eq!(
                lab.send(&broken).await.value()["StreamNames"],
                serde_json::json!(["s"])
            );
        }
        assert_eq!(
            lab.send(&call()).await.value()["StreamNames"],
            serde_json::json!([])
        );
    }
);
