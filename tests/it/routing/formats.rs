//! Targets, paths and content types of requests that select an operation, or that almost do.

use super::check_usual;
use crate::lab::request::{CBOR, JSON};
use crate::lab::{Request, cbor, wire_test};
use minikin::internals::operation::OPERATIONS;

const SERIALIZATION: &str = r#"{"__type":"SerializationException"}"#;
const UNKNOWN: &str = r#"{"__type":"UnknownOperationException"}"#;

fn list() -> Request {
    Request::json("ListStreams", "{}")
}

const EMPTY_LIST: &str = r#"{"HasMoreStreams":false,"StreamNames":[],"StreamSummaries":[]}"#;

wire_test!(
    a_plain_call_is_answered_with_the_usual_headers,
    |lab| async move {
        let answer = lab.send_both(&list()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.text(), EMPTY_LIST);
        assert_eq!(answer.header("content-type"), Some(JSON));
        check_usual(&answer);
    }
);

wire_test!(ids_are_new_for_every_answer, |lab| async move {
    let (one, two) = (lab.send(&list()).await, lab.send(&list()).await);
    for name in ["x-amzn-requestid", "x-amz-id-2"] {
        assert_ne!(one.header(name), two.header(name));
    }
});

wire_test!(any_path_and_query_will_do, |lab| async move {
    for path in [
        "/a/b/",
        "/a/b/?x=1",
        "/?X-Amz-Date=1",
        "/%20",
        "/?",
        "//",
        "/Kinesis_20131202",
    ] {
        let answer = lab.send_both(&list().path(path)).await;
        assert_eq!(answer.text(), EMPTY_LIST, "{path}");
    }
});

wire_test!(
    content_types_are_trimmed_cut_at_parameters_and_read_in_any_case,
    |lab| async move {
        for kind in [
            "  application/x-amz-json-1.1  ",
            "application/x-amz-json-1.1;whatever",
            "application/x-amz-json-1.1 ; charset=utf-8",
            "application/x-amz-json-1.1;",
            "Application/X-AMZ-Json-1.1",
        ] {
            let answer = lab.send(&list().header("Content-Type", kind)).await;
            assert_eq!(answer.text(), EMPTY_LIST, "{kind}");
            assert_eq!(answer.header("content-type"), Some(JSON), "{kind}");
        }
        for kind in [
            "application/x-amz-cbor-1.1; a=b",
            "APPLICATION/X-AMZ-CBOR-1.1",
        ] {
            let request = Request::cbor("ListStreams", &[0xa0]).header("Content-Type", kind);
            let answer = lab.send_both(&request).await;
            assert_eq!(
                (answer.status, answer.header("content-type")),
                (200, Some(CBOR)),
                "{kind}"
            );
            check_usual(&answer);
        }
    }
);

wire_test!(
    a_target_is_routed_by_its_first_two_parts,
    |lab| async move {
        for target in [
            "Kinesis_20131202.ListStreams.",
            "Kinesis_20131202.ListStreams.more.and.more",
        ] {
            let answer = lab.send_both(&list().header("X-Amz-Target", target)).await;
            assert_eq!(answer.text(), EMPTY_LIST, "{target}");
        }
    }
);

wire_test!(
    unknown_targets_are_refused_before_authentication,
    |lab| async move {
        for target in [
            "Kinesis_20131202.ListTables",
            "Kinesis_20131202.listStreams",
            "Kinesis_20131202.LISTSTREAMS",
            "kinesis_20131202.ListStreams",
            "DynamoDB_20120810.ListTables",
            "Kinesis_20131202.",
            "Kinesis_20131202",
            ".ListStreams",
            ".",
            "",
            "Kinesis_20131202..ListStreams",
            " Kinesis_20131202. ListStreams",
        ] {
            let signed = list().header("X-Amz-Target", target);
            for request in [signed.clone().without("Authorization"), signed] {
                let answer = lab.send_both(&request).await;
                assert_eq!(
                    (answer.status, answer.text().as_str()),
                    (400, UNKNOWN),
                    "{target}"
                );
                check_usual(&answer);
            }
        }
        let answer = lab.send_both(&list().without("X-Amz-Target")).await;
        assert_eq!((answer.status, answer.text().as_str()), (400, UNKNOWN));
        assert_eq!(answer.body.len(), 38);
        let cbor = Request::cbor("Nothing", &[0xa0]);
        let answer = lab.send_both(&cbor).await;
        assert_eq!(answer.refusal().to_string(), "UnknownOperationException");
        assert_eq!(answer.body.len(), 35);
    }
);

wire_test!(
    bodies_that_are_no_structure_are_refused_without_a_message,
    |lab| async move {
        let bodies: [&[u8]; 16] = [
            b"{",
            b"\"text\"",
            b"true",
            b"null",
            b"[]",
            b"[{}]",
            b"1",
            b"{\"Limit\":1",
            b"{}{}",
            b"{} x",
            b" ",
            b"{'a':1}",
            b"\xef\xbb\xbf{}",
            b"{\"a\":\"\xff\"",
            b"{\"Limit\":NaN}",
            b"{\"Limit\":01}",
        ];
        for body in bodies {
            let signed = Request::call("ListStreams", JSON, body);
            // The check of the format comes before the target and before authentication.
            let others = [
                signed.clone().without("Authorization"),
                signed.clone().without("X-Amz-Target"),
                signed.clone(),
            ];
            for request in others {
                let answer = lab.send_both(&request).await;
                let text = answer.text();
                assert_eq!(
                    (answer.status, text.as_str()),
                    (400, SERIALIZATION),
                    "{body:?}"
                );
                check_usual(&answer);
            }
            assert_eq!(SERIALIZATION.len(), 35);
        }
    }
);

