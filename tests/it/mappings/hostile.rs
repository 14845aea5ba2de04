//! Hostile functions, and many mappings without work.

use super::bench::{Bench, Say, bench};
use crate::lab::program::Program;
use crate::lab::server::{Reply, Server};
use crate::lab::{Lab, Place, block_on, hours};
use minikin::internals::engine::event_source::{DrainRequest, Mapping};
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The bytes that a function sends instead of its first answer, and the outcome of the invocation
/// in the event log.
struct Misdeed {
    bytes: Vec<u8>,
    /// True if the connection stays open afterwards without further bytes.
    stalls: bool,
    outcome: &'static str,
}

const fn closing(bytes: Vec<u8>, outcome: &'static str) -> Misdeed {
    Misdeed {
        bytes,
        stalls: false,
        outcome,
    }
}

fn answer(status: u16, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Bytes of an answer that is larger than 6 MB.
fn endless() -> Vec<u8> {
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    [head.as_slice(), &chunk.repeat(120)].concat()
}

fn misdeeds() -> Vec<Misdeed> {
    let error = "function error";
    let report = "failed by report";
    let mut all = vec![
        closing(Vec::new(), error),
        closing(b"220 mail.example.com ESMTP\r\n\r\n".to_vec(), error),
        closing(
            b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}".to_vec(),
            error,
        ),
        closing(
            b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n{}".to_vec(),
            error,
        ),
        closing(endless(), error),
        closing(answer(200, &vec![b' '; 7_000_000]), error),
        closing(answer(200, b"\xFF\xFE"), report),
        closing(answer(200, "[".repeat(100_000).as_bytes()), report),
        closing(answer(200, br#"{"batchItemFailures":7}"#), report),
        closing(answer(413, b""), "too large"),
        closing(answer(502, br#"{"errorType":"E"}"#), error),
    ];
    for status in [301, 400, 403, 404, 418, 429, 500, 502, 503, 504] {
        all.push(closing(answer(status, b""), "not reached"));
    }
    for bytes in [
        b"".as_slice(),
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{",
    ] {
        all.push(Misdeed {
            bytes: bytes.to_vec(),
            stalls: true,
            outcome: error,
        });
    }
    all
}

/// Reads one request with a body length. Returns None if the peer has closed the connection.
async fn receive(stream: &mut BufReader<TcpStream>) -> Option<()> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        match line.trim_end().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().ok()?,
            None if line.is_empty() => return None,
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(())
}

/// A function that does each misdeed once, and answers correctly after each of them. It ends with
/// the runtime.
#[allow(
    clippy::disallowed_methods,
    reason = "the test's server ends with its runtime"
)]
async fn misbehave(misdeeds: Vec<(Vec<u8>, bool)>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        for (bytes, stalls) in misdeeds {
            for (bytes, stalls) in [(bytes, stalls), (answer(200, b"null"), false)] {
                let (stream, _) = listener.accept().await.unwrap();
                let mut stream = BufReader::new(stream);
                receive(&mut stream).await.unwrap();
                // The client may close the connection before it has read all of a large answer.
                let _sent = stream.get_mut().write_all(&bytes).await;
                if stalls {
                    open.push(stream);
                } else {
                    let _closed = stream.get_mut().shutdown().await;
                }
            }
        }
    });
    address
}

/// The outcomes of the invocations in a mapping's event log.
fn outcomes(mapping: &Mapping) -> Vec<String> {
    let entries = mapping.events(0, usize::MAX).into_iter();
    let outcomes = entries.filter(|entry| entry.kind.as_str() == "outcome");
    outcomes
        .map(|entry| entry.detail.unwrap().into_string())
        .collect()
}

#[test]
fn no_record_is_lost_to_a_function_that_misbehaves() {
    block_on(async {
        let all = misdeeds();
        let script = all.iter().map(|each| (each.bytes.clone(), each.stalls));
        let address = misbehave(script.collect()).await;
        let function = format!("f=http://{address}/f;timeout=1");
        let lab = Lab::start(Place::Memory, &["--function", &function]).await;
        let stream = lab.stream("s").create().await;
        let request = json!({
            "EventSourceArn": stream.arn(), "FunctionName": "f",
            "StartingPosition": "TRIM_HORIZON",
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        });
        let mapping = lab.map(&request).unwrap();
        let mut expected = Vec::new();
        for misdeed in &all {
            let placed = stream.put("k", "a").await;
            let request = DrainRequest {
                advance: true,
                ..DrainRequest::default()
            };
            lab.event_sources().drain(None, request).await.unwrap();
            assert_eq!(Bench::position(&mapping), Some(placed.number));
            expected.extend([misdeed.outcome, "success"]);
            assert_eq!(outcomes(&mapping), expected);
        }
        assert!(mapping.failures().is_empty());
        lab.stop().await;
    });
}

