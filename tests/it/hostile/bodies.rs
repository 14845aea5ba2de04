//! Hostile bodies: announced and not sent, endless, too many at the same time, deeply nested, and
//! with a wrong length.

use super::{check_served, counter, list, until};
use crate::lab::raw::Connection;
use crate::lab::request::{CBOR, JSON};
use crate::lab::{Lab, Request, Stream, wire_test};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncWriteExt as _;

const SLOW: &str = r#"{"__type":"RequestTimeoutException","message":"The request's body was not received in time."}"#;
const BUDGET_EXHAUSTED: &str = r#"{"__type":"ServiceUnavailable","message":"The request has failed due to a temporary failure of the server."}"#;

/// The head of a call with an announced body. The body is not sent.
fn promise(bytes: usize) -> Vec<u8> {
    Request::call("PutRecord", JSON, b"")
        .header("Content-Length", &bytes.to_string())
        .head()
}

wire_test!(
    a_body_that_does_not_come_is_given_up,
    ["--limit", "body-stall-seconds=0"],
    |lab: Lab| async move {
        for begun in [b"".as_slice(), b"{", &[b' '; 10_000]] {
            let mut connection = lab.connect().await;
            connection.send(&[&promise(20_000), begun].concat()).await;
            let answer = connection.answer(true).await;
            assert_eq!((answer.status, answer.text().as_str()), (408, SLOW));
            assert_eq!(connection.rest().await, b"", "and the connection ends");
        }
        until(
            &lab,
            "requests_total{operation=\"PutRecord\",outcome=\"too_slow\"}",
            3,
        )
        .await;
        until(&lab, "in_flight_bytes", 0).await;
        check_served(&lab).await;
    }
);

wire_test!(
    our_own_paths_wait_for_no_body_either_nor_take_much_of_one,
    ["--limit", "body-stall-seconds=0"],
    |lab: Lab| async move {
        for (bytes, status) in [(100, 408), (1 << 20, 413)] {
            let head = Request::bare("POST", "/_minikin/clock")
                .header("Content-Length", &bytes.to_string())
                .head();
            let mut connection = lab.connect().await;
            connection.send(&head).await;
            if status == 413 {
                connection.send(&vec![b' '; bytes]).await;
            }
            let answered = connection.answer(true).await.status;
            assert!(answered == status || answered == 408, "{answered}");
        }
        check_served(&lab).await;
    }
);

wire_test!(
    own_paths_read_no_body_that_they_do_not_take,
    ["--limit", "body-stall-seconds=0"],
    |lab: Lab| async move {
        // The bodies are announced and not sent. An answer shows that the server did not wait for
        // the body.
        for (method, path, status) in [
            ("GET", "/_minikin/metrics", 200),
            ("GET", "/_minikin/health/ready", 200),
            ("POST", "/_minikin/metrics", 405),
            ("POST", "/_minikin/nothing", 404),
            ("GET", "/_minikin/clock", 200),
        ] {
            let request = Request::bare(method, path).header("Content-Length", "60000");
            let mut connection = lab.connect().await;
            connection
                .send(&[&request.head(), &b"{"[..]].concat())
                .await;
            assert_eq!(
                connection.answer(true).await.status,
                status,
                "{method} {path}"
            );
        }
        check_served(&lab).await;
    }
);

/// Sends a request as many clients do: sends the whole body before it reads the answer. Afterwards
/// sends a small request over the same connection.
async fn sent_whole(lab: &Lab, request: &Request) -> crate::lab::Answer {
    let mut stream = tokio::net::TcpStream::connect(lab.address()).await.unwrap();
    let bytes = request.bytes();
    let sending = stream.write_all(&bytes);
    let sent = crate::lab::within("the body to be read", sending).await;
    sent.unwrap();
    let mut connection = Connection::over(stream);
    let answer = connection.answer(true).await;
    assert_eq!(connection.exchange(&list()).await.status, 200);
    answer
}