wire_test!(cbor_that_is_no_map_is_refused_in_cbor, |lab| async move {
    let bodies: [&[u8]; 9] = [
        b"\xff",
        b"\xf6",
        b"\xf5",
        b"\x80",
        b"\x61a",
        b"\x01",
        b"\xa1",
        b"\xbf",
        b"\xa1\x61\xff\x01",
    ];
    for body in bodies {
        for request in [
            Request::cbor("ListStreams", body),
            Request::cbor("ListStreams", body).without("Authorization"),
            Request::cbor("Nothing", body),
        ] {
            let answer = lab.send_both(&request).await;
            assert_eq!(
                answer.refusal().to_string(),
                "SerializationException",
                "{body:02x?}"
            );
            assert_eq!(answer.header("content-type"), Some(CBOR));
            let expected = b"\xa1\x66__type\x76SerializationException";
            assert_eq!(answer.body, expected);
            check_usual(&answer);
        }
    }
});

wire_test!(
    plain_json_has_an_envelope_of_its_own_and_is_always_refused,
    |lab| async move {
        let plain = |body: &str| Request::call("ListStreams", "application/json", body.as_bytes());
        let coral = |name: &str| {
            format!(
                r#"{{"Output":{{"__type":"com.amazon.coral.service#{name}"}},"Version":"1.0"}}"#
            )
        };
        for body in ["{", "true", "null", "\"a\"", "[]", "\u{feff}{}"] {
            let answer = lab.send_both(&plain(body).without("Authorization")).await;
            assert_eq!(
                (answer.status, answer.text()),
                (400, coral("SerializationException")),
                "{body}"
            );
            assert_eq!(answer.header("content-type"), Some("application/json"));
            check_usual(&answer);
        }
        for request in [
            plain("{}"),
            plain("{}").without("Authorization"),
            plain(r#"{"Limit":"a"}"#).without("X-Amz-Target"),
            plain("{}").header("Content-Type", "application/json; charset=utf-8"),
        ] {
            let answer = lab.send_both(&request).await;
            assert_eq!(
                (answer.status, answer.text()),
                (404, coral("UnknownOperationException"))
            );
            assert_eq!(answer.header("content-type"), Some("application/json"));
            check_usual(&answer);
        }
    }
);

wire_test!(
    an_empty_body_is_refused_before_anything_else_is_looked_at,
    |lab| async move {
        let cbor_unknown = b"\xa1\x66__type\x78\x19UnknownOperationException";
        let cbor_unreadable = b"\xa1\x66__type\x76SerializationException";
        let target = "Kinesis_20131202.ListStreams";
        let bare = Request::bare("POST", "/");
        let cases: [(Request, &str, &[u8]); 8] = [
            (bare.clone(), CBOR, cbor_unknown),
            (
                bare.clone().header("X-Amz-Target", target),
                CBOR,
                cbor_unreadable,
            ),
            (
                bare.clone()
                    .header("X-Amz-Target", target)
                    .header("Content-Type", JSON),
                JSON,
                SERIALIZATION.as_bytes(),
            ),
            (
                bare.clone()
                    .header("X-Amz-Target", target)
                    .header("Content-Type", CBOR),
                CBOR,
                cbor_unreadable,
            ),
            (
                bare.clone()
                    .header("X-Amz-Target", "a.b")
                    .header("Content-Type", JSON),
                JSON,
                UNKNOWN.as_bytes(),
            ),
            (
                bare.clone().header("Content-Type", "application/json"),
                CBOR,
                cbor_unknown,
            ),
            (
                bare.clone()
                    .header("Content-Type", "text/plain")
                    .header("X-Amz-Target", target),
                CBOR,
                cbor_unreadable,
            ),
            (
                Request::json("ListStreams", ""),
                JSON,
                SERIALIZATION.as_bytes(),
            ),
        ];
        for (request, content_type, body) in cases {
            let answer = lab.send_both(&request).await;
            assert_eq!(answer.status, 400, "{request:?}");
            assert_eq!(
                answer.header("content-type"),
                Some(content_type),
                "{request:?}"
            );
            assert_eq!(answer.body, body, "{request:?}");
            check_usual(&answer);
        }
    }
);

wire_test!(
    operations_without_output_answer_nothing_at_all,
    |lab| async move {
        for (operation, rest) in [("CreateStream", r#","ShardCount":1"#), ("DeleteStream", "")] {
            for (name, content_type) in [("json", JSON), ("cbor", CBOR)] {
                let body = format!(r#"{{"StreamName":"{name}"{rest}}}"#);
                let shape = minikin::internals::operation::Entry::find(operation)
                    .unwrap()
                    .input;
                let body = match content_type {
                    JSON => body.into_bytes(),
                    _ => cbor::of_json(&body, shape),
                };
                let answer = lab
                    .send(&Request::call(operation, content_type, &body))
                    .await;
                assert_eq!(
                    (answer.status, answer.body.as_slice()),
                    (200, b"".as_slice())
                );
                assert_eq!(answer.header("content-length"), Some("0"));
                assert_eq!(answer.header("content-type"), Some(content_type));
                check_usual(&answer);
            }
        }
    }
);

wire_test!(no_answer_names_its_error_in_a_header, |lab| async move {
    for entry in OPERATIONS {
        let answer = lab.json(entry.name, r#"{"StreamName":":"}"#).await;
        for name in [
            "x-amzn-errortype",
            "x-amz-crc32",
            "connection",
            "server",
            "vary",
        ] {
            assert_eq!(answer.header(name), None, "{}", entry.name);
        }
    }
});
