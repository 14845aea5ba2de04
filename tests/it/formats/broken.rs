//! Documents that cannot be read. They are refused without an internal failure, and nothing
//! changes.

use crate::lab::{Answer, Lab, Request, cbor, kinesis_test, wire_test};
use minikin::internals::operation::{Entry, OPERATIONS};

const PUT: &str =
    r#"{"StreamName":"s","PartitionKey":"kéy","Data":"AAAA","ExplicitHashKey":"0","DryRun":false}"#;
const PUTS: &str = r#"{"StreamName":"s","Records":[{"PartitionKey":"a","Data":"AA=="},{"PartitionKey":"b","Data":""}]}"#;
const CREATE: &str = r#"{"StreamName":"t","ShardCount":2,"Tags":{"a":"b"},"StreamModeDetails":{"StreamMode":"PROVISIONED"}}"#;
const DELETE: &str = r#"{"StreamName":"s","EnforceConsumerDeletion":true}"#;

fn check_refused(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {}", answer.text());
    assert_eq!(
        answer.refusal().to_string(),
        "SerializationException",
        "{what}"
    );
}

kinesis_test!(
    a_body_cut_at_any_byte_is_refused_and_changes_nothing,
    |lab| async move {
        lab.stream("s").create().await;
        let before = lab.everything().await;
        for (operation, body) in [
            ("PutRecord", PUT),
            ("PutRecords", PUTS),
            ("CreateStream", CREATE),
            ("DeleteStream", DELETE),
        ] {
            for kept in 1..body.len() {
                let request = Request::call(
                    operation,
                    "application/x-amz-json-1.1",
                    &body.as_bytes()[..kept],
                );
                check_refused(
                    &lab.send(&request).await,
                    &format!("{operation} cut at {kept}"),
                );
            }
            let bytes = cbor::of_json(body, Entry::find(operation).unwrap().input);
            for kept in 1..bytes.len() {
                let answer = lab.cbor(operation, &bytes[..kept]).await;
                check_refused(&answer, &format!("{operation} in CBOR cut at {kept}"));
            }
        }
        assert_eq!(lab.everything().await, before);
    }
);

wire_test!(a_changed_byte_never_makes_a_failure, |lab| async move {
    lab.stream("s").create().await;
    for (operation, body) in [("PutRecords", PUTS), ("CreateStream", CREATE)] {
        let whole = cbor::of_json(body, Entry::find(operation).unwrap().input);
        for (format, whole) in [("cbor", whole), ("json", body.as_bytes().to_vec())] {
            for at in 0..whole.len() {
                for flip in [0x01, 0x20, 0x80, 0xff] {
                    let mut bytes = whole.clone();
                    bytes[at] ^= flip;
                    let kind = format!("application/x-amz-{format}-1.1");
                    let answer = lab.send(&Request::call(operation, &kind, &bytes)).await;
                    let what = format!("{operation} in {format}, {at} by {flip:#x}");
                    assert!(
                        matches!(answer.status, 200 | 400),
                        "{what}: {}",
                        answer.text()
                    );
                }
            }
        }
    }
});