wire_test!(
    a_refusal_reaches_a_client_that_sends_its_whole_body_first,
    |lab: Lab| async move {
        lab.stream("s").create().await;
        let own = |method, path: &str| Request::bare(method, &format!("/_minikin/{path}"));
        let page = own("POST", "clock").header("Origin", "https://example.com");
        for (request, bytes, status) in [
            (own("POST", "clock"), 5 << 20, 413),
            (own("PUT", "faults"), 5 << 20, 413),
            (own("POST", "reset"), 5 << 20, 413),
            (own("POST", "streams/s/records"), 30 << 20, 413),
            (own("PUT", "snapshot"), 30 << 20, 400),
            (own("POST", "nothing"), 5 << 20, 404),
            (own("POST", "metrics"), 5 << 20, 405),
            (own("POST", "reset?x=1"), 5 << 20, 400),
            (own("GET", "clock"), 5 << 20, 200),
            (page, 5 << 20, 403),
            (Request::call("PutRecord", JSON, b""), 30 << 20, 413),
        ] {
            let is_own = request.path.starts_with("/_minikin/");
            let what = format!("{} {}", request.method, request.path);
            let request = request.body(&vec![b' '; bytes]);
            for request in [request.clone(), request.chunked(1 << 16)] {
                let answer = sent_whole(&lab, &request).await;
                assert_eq!(answer.status, status, "{what}");
                if is_own && status != 200 {
                    assert!(answer.value()["message"].is_string(), "{what}");
                }
            }
        }
        until(&lab, "in_flight_bytes", 0).await;
    }
);

wire_test!(
    own_paths_check_access_before_they_read_a_body,
    ["--limit", "body-stall-seconds=0"],
    |lab: Lab| async move {
        let page = Request::bare("POST", "/_minikin/clock")
            .header("Content-Length", "60000")
            .header("Origin", "https://example.com");
        let mut connection = lab.connect().await;
        connection.send(&page.head()).await;
        assert_eq!(connection.answer(true).await.status, 403);
    }
);

wire_test!(
    the_body_that_an_own_path_takes_is_within_the_budget,
    |lab: Lab| async move {
        let head = Request::bare("POST", "/_minikin/clock")
            .header("Content-Length", "60000")
            .head();
        let mut connection = lab.connect().await;
        connection
            .send(&[&head, &[b' '; 30_000][..]].concat())
            .await;
        let held = minikin::internals::limits::REQUEST_PERMIT_BYTES
            + minikin::internals::limits::SMALL_BYTES;
        until(&lab, "in_flight_bytes", held).await;
        drop(connection);
        until(&lab, "in_flight_bytes", 0).await;
    }
);

wire_test!(
    a_body_that_takes_too_long_altogether_is_given_up,
    ["--limit", "body-seconds=0"],
    |lab: Lab| async move {
        let mut connection = lab.connect().await;
        connection.send(&promise(20_000)).await;
        assert_eq!(connection.answer(true).await.status, 408);
    }
);

wire_test!(
    announced_bodies_hold_no_memory_and_thousands_are_served,
    ["--limit", "in-flight-bytes=16777216"],
    |lab: Lab| async move {
        let mut held = Vec::new();
        for _ in 0..200 {
            let mut connection = lab.connect().await;
            connection
                .send(&[&promise(20 << 20), b"{".as_slice()].concat())
                .await;
            held.push(connection);
        }
        // All connections together have the permits of 200 requests, and not of 4 GB.
        let permits = 200 * minikin::internals::limits::REQUEST_PERMIT_BYTES;
        until(&lab, "in_flight_bytes", permits).await;
        check_served(&lab).await;
        drop(held);
        until(&lab, "in_flight_bytes", 0).await;
    }
);

wire_test!(
    an_exhausted_budget_refuses_large_requests_and_serves_small_ones,
    [
        "--limit",
        "in-flight-bytes=16777216",
        "--limit",
        "admission-wait-seconds=0",
        "--profile",
        "fast"
    ],
    |lab: Lab| async move {
        let stream = lab.stream("s").create().await;
        let mut holding = lab.connect().await;
        let some = [b' '; 100_000];
        holding
            .send(&[&promise(20 << 20), some.as_slice()].concat())
            .await;
        let permits = minikin::internals::limits::REQUEST_PERMIT_BYTES
            + minikin::internals::limits::SMALL_BYTES;
        until(&lab, "in_flight_bytes", permits + 2 * (20 << 20)).await;

        let large = put("s", 1_000_000);
        let answer = lab.connect().await.exchange(&large).await;
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (503, BUDGET_EXHAUSTED)
        );
        crate::routing::check_usual(&answer);
        let other = tokio::net::TcpStream::connect(lab.address()).await.unwrap();
        let other = crate::lab::h2::exchange(other, std::slice::from_ref(&large)).await;
        assert_eq!(other[0].status, 503);
        assert_eq!(counter(&lab, "admission_refused_total").await, 2);
        stream.put("key", "small").await;

        drop(holding);
        until(&lab, "in_flight_bytes", 0).await;
        assert_eq!(lab.connect().await.exchange(&large).await.status, 200);
    }
);

