//! Connections: kept open, shared, pipelined, with a refused upgrade, and broken.

use crate::lab::{Lab, Place, Request, START_MS, h2, ms, run, seconds, wire_test};
use bytes::Bytes;
use minikin::internals::world::{Fault, Point, Rule};
use serde_json::{Value, json};
use std::pin::Pin;
use std::task::Poll;
use tokio::net::TcpStream;

fn list() -> Request {
    Request::json("ListStreams", "{}")
}

wire_test!(
    a_connection_is_kept_for_the_next_request,
    |lab| async move {
        let mut connection = lab.connect().await;
        for _ in 0..10 {
            let answer = connection.exchange(&list()).await;
            assert_eq!((answer.status, answer.header("connection")), (200, None));
        }
        // The emulator's time has no effect on connections.
        lab.clock.advance(seconds(86_400)).await;
        assert_eq!(connection.exchange(&list()).await.status, 200);
    }
);

wire_test!(refusals_do_not_end_a_connection, |lab| async move {
    let mut connection = lab.connect().await;
    for (request, status) in [
        (Request::json("ListStreams", "{"), 400),
        (Request::json("ListStreams", ""), 400),
        (Request::json("Nothing", "{}"), 400),
        (list().without("Authorization"), 400),
        (list().header("Content-Type", "x"), 404),
        (Request::bare("GET", "/"), 403),
        (
            Request::bare("OPTIONS", "/").header("Origin", "http://localhost"),
            200,
        ),
        (list(), 200),
    ] {
        assert_eq!(connection.exchange(&request).await.status, status);
    }
});

wire_test!(
    an_internal_failure_is_answered_and_the_connection_stays_open,
    |lab| async move {
        lab.stream("s").create().await;
        let failing = r#"{"StreamName":"s","ShardId":"shardId-0",
        "ShardIteratorType":"AT_SEQUENCE_NUMBER","StartingSequenceNumber":"0"}"#;
        let mut connection = lab.connect().await;
        let answer = connection
            .exchange(&Request::json("GetShardIterator", failing))
            .await;
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (500, r#"{"__type":"InternalFailure"}"#)
        );
        super::check_usual(&answer);
        assert_eq!(connection.exchange(&list()).await.status, 200);
    }
);

wire_test!(connection_close_is_honoured, |lab| async move {
    let mut connection = lab.connect().await;
    let answer = connection
        .exchange(&list().header("Connection", "close"))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(connection.rest().await, b"");
});

wire_test!(pipelined_requests_are_answered_in_order, |lab| async move {
    let mut connection = lab.connect().await;
    let requests = [
        list(),
        Request::json("Nothing", "{}"),
        list(),
        Request::bare("GET", "/"),
    ];
    let bytes: Vec<u8> = requests.iter().flat_map(Request::bytes).collect();
    connection.send(&bytes).await;
    for status in [200, 400, 200, 403] {
        assert_eq!(connection.answer(true).await.status, status);
    }
});

wire_test!(an_upgrade_to_http_2_is_ignored, |lab| async move {
    let request = list()
        .header("Connection", "Upgrade, HTTP2-Settings")
        .header("Upgrade", "h2c")
        .header("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA");
    let answer = lab.connect().await.exchange(&request).await;
    assert_eq!(answer.status, 200);
});

wire_test!(
    one_http_2_connection_carries_many_requests,
    |lab| async move {
        let stream = TcpStream::connect(lab.address()).await.unwrap();
        let requests: Vec<_> = (0..20)
            .map(|at| {
                if at % 2 == 0 {
                    list()
                } else {
                    Request::json("ListStreams", "{")
                }
            })
            .collect();
        let answers = h2::exchange(stream, &requests).await;
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [200, 400].repeat(10));
    }
);

wire_test!(headers_are_read_in_any_case, |lab| async move {
    let mut request = list();
    for (name, _) in &mut request.headers {
        name.make_ascii_uppercase();
    }
    assert_eq!(lab.send(&request).await.status, 200);
    for (name, _) in &mut request.headers {
        name.make_ascii_lowercase();
    }
    assert_eq!(lab.send(&request).await.status, 200);
});

wire_test!(
    bytes_that_are_not_http_are_refused_and_do_no_harm,
    |lab| async move {
        for bytes in [
            b"\0\0\0\0\r\n\r\n".as_slice(),
            b"POST\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        ] {
            let mut connection = lab.connect().await;
            connection.send(bytes).await;
            connection.finish_sending().await;
            let rest = connection.rest().await;
            let text = String::from_utf8_lossy(&rest);
            assert!(
                !text.starts_with("HTTP/1.1 200") && !text.starts_with("HTTP/1.1 5"),
                "{text}"
            );
        }
        assert_eq!(lab.send(&list()).await.status, 200);
    }
);

