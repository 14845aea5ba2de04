//! The emulator inside another program: it is started, stopped and dropped, also several at the
//! same time.

mod program;

use crate::lab::{Lab, Place, Request, SHARD_0, START_MS, Stream, block_on, ms, seconds};
use http_body_util::BodyExt as _;
use minikin::Surroundings;
use minikin::{Emulator, Options, StartError};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;

fn options(flags: &[&str]) -> Options {
    let usual = ["--port", "0", "--host", "127.0.0.1"];
    Options::read(usual.iter().chain(flags).copied()).unwrap()
}

#[test]
fn an_emulator_says_where_it_listens_and_answers_there() {
    block_on(async {
        let emulator = Emulator::start(options(&[])).await.unwrap();
        assert_eq!(emulator.addresses().len(), 1);
        let address = emulator.addresses()[0];
        assert_ne!(address.port(), 0);
        assert_eq!(emulator.endpoint(), format!("http://{address}"));
        let mut connection = crate::lab::raw::Connection::open(address).await;
        let answer = connection
            .exchange(&Request::json("ListStreams", "{}"))
            .await;
        assert_eq!(answer.status, 200);
        drop(connection);
        emulator.stop().await.unwrap();
        assert!(
            TcpStream::connect(address).await.is_err(),
            "the port is closed"
        );
    });
}

#[test]
fn two_emulators_know_nothing_of_each_other() {
    block_on(async {
        let one = Lab::start(Place::Memory, &[]).await;
        let two = Lab::start(Place::Disk, &[]).await;
        one.stream("a").create().await.put("k", "v").await;
        two.stream("b").create().await;
        one.clock.advance(seconds(5)).await;
        assert_eq!(
            one.ok("ListStreams", "{}").await["StreamNames"],
            json!(["a"])
        );
        assert_eq!(
            two.ok("ListStreams", "{}").await["StreamNames"],
            json!(["b"])
        );
        assert_eq!(
            (one.clock.now_ms(), two.clock.now_ms()),
            (START_MS + 5000, START_MS)
        );
        one.stop().await;
        assert_eq!(
            two.ok("ListStreams", "{}").await["StreamNames"],
            json!(["b"])
        );
        two.stop().await;
    });
}

#[test]
fn an_emulator_without_a_directory_forgets_everything() {
    crate::lab::run(Place::Memory, &[], |lab| async move {
        lab.stream("a").create().await.put("k", "v").await;
        assert!(!lab.restart().await);
        assert_eq!(lab.ok("ListStreams", "{}").await["StreamNames"], json!([]));
    });
}

