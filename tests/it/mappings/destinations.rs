//! Cases 66 to 69: destinations of discarded batches.

use super::bench::{Bench, Say, bench, bench_with};
use crate::lab::program::Program;
use crate::lab::server::{Got, Reply, Server};
use crate::lab::{Place, Stream, block_on, seconds};
use minikin::internals::world::Stopwatch;
use serde_json::{Value, json};
use std::sync::atomic::Ordering::Relaxed;

/// Runs a test with these flags, in which a mapping discards batches into `destination`.
fn discarding<F: Future<Output = ()>>(
    flags: &[&str],
    destination: &str,
    check: impl FnOnce(Bench, std::sync::Arc<minikin::internals::engine::event_source::Mapping>) -> F,
) {
    let settings = json!({
        "MaximumRetryAttempts": 0,
        "DestinationConfig": { "OnFailure": { "Destination": destination } },
    });
    bench_with(
        Place::Memory,
        flags,
        1,
        |_, _| Say::Fail,
        |bench| async move {
            let mapping = bench.map(settings);
            bench.put("a").await;
            bench.drain().await;
            check(bench, mapping).await;
        },
    );
}

fn form(got: &Got, name: &str) -> String {
    let mut pairs = form_urlencoded::parse(got.body.as_bytes());
    pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
}

/// A server that continues after the runtimes of the test have ended.
pub(super) fn server(
    rule: impl Fn(&Got, usize) -> Reply + Send + Sync + 'static,
) -> (Server, impl Drop) {
    struct Ends(Option<std::sync::mpsc::Sender<()>>);
    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.take();
        }
    }
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let (started, server) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        block_on(async {
            started.send(Server::start(rule).await).unwrap();
            let waiting = tokio::task::spawn_blocking(move || ended.recv().is_err());
            waiting.await.unwrap();
        });
    });
    (server.recv().unwrap(), Ends(Some(end)))
}

#[test]
fn case_66_a_queue_gets_the_record_without_payload() {
    let (server, _ends) = server(|got, _| {
        if got.body.contains("Action=GetQueueUrl") {
            Reply::new(
                200,
                "<R><QueueUrl>http://q/000000000000/dead</QueueUrl></R>",
            )
        } else {
            Reply::new(200, "<R/>")
        }
    });
    let option = format!("sqs={}", server.url());
    let arn = "arn:aws:sqs:us-east-1:000000000000:dead";
    discarding(&["--destination", &option], arn, |_, mapping| async move {
        let got = server.got();
        assert_eq!(form(&got[0], "QueueName"), "dead");
        assert_eq!(form(&got[1], "Action"), "SendMessage");
        assert_eq!(form(&got[1], "QueueUrl"), "http://q/000000000000/dead");
        let record: Value = serde_json::from_str(&form(&got[1], "MessageBody")).unwrap();
        assert_eq!(record, Bench::failures(&mapping)[0]);
        assert!(record.get("payload").is_none());
        let signed = got[1].header("authorization").unwrap();
        assert!(signed.contains("/us-east-1/sqs/aws4_request"), "{signed}");
        assert_eq!(mapping.counters.on_failure_delivered.load(Relaxed), 1);
    });
}

#[test]
fn case_66_a_topic_gets_the_record() {
    let (server, _ends) = server(|_, _| Reply::new(200, "<R/>"));
    let option = format!("sns={}", server.url());
    let arn = "arn:aws:sns:us-east-1:000000000000:dead";
    discarding(&["--destination", &option], arn, |_, mapping| async move {
        let got = &server.got()[0];
        assert_eq!(
            (form(got, "Action"), form(got, "TopicArn")),
            ("Publish".into(), arn.into())
        );
        let record: Value = serde_json::from_str(&form(got, "Message")).unwrap();
        assert_eq!(record, Bench::failures(&mapping)[0]);
    });
}