#[test]
fn a_changed_function_gets_the_next_batch() {
    block_on(async {
        let held = |_: &crate::lab::server::Got, _| Reply {
            held: true,
            ..Reply::new(200, "null")
        };
        let old = Server::start(held).await;
        let new = Server::start(|_, _| Reply::new(200, "null")).await;
        let functions = [("old", &old), ("new", &new)];
        let [one, other] = functions.map(|(name, server)| format!("{name}={}", server.url()));
        let lab = Lab::start(Place::Memory, &["--function", &one, "--function", &other]).await;
        let stream = lab.stream("s").create().await;
        let bench = Bench::around(&lab, &stream);
        let mapping = bench.map(json!({ "FunctionName": "old" }));
        bench.put("a").await;
        let invoked = async {
            while old.running() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(crate::lab::WAIT_LIMIT, invoked)
            .await
            .unwrap();
        bench.update(&mapping, &json!({ "FunctionName": "new" }));
        let number = bench.put("b").await;
        old.release();
        bench.drain().await;
        assert_eq!((old.got().len(), new.got().len()), (1, 1));
        assert!(new.got()[0].body.contains("\"Yg==\""));
        assert_eq!(Bench::position(&mapping), Some(number));
        lab.stop().await;
    });
}

#[test]
fn a_batch_that_fails_while_the_mapping_is_disabled_is_formed_anew() {
    bench(
        |_, number| match number {
            1 => Say::Hold(Box::new(Say::Fail)),
            _ => Say::ok(),
        },
        |bench| async move {
            let mapping = bench.map(json!({ "MaximumRetryAttempts": 1 }));
            bench.put("a").await;
            bench.until_seen(1).await;
            bench.enable(&mapping, false);
            bench.script.release();
            bench.advance_ms(10_000).await;
            assert_eq!(bench.script.batches(), ["a"]);
            assert_eq!(Bench::position(&mapping), None);
            bench.enable(&mapping, true);
            bench.drain().await;
            let seen = bench.script.seen();
            assert_eq!(bench.script.batches(), ["a", "a"]);
            assert!(seen[1].attempt == 1 && seen[1].id != seen[0].id);
        },
    );
}

#[test]
fn a_thousand_idle_mappings_wake_for_nothing() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            let mappings: Vec<Arc<Mapping>> = (0..1_000)
                .map(|number| bench.map(json!({ "FunctionName": format!("f:v{number}") })))
                .collect();
            bench.put("a").await;
            bench.drain().await;
            assert_eq!(bench.script.seen().len(), 1_000);
            let turns = || {
                let shards = mappings.iter().flat_map(|mapping| mapping.shards());
                shards.map(|(_, shard)| shard.turns).sum::<u64>()
            };
            let before = turns();
            bench.lab.clock.advance(hours(20)).await;
            let other = bench.lab.stream("other").create().await;
            other.put("k", "b").await;
            bench.settle().await;
            assert_eq!(turns(), before);
            bench.lab.ok("DeleteStream", r#"{"StreamName":"s"}"#).await;
            let drained = tokio::time::timeout(Duration::from_secs(30), bench.drain());
            drained.await.unwrap();
            for mapping in &mappings {
                assert_eq!(bench.result(mapping), "PROBLEM: Stream not found");
                assert!(mapping.shards().is_empty());
            }
        },
    );
}

/// The batches of two shards fail at the same time.
#[test]
fn an_address_that_does_not_answer_is_logged_once_a_minute() {
    let program = Program::start(&[
        "--stream",
        "s:2",
        "--function",
        "f=http://127.0.0.1:1",
        "--event-source",
        "s=f",
    ]);
    let keys = 'a'..='p';
    let lines: String = keys
        .map(|key| format!("{}\n", json!({ "PartitionKey": key, "Text": "x" })))
        .collect();
    let mut stream = std::net::TcpStream::connect(program.address()).unwrap();
    let head = format!(
        "POST /_minikin/streams/s/records HTTP/1.1\r\nhost: localhost\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n",
        lines.len()
    );
    stream.write_all((head + &lines).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    std::thread::sleep(Duration::from_millis(500));
    let log = program.output();
    assert_eq!(
        log.matches("a function was not reached").count(),
        1,
        "{log}"
    );
}
