//! Bodies with a length, in chunks, after `Expect`, too large, or incomplete.

use crate::lab::request::JSON;
use crate::lab::{Answer, Lab, Request, wire_test};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

/// A request for a listing whose body has exactly `bytes` bytes.
fn sized(bytes: usize) -> Request {
    let mut body = b"{".to_vec();
    body.resize(bytes - 1, b' ');
    body.push(b'}');
    Request::call("ListStreams", JSON, &body)
}

fn check_too_large(answer: &Answer, what: &str) {
    assert_eq!((answer.status, answer.body.len()), (413, 0), "{what}");
    for name in [
        "x-amzn-requestid",
        "x-amz-id-2",
        "content-type",
        "content-length",
    ] {
        assert_eq!(answer.header(name), None, "{what}");
    }
    assert_eq!(
        answer.header("transfer-encoding"),
        Some("chunked"),
        "{what}"
    );
}

/// Sends a request on its own connection.
async fn alone(lab: &Lab, request: &Request) -> Answer {
    lab.connect().await.exchange(request).await
}

wire_test!(
    the_limit_of_a_body_is_exact,
    ["--limit", "request-bytes=1000"],
    |lab| async move {
        for chunk in [None, Some(1), Some(7), Some(999), Some(1001)] {
            let of = |bytes: usize| match chunk {
                None => sized(bytes),
                Some(size) => sized(bytes).chunked(size),
            };
            let what = format!("{chunk:?}");
            assert_eq!(alone(&lab, &of(1000)).await.status, 200, "{what}");
            check_too_large(&alone(&lab, &of(1001)).await, &what);
            check_too_large(&alone(&lab, &of(5000)).await, &what);
        }
        // The check of the body's size comes before all others.
        let odd = sized(1001)
            .without("Authorization")
            .header("Content-Type", "x")
            .method("PUT");
        check_too_large(&alone(&lab, &odd).await, "odd");
    }
);

wire_test!(
    a_body_of_twenty_mebibytes_is_read_and_a_larger_one_refused_unread,
    |lab| async move {
        let limit = 20 << 20;
        assert_eq!(alone(&lab, &sized(limit)).await.status, 200);
        let mut connection = lab.connect().await;
        let head = Request::call("ListStreams", JSON, b"")
            .header("Content-Length", &(limit + 1).to_string())
            .head();
        connection.send(&head).await;
        check_too_large(&connection.answer(true).await, "announced");
        check_too_large(
            &alone(&lab, &sized(limit + 1).chunked(1 << 20)).await,
            "in chunks",
        );
    }
);

wire_test!(
    a_body_in_chunks_is_the_same_as_one_of_a_length,
    |lab| async move {
        lab.stream("s").create().await;
        let data = STANDARD.encode([7; 5000]);
        let body = json!({"StreamName": "s", "PartitionKey": "k", "Data": data}).to_string();
        for size in [1, 3, 1000, 10_000] {
            let answer = lab
                .send(&Request::json("PutRecord", &body).chunked(size))
                .await;
            assert_eq!(answer.status, 200, "{size}");
        }
        let records = crate::lab::Stream::existing(&lab, "s").read_all().await;
        assert_eq!(records.len(), 4);
        assert!(
            records
                .iter()
                .all(|record| record.data.as_ref() == [7; 5000])
        );
        let empty = Request::json("ListStreams", "").chunked(1);
        assert_eq!(
            lab.send(&empty).await.text(),
            r#"{"__type":"SerializationException"}"#
        );
    }
);

wire_test!(
    an_expectation_is_met_before_the_body_is_sent,
    |lab| async move {
        let request = sized(2_000_000).header("Expect", "100-continue");
        let mut connection = lab.connect().await;
        for _ in 0..2 {
            connection.send(&request.head()).await;
            assert_eq!(connection.answer(false).await.status, 100);
            connection.send(&request.body).await;
            assert_eq!(connection.answer(true).await.status, 200);
        }
    }
);

wire_test!(
    a_body_that_is_too_large_is_refused_in_the_place_of_its_expectation,
    |lab| async move {
        let request = Request::call("ListStreams", JSON, b"")
            .header("Expect", "100-continue")
            .header("Content-Length", "99999999999");
        let mut connection = lab.connect().await;
        connection.send(&request.head()).await;
        check_too_large(&connection.answer(true).await, "no interim answer");
    }
);

wire_test!(
    a_request_that_is_cut_off_has_no_answer_and_changes_nothing,
    |lab| async move {
        lab.stream("s").create().await;
        let before = lab.everything().await;
        let body = r#"{"StreamName":"s","PartitionKey":"k","Data":"AAAA"}"#;
        for request in [
            Request::json("PutRecord", body),
            Request::json("PutRecord", body).chunked(10),
        ] {
            let bytes = request.bytes();
            for kept in 1..bytes.len() {
                let mut connection = lab.connect().await;
                connection.send(&bytes[..kept]).await;
                connection.finish_sending().await;
                let answer = connection.answer_or_end().await;
                let status = answer.map(|answer| answer.status);
                assert!(
                    matches!(status, None | Some(400)),
                    "{status:?} after {kept} bytes"
                );
            }
        }
        assert_eq!(lab.everything().await, before);
    }
);

wire_test!(encoded_bodies_are_not_decoded, |lab| async move {
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0];
    let request = Request::call("ListStreams", JSON, &gzip).header("Content-Encoding", "gzip");
    assert_eq!(
        lab.send(&request).await.text(),
        r#"{"__type":"SerializationException"}"#
    );
});