wire_test!(
    the_date_is_the_machines_whatever_the_clock_says,
    |lab| async move {
        lab.clock.advance(ms(1)).await;
        let answer = lab.send(&list()).await;
        let date = answer.header("date").unwrap();
        assert!(
            !date.contains("14 Nov 2023"),
            "the clock stands at {START_MS}, not at {date}"
        );
    }
);

wire_test!(own_paths_are_not_the_services, |lab| async move {
    let get = |path: &str| Request::bare("GET", path);
    assert_eq!(
        lab.send(&get("/_minikin/health/live")).await.text(),
        "live\n"
    );
    assert_eq!(
        lab.send(&get("/_minikin/health/ready")).await.text(),
        "ready\n"
    );
    let pem = lab.send(&get("/_minikin/ca.pem")).await;
    assert!(
        pem.text().starts_with("-----BEGIN CERTIFICATE-----\n"),
        "{}",
        pem.text()
    );
    let answer = lab.send(&list().path("/_minikin/nothing")).await;
    assert_eq!(answer.status, 404);
    assert_eq!(lab.send(&list().path("/_minikin")).await.status, 200);
});

/// The statuses of the health paths of other tools, and LocalStack's document.
async fn health_of_other_tools(lab: &Lab) -> (Vec<u16>, Value) {
    let mut statuses = Vec::new();
    for path in ["/healthcheck", "/health", "/_localstack/health"] {
        statuses.push(lab.send(&Request::bare("GET", path)).await.status);
    }
    let document = lab.send(&Request::bare("GET", "/_localstack/health")).await;
    assert_eq!(document.header("content-type"), Some("application/json"));
    (statuses, serde_json::from_slice(&document.body).unwrap())
}

#[test]
fn the_health_paths_of_other_tools_answer_whether_writes_are_taken() {
    run(Place::Disk, &[], |lab| async move {
        let (statuses, document) = health_of_other_tools(&lab).await;
        assert_eq!(statuses, [200; 3]);
        assert_eq!(document["services"], json!({"kinesis": "running"}));
        assert_eq!(document["version"], env!("CARGO_PKG_VERSION"));
        lab.stream("s").create().await;
        lab.set_faults(vec![Rule::new(Point::Flush, Fault::Error).unwrap()]);
        let put = r#"{"StreamName":"s","PartitionKey":"k","Data":"AAAA"}"#;
        assert_eq!(lab.json("PutRecord", put).await.status, 500);
        let (statuses, document) = health_of_other_tools(&lab).await;
        assert_eq!(statuses, [503; 3]);
        assert_eq!(document["services"], json!({"kinesis": "error"}));
        lab.stop_failed().await;
    });
}

wire_test!(the_service_has_any_other_path, |lab| async move {
    for path in ["/health", "/healthcheck", "/_localstack/health", "/health/"] {
        assert_eq!(lab.send(&list().path(path)).await.status, 200, "{path}");
    }
    assert_eq!(
        lab.send(&Request::bare("GET", "/health/")).await.status,
        403
    );
});

/// A body whose end arrives in a frame of its own. The Java SDK sends such bodies.
#[derive(Debug)]
struct LateEnd(tokio::sync::mpsc::Receiver<Bytes>);

impl hyper::body::Body for LateEnd {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        let data = |data: Option<Bytes>| data.map(|data| Ok(hyper::body::Frame::data(data)));
        self.0.poll_recv(cx).map(data)
    }
}

wire_test!(
    over_http_2_an_answer_waits_for_the_requests_end,
    |lab| async move {
        let stream = TcpStream::connect(lab.address()).await.unwrap();
        let io = hyper_util::rt::TokioIo::new(stream);
        let executor = hyper_util::rt::TokioExecutor::new();
        let handshake = hyper::client::conn::http2::handshake(executor, io).await;
        let (mut sender, connection) = handshake.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(connection);
        let request = |body| {
            let sent = Request::json("ListStreams", "{}");
            let mut request = hyper::Request::post("http://localhost:4567/");
            for (name, value) in sent.headers.iter().filter(|(name, _)| name != "Host") {
                request = request.header(name, value);
            }
            let request = request.header("content-length", 2);
            request.body(LateEnd(body)).unwrap()
        };
        let (data, body) = tokio::sync::mpsc::channel(1);
        let mut first = Box::pin(sender.send_request(request(body)));
        data.send(Bytes::from_static(b"{}")).await.unwrap();
        // When another request is answered, the server has also polled this request.
        for _ in 0..3 {
            let (other, body) = tokio::sync::mpsc::channel(1);
            other.send(Bytes::from_static(b"{}")).await.unwrap();
            drop(other);
            let answer = sender.send_request(request(body)).await.unwrap();
            assert_eq!(answer.status(), 200);
        }
        let answered = std::future::poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_ready()));
        assert!(!answered.await, "before the request's end");
        drop(data);
        assert_eq!(first.await.unwrap().status(), 200);
    }
);