#[test]
fn case_66_a_bucket_gets_the_record_with_the_event_as_text() {
    let (server, _ends) = server(|_, _| Reply::new(200, ""));
    let option = format!("s3={}", server.url());
    let flags = [
        "--destination",
        &option,
        "--destination-credential",
        "AKID:secret",
    ];
    discarding(&flags, "arn:aws:s3:::dead", |bench, mapping| async move {
        let got = &server.got()[0];
        let prefix = format!(
            "/dead/aws/lambda/{}/shardId-000000000000/2023/11/14/2023-11-14T22.13.20-",
            mapping.uuid
        );
        assert_eq!(got.method, "PUT");
        assert!(got.path.starts_with(&prefix), "{}", got.path);
        assert_eq!(got.header("content-type"), Some("application/octet-stream"));
        assert!(
            got.header("authorization")
                .unwrap()
                .contains("Credential=AKID/")
        );
        assert!(got.header("x-amz-content-sha256").is_some());
        let record: Value = serde_json::from_str(&got.body).unwrap();
        let payload: Value = serde_json::from_str(record["payload"].as_str().unwrap()).unwrap();
        assert_eq!(payload, bench.script.seen()[0].body);
    });
}

#[test]
fn case_67_a_destination_that_is_down_is_tried_thrice() {
    // A port that refuses connections.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let option = format!("sns=http://{}", listener.local_addr().unwrap());
    drop(listener);
    let arn = "arn:aws:sns:us-east-1:000000000000:dead";
    let watch = Stopwatch::start();
    discarding(
        &["--destination", &option],
        arn,
        |bench, mapping| async move {
            // The pauses before the second and the third attempt take 4 s of real time.
            assert!(watch.elapsed() >= seconds(4), "{:?}", watch.elapsed());
            assert_eq!(mapping.counters.destination_failures.load(Relaxed), 1);
            assert_eq!(mapping.counters.dropped.load(Relaxed), 1);
            assert!(Bench::words(&mapping).contains(&"delivery-failed"));
            let number = bench.put("b").await;
            bench.drain().await;
            assert_eq!(Bench::position(&mapping), Some(number));
        },
    );
}

#[test]
fn case_68_a_stream_of_ours_gets_the_record() {
    bench(
        |_, _| Say::Fail,
        |bench| async move {
            let dead = bench.lab.stream("dead").create().await;
            let mapping = bench.map(json!({
                "MaximumRetryAttempts": 0,
                "DestinationConfig": { "OnFailure": { "Destination": dead.arn() } },
            }));
            bench.put("a").await;
            bench.drain().await;
            let records = Stream::existing(&bench.lab, "dead").read_all().await;
            assert_eq!(records.len(), 1);
            assert_eq!(records[0].partition_key, "shardId-000000000000");
            let record: Value = serde_json::from_slice(records[0].data.as_ref()).unwrap();
            assert_eq!(record, Bench::failures(&mapping)[0]);
            let itself = json!({
                "FunctionName": "g",
                "DestinationConfig": { "OnFailure": { "Destination": bench.stream.arn() } },
            });
            let refusal = bench.lab.map(&bench.request(itself)).unwrap_err();
            assert!(refusal.message.contains("its own mapping"), "{refusal}");
        },
    );
}

#[test]
fn case_68_the_strict_profile_has_no_streams_as_destinations() {
    bench_with(
        Place::Memory,
        &["--profile", "strict"],
        1,
        |_, _| Say::ok(),
        |bench| async move {
            bench.advance_ms(1_000).await;
            let dead = "arn:aws:kinesis:us-east-1:000000000000:stream/dead";
            for destination in [
                dead,
                "arn:aws:sqs:us-east-1:000000000000:q.fifo",
                "file:x",
                "x",
            ] {
                let settings = json!({
                    "DestinationConfig": { "OnFailure": { "Destination": destination } },
                });
                assert!(
                    bench.lab.map(&bench.request(settings)).is_err(),
                    "{destination}"
                );
            }
        },
    );
}

#[test]
fn case_69_a_destination_without_endpoint_is_taken_and_failures_are_listed() {
    let mapping = "s=f?OnFailure=arn:aws:s3:::dead";
    let program = Program::start(&[
        "--function",
        "f=http://127.0.0.1:1",
        "--event-source",
        mapping,
    ]);
    let log = program.log();
    let warnings = log.matches("no --destination has an endpoint for this");
    assert_eq!(warnings.count(), 1, "{log}");
    discarding(&[], "arn:aws:s3:::dead", |_, mapping| async move {
        let words = Bench::words(&mapping);
        assert!(!words.contains(&"delivered") && !words.contains(&"delivery-failed"));
        let failures = mapping.failures();
        assert_eq!(failures.len(), 1);
        assert!(failures[0].payload.as_deref().unwrap().contains("YQ=="));
        assert_eq!(mapping.counters.destination_failures.load(Relaxed), 0);
    });
}