wire_test!(
    lone_surrogates_and_bad_utf_8_are_refused,
    |lab| async move {
        lab.stream("s").create().await;
        for key in [
            r"\ud800",
            r"\udc00",
            r"\ud800\u0041",
            r"a\udbff",
            r"\ude00\ud83d",
            r"\u12",
            r"\x",
        ] {
            let body = format!(r#"{{"StreamName":"s","Data":"","PartitionKey":"{key}"}}"#);
            check_refused(&lab.json("PutRecord", &body).await, key);
        }
        for key in [
            b"\xff".as_slice(),
            b"\xc3",
            b"\xed\xa0\x80",
            b"\xf5\x80\x80\x80",
            b"\x01",
            b"\n",
        ] {
            let body = [
                br#"{"StreamName":"s","Data":"","PartitionKey":""#,
                key,
                b"\"}",
            ]
            .concat();
            let request = Request::call("PutRecord", "application/x-amz-json-1.1", &body);
            check_refused(&lab.send(&request).await, &format!("{key:02x?}"));
        }
        let body = b"\xa1\x6cPartitionKey\x61\xff";
        check_refused(&lab.cbor("PutRecord", body).await, "in CBOR");
    }
);

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

wire_test!(
    deep_documents_are_refused_or_skipped_and_do_no_harm,
    |lab| async move {
        for depth in [129, 300, 100_000] {
            let body = format!(r#"{{"Limit":{}}}"#, nested(depth));
            check_refused(&lab.json("ListStreams", &body).await, "json");
            check_refused(&lab.json("ListStreams", &nested(depth)).await, "json");
            let open = format!(r#"{{"Limit":{}"#, "[".repeat(depth));
            check_refused(&lab.json("ListStreams", &open).await, "json, never closed");
            let maps = format!(r#"{}1{}"#, r#"{"Tags":"#.repeat(depth), "}".repeat(depth));
            check_refused(&lab.json("CreateStream", &maps).await, "json maps");
        }
        for depth in [300, 100_000] {
            let item = [vec![0x81; depth], vec![0x80]].concat();
            let known = [b"\xa1\x65Limit".as_slice(), &item].concat();
            check_refused(&lab.cbor("ListStreams", &known).await, "cbor");
            let open = [b"\xbf\x65Limit".as_slice(), &vec![0x9f; depth]].concat();
            check_refused(&lab.cbor("ListStreams", &open).await, "cbor, never closed");
            let tags = [b"\xa1\x65Limit".as_slice(), &vec![0xc1; depth], &[0x01]].concat();
            check_refused(&lab.cbor("ListStreams", &tags).await, "cbor tags");
        }
        let message = lab
            .refusal("ListStreams", &format!(r#"{{"Limit":{}}}"#, nested(100)))
            .await;
        assert_eq!(
            message,
            "SerializationException (Message): Start of list found where not expected"
        );
    }
);

wire_test!(
    huge_announced_lengths_are_refused_at_once,
    |lab| async move {
        for length in [0xff_ffff_u64, 0xffff_ffff, 0x00ff_ffff_ffff_ffff, u64::MAX] {
            for major in [0x5b_u8, 0x7b, 0x9b, 0xbb] {
                let item = [&[major], length.to_be_bytes().as_slice(), b"abc"].concat();
                for name in ["Limit", "NextToken", "Unknown"] {
                    let head = [0xa1, 0x60 + u8::try_from(name.len()).unwrap()];
                    let body = [head.as_slice(), name.as_bytes(), &item].concat();
                    check_refused(
                        &lab.cbor("ListStreams", &body).await,
                        &format!("{item:02x?}"),
                    );
                }
                check_refused(
                    &lab.cbor("ListStreams", &item).await,
                    &format!("{item:02x?}"),
                );
            }
        }
        let entries = b"\xa1\x67Records\x9b\xff\xff\xff\xff\xff\xff\xff\xff\xa0";
        check_refused(&lab.cbor("PutRecords", entries).await, "records");
    }
);

wire_test!(stray_items_are_refused_in_cbor, |lab| async move {
    for body in [
        b"\xa1\x01\x02".as_slice(),
        b"\xa1\xf6\x02",
        b"\xbf\x61a\xff",
        b"\xa1\x61a\xff",
        b"\xa1\x61a\x1c",
        b"\xa1\x61a\xf8\x10",
        b"\x5f\xff",
        b"\xbf\x61a\x5f\x61b\xff\xff",
    ] {
        let answer = lab.cbor("ListStreams", body).await;
        check_refused(&answer, &format!("{body:02x?}"));
    }
});

async fn check_answers(lab: &Lab, request: &Request) {
    let answer = lab.send(request).await;
    assert!(
        matches!(answer.status, 200 | 400),
        "{request:?}: {}",
        answer.text()
    );
}

wire_test!(
    no_operation_fails_on_odd_but_well_formed_documents,
    |lab| async move {
        lab.stream("s").create().await;
        let odd = [
            "{}",
            r#"{"StreamName":"s"}"#,
            r#"{"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}"#,
            r#"{"StreamARN":"arn:aws:kinesis::000000000000:stream/s/consumer/c:1"}"#,
            r#"{"StreamARN":"arn:aws-x:kinesis:::999999999999:stream/stream/é"}"#,
            r#"{"StreamName":"s","ShardId":"-","ShardIteratorType":"LATEST"}"#,
            r#"{"StreamName":"s","ShardId":"0","ShardIteratorType":"AT_TIMESTAMP","Timestamp":-1e300}"#,
            r#"{"StreamName":"s","ShardId":"0","ShardIteratorType":"AT_TIMESTAMP","Timestamp":1e300}"#,
            r#"{"StreamName":"s","ShardFilter":{"Type":"FROM_TIMESTAMP","Timestamp":-1e300}}"#,
            r#"{"StreamName":"s","ShardFilter":{"Type":"AT_TIMESTAMP","Timestamp":1e300}}"#,
            r#"{"StreamName":"s","StreamCreationTimestamp":1e300}"#,
            r#"{"ShardIterator":"é"}"#,
            r#"{"NextToken":"é"}"#,
        ];
        for entry in OPERATIONS
            .iter()
            .filter(|entry| entry.name != "DeleteStream")
        {
            for body in odd {
                check_answers(&lab, &Request::json(entry.name, body)).await;
                let bytes = cbor::of_json(body, entry.input);
                check_answers(&lab, &Request::cbor(entry.name, &bytes)).await;
            }
        }
    }
);

wire_test!(
    unreadable_values_are_refused_in_unknown_members_too,
    |lab| async move {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for unknown in [deep.as_bytes(), br#""\ud800""#, b"\"\xff\"", b"1e999"] {
            for limit in ["1", "0"] {
                let rest = format!(r#","Limit":{limit}}}"#);
                let body = [br#"{"Unknown":"#, unknown, rest.as_bytes()].concat();
                let request = Request::call("ListStreams", "application/x-amz-json-1.1", &body);
                check_refused(&lab.send(&request).await, &String::from_utf8_lossy(&body));
            }
        }
    }
);

// An unknown member contains a map with a number as a key, or a tagged key. The fast reader accepts
// such a request, and the explaining reader refuses it.
wire_test!(
    odd_keys_in_unknown_members_are_one_thing_or_the_other,
    |lab| async move {
        for body in [
            b"\xa2\x67Unknown\xa1\x01\x02\x65Limit".as_slice(),
            b"\xa2\xc1\x67Unknown\x02\x65Limit",
        ] {
            let good = lab.cbor("ListStreams", &[body, &[1]].concat()).await;
            let bad = lab
                .cbor("ListStreams", &[body, &[0]].concat())
                .await
                .refusal()
                .kind;
            let expected = if good.status == 200 {
                "ValidationException"
            } else {
                "SerializationException"
            };
            assert_eq!(bad, expected, "{body:02x?}");
        }
    }
);