#[test]
fn a_directory_keeps_streams_and_records() {
    crate::lab::run(Place::Disk, &[], |lab| async move {
        let create = r#"{"StreamName":"a","ShardCount":3,"MaxRecordSizeInKiB":2048}"#;
        lab.ok("CreateStream", create).await;
        lab.ok("CreateStream", r#"{"StreamName":"b"}"#).await;
        let stream = Stream::existing(&lab, "a");
        for key in ["a", "b", "e", "f"] {
            stream.put(key, key.repeat(3)).await;
        }
        let before = lab.everything().await;
        let records = stream.read_all().await;
        let summary = lab
            .ok("DescribeStreamSummary", r#"{"StreamName":"a"}"#)
            .await;
        for _ in 0..3 {
            assert!(lab.restart().await);
            assert_eq!(lab.everything().await, before);
            assert_eq!(Stream::existing(&lab, "a").read_all().await, records);
            let again = lab
                .ok("DescribeStreamSummary", r#"{"StreamName":"a"}"#)
                .await;
            assert_eq!(again, summary);
        }
    });
}

#[test]
fn one_directory_is_for_one_emulator() {
    block_on(async {
        let directory = TempDir::new().unwrap();
        let path = directory.path().to_str().unwrap();
        let first = Emulator::start(options(&["--data-dir", path]))
            .await
            .unwrap();
        let second = Emulator::start(options(&["--data-dir", path])).await;
        let Err(StartError::Open(error)) = second else {
            panic!("the directory is taken: {second:?}");
        };
        assert!(error.to_string().contains(path), "{error}");
        first.stop().await.unwrap();
        let third = Emulator::start(options(&["--data-dir", path]))
            .await
            .unwrap();
        third.stop().await.unwrap();
    });
}

#[test]
fn an_address_in_use_is_an_error_with_the_address() {
    block_on(async {
        let first = Emulator::start(options(&[])).await.unwrap();
        let address = first.addresses()[0].to_string();
        let taken = Options::read(["--listen", &address]).unwrap();
        let second = Emulator::start(taken).await;
        let Err(StartError::Bind(error)) = second else {
            panic!("the address is taken: {second:?}");
        };
        assert!(error.to_string().contains(&address), "{error}");
        first.stop().await.unwrap();
    });
}

#[test]
fn an_emulator_that_is_dropped_closes_its_port() {
    block_on(async {
        let emulator = Emulator::start(options(&[])).await.unwrap();
        let address = emulator.addresses()[0];
        let mut connection = crate::lab::raw::Connection::open(address).await;
        let answer = connection
            .exchange(&Request::json("ListStreams", "{}"))
            .await;
        assert_eq!(answer.status, 200);
        drop(emulator);
        assert_eq!(connection.rest().await, b"");
        crate::lab::until("the port to be closed", async || {
            TcpStream::connect(address).await.err()
        })
        .await;
    });
}

#[test]
fn a_stop_lets_idle_connections_go_and_finishes_what_was_begun() {
    block_on(async {
        let lab = Lab::start(Place::Memory, &[]).await;
        let mut idle = lab.connect().await;
        let mut busy = lab.connect().await;
        let list = Request::json("ListStreams", "{}").header("Expect", "100-continue");
        assert_eq!(
            idle.exchange(&list.clone().without("Expect")).await.status,
            200
        );
        busy.send(&list.head()).await;
        assert_eq!(
            busy.answer(false).await.status,
            100,
            "it waits for the body now"
        );
        let finish = async {
            assert_eq!(idle.rest().await, b"", "the stop has begun");
            busy.send(&list.body).await;
            busy.answer(true).await
        };
        let (answer, ()) = tokio::join!(finish, lab.stop());
        assert_eq!(answer.status, 200);
        assert_eq!(busy.rest().await, b"");
    });
}

/// Sends a request from within the process.
async fn ask(
    emulator: &Emulator,
    operation: &str,
    body: &Value,
) -> minikin::Response<minikin::Body> {
    let request = Request::json(operation, &body.to_string());
    emulator.answer(request.here()).await.unwrap()
}

#[test]
fn answers_within_the_process_count_as_long_as_they_are_held() {
    block_on(async {
        let flags = ["in-flight-bytes=1048576", "admission-wait-seconds=0"];
        let flags = options(&["--limit", flags[0], "--limit", flags[1]]);
        let around = Surroundings {
            has_no_listeners: true,
            ..Surroundings::default()
        };
        let emulator = Emulator::start_in(flags, around).await.unwrap();
        assert!(emulator.addresses().is_empty());
        let create = json!({"StreamName": "s", "ShardCount": 1});
        assert_eq!(ask(&emulator, "CreateStream", &create).await.status(), 200);
        let data = "AAAA".repeat(100_000);
        let put = json!({"StreamName": "s", "PartitionKey": "k", "Data": data});
        assert_eq!(ask(&emulator, "PutRecord", &put).await.status(), 200);
        let whole =
            json!({"StreamName": "s", "ShardId": SHARD_0, "ShardIteratorType": "TRIM_HORIZON"});
        let answer = ask(&emulator, "GetShardIterator", &whole).await;
        let answer = answer.into_body().collect().await.unwrap().to_bytes();
        let read: Value = serde_json::from_slice(&answer).unwrap();
        let held = ask(&emulator, "GetRecords", &read).await;
        assert_eq!(held.status(), 200);
        let refused = ask(&emulator, "GetRecords", &read).await;
        assert_eq!(
            refused.status(),
            503,
            "the budget has no bytes for a second answer"
        );
        let small = ask(&emulator, "ListStreams", &json!({})).await;
        assert_eq!(small.status(), 200, "small ones have a lane of their own");
        drop(held);
        assert_eq!(ask(&emulator, "GetRecords", &read).await.status(), 200);
        emulator.stop().await.unwrap();
    });
}

#[test]
fn invalid_options_are_refused_before_anything_starts() {
    for flags in [
        ["--durability", "always"],
        ["--durability", "interval=5"],
        ["--limit", "nothing=1"],
        ["--limit", "request-bytes=many"],
        ["--account", "12"],
        ["--clock", "tomorrow"],
        ["--profile", "loose"],
        ["--tls-cert", "/nowhere"],
        ["--config", "/nowhere"],
    ] {
        assert!(Options::read(flags).is_err(), "{flags:?}");
    }
}

#[test]
fn a_clock_moved_in_process_is_kept() {
    crate::lab::run(Place::Disk, &[], |lab| async move {
        lab.clock.advance(ms(600)).await;
        lab.restart().await;
        assert_eq!(lab.clock.now_ms(), START_MS + 600);
    });
}