fn put(stream: &str, bytes: usize) -> Request {
    let data = STANDARD.encode(vec![7; bytes]);
    let body = format!(r#"{{"StreamName":"{stream}","PartitionKey":"k","Data":"{data}"}}"#);
    Request::json("PutRecord", &body)
}

wire_test!(
    many_large_records_at_once_wait_for_each_other_and_all_go_in,
    [
        "--limit",
        "in-flight-bytes=8388608",
        "--limit",
        "admission-wait-seconds=off",
        "--profile",
        "fast"
    ],
    |lab: Lab| async move {
        lab.stream("s").create().await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (lab, request) = (lab.clone(), put("s", 1_000_000));
            tasks.spawn(async move { lab.connect().await.exchange(&request).await.status });
        }
        let statuses = tasks.join_all().await;
        assert_eq!(statuses, [200; 20]);
        let read = Stream::existing(&lab, "s").read_all().await;
        assert_eq!(read.len(), 20);
        until(&lab, "in_flight_bytes", 0).await;
    }
);

wire_test!(
    chunks_without_an_end_stop_at_the_limit_of_a_body,
    ["--limit", "request-bytes=200000"],
    |lab: Lab| async move {
        for chunk in [b"1\r\nx\r\n".repeat(10_000), b"2710\r\n".to_vec()] {
            let mut connection = lab.connect().await;
            let head = Request::call("PutRecord", JSON, b"").chunked(1).head();
            connection.send(&head).await;
            let filled = if chunk.len() > 10 {
                chunk
            } else {
                [chunk, vec![b'x'; 10_000], b"\r\n".to_vec()].concat()
            };
            // The server discards bytes that arrive after the refusal.
            for _ in 0..25 {
                connection.send(&filled).await;
            }
            assert_eq!(connection.answer(true).await.status, 413);
        }
        check_served(&lab).await;
    }
);

wire_test!(
    a_chunk_with_a_wrong_length_is_refused,
    |lab: Lab| async move {
        let head = Request::call("ListStreams", JSON, b"").chunked(1).head();
        for lie in [
            "2\r\n{}x\r\n0\r\n\r\n",
            "g\r\n",
            "fffffffffffffffff\r\n{}",
            "-1\r\n{}\r\n",
        ] {
            let mut connection = lab.connect().await;
            connection.send(&[&head, lie.as_bytes()].concat()).await;
            let rest = connection.rest().await;
            let text = String::from_utf8_lossy(&rest);
            assert!(!text.starts_with("HTTP/1.1 200"), "{lie}: {text}");
        }
        check_served(&lab).await;
    }
);

wire_test!(
    documents_of_any_depth_are_refused_or_passed_over,
    |lab: Lab| async move {
        let deep = 1_000_000;
        let json = |open: &str, close: &str| {
            format!(r#"{{"Deep":{}1{}}}"#, open.repeat(deep), close.repeat(deep))
        };
        for body in [
            json("[", "]"),
            json(r#"{"a":"#, "}"),
            "[".repeat(deep),
            "{\"a\":".repeat(deep),
        ] {
            let answer = lab.send(&Request::json("ListStreams", &body)).await;
            assert_eq!(answer.status, 400, "{}", &body[..20]);
        }
        for open in [
            &[0x81][..],
            &[0x9f],
            &[0xa1, 0x61, b'a'],
            &[0xbf, 0x61, b'a'],
            &[0xc1],
            &[0x7f],
        ] {
            let body = [&[0xa1, 0x61, b'D'], open.repeat(deep).as_slice()].concat();
            for body in [&body[..], &body[3..]] {
                let answer = lab.send(&Request::call("ListStreams", CBOR, body)).await;
                assert_eq!(answer.status, 400, "{open:x?}");
            }
        }
        check_served(&lab).await;
    }
);

wire_test!(
    lengths_in_cbor_that_lie_take_no_memory,
    |lab: Lab| async move {
        for head in [0x5b, 0x7b, 0x9b, 0xbb] {
            for length in [u64::MAX, i64::MAX as u64, 1 << 40, 1 << 33] {
                let value = [&[head][..], &length.to_be_bytes(), b"abc"].concat();
                let member = [&[0xa1, 0x64][..], b"Data", &value].concat();
                for body in [value, member] {
                    let answer = lab.send(&Request::call("PutRecord", CBOR, &body)).await;
                    assert_eq!(answer.status, 400, "{head:x} {length}");
                }
            }
        }
        assert_eq!(lab.send(&list()).await.status, 200);
    }
);
