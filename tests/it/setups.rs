//! Streams that are created at the start.

mod durability;
mod overlaps;

use crate::lab::program::Program;
use crate::lab::raw::Connection;
use crate::lab::{Lab, Place, Request, Stream, block_on};
use crate::looking::own;
use minikin::{Emulator, Options};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

const SETUP: &str = r#"
[[streams]]
StreamName = "orders"
ShardCount = 2
RetentionPeriodHours = 48
Consumers = ["billing"]
EncryptionType = "KMS"
KeyId = "alias/aws/kinesis"
Tags = { team = "blue" }
Records = [
  { PartitionKey = "a", Text = "one" },
  { PartitionKey = "b", Json = { total = 2 } },
]

[[streams]]
StreamName = "clicks"
"#;

fn write(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

async fn names(lab: &Lab) -> Value {
    lab.ok("ListStreams", "{}").await["StreamNames"].clone()
}

#[test]
fn a_setup_is_there_when_the_emulator_answers() {
    block_on(async {
        let folder = TempDir::new().unwrap();
        let file = write(&folder, "setup.toml", SETUP);
        // The flags set transition delays, too. The start must not wait for the clock, which does
        // not move.
        let flags = [
            "--setup",
            &file,
            "--stream",
            "more:3",
            "--profile",
            "strict",
        ];
        let lab = Lab::start(Place::Memory, &flags).await;
        assert_eq!(names(&lab).await, json!(["clicks", "more", "orders"]));
        let summary = lab
            .ok("DescribeStreamSummary", r#"{"StreamName":"orders"}"#)
            .await;
        let summary = &summary["StreamDescriptionSummary"];
        for (member, expected) in [
            ("StreamStatus", json!("ACTIVE")),
            ("OpenShardCount", json!(2)),
            ("RetentionPeriodHours", json!(48)),
            ("ConsumerCount", json!(1)),
            ("EncryptionType", json!("KMS")),
        ] {
            assert_eq!(summary[member], expected, "{member}");
        }
        let records = own(&lab, "GET", "streams/orders/records", "").await.1;
        assert_eq!(records["Records"].as_array().unwrap().len(), 2);
        lab.stop().await;
    });
}

#[test]
fn a_reset_makes_the_setup_again() {
    block_on(async {
        let lab = Lab::start(Place::Disk, &["--stream", "a:1", "--stream", "b"]).await;
        lab.stream("c").create().await;
        Stream::existing(&lab, "a").put("k", "v").await;
        let reset = own(&lab, "POST", "reset", r#"{"setup": true}"#).await;
        assert_eq!(reset.0, 204);
        assert_eq!(names(&lab).await, json!(["a", "b"]));
        assert!(Stream::existing(&lab, "a").read_all().await.is_empty());
        lab.stop().await;
    });
}

#[test]
fn resets_wait_for_one_another_and_for_no_client() {
    block_on(async {
        let folder = TempDir::new().unwrap();
        let streams = "[[streams]]\nStreamName = \"a\"\nShardCount = 1\nConsumers = [\"c\"]\n\
                       [[streams]]\nStreamName = \"b\"\n[[faults]]\nkind = \"unavailable\"\n\
                       operations = [\"ListShards\"]\n";
        let file = write(&folder, "setup.toml", streams);
        let lab = Lab::start(Place::Disk, &["--setup", &file]).await;
        let reset = || own(&lab, "POST", "reset", r#"{"setup": true}"#);
        let stop = AtomicBool::new(false);
        let registering = async {
            let stream = crate::lab::arn_of("a");
            let body = json!({"StreamARN": stream, "ConsumerName": "c"}).to_string();
            while !stop.load(Ordering::Relaxed) {
                let request = Request::json("RegisterStreamConsumer", &body);
                let _ = lab.send(&request).await;
            }
        };
        let resetting = async {
            for _ in 0..10 {
                let answers = tokio::join!(reset(), reset(), reset(), reset());
                let answers = [answers.0, answers.1, answers.2, answers.3];
                assert!(answers.iter().all(|answer| answer.0 == 204), "{answers:?}");
                assert_eq!(names(&lab).await, json!(["a", "b"]));
                let (_, rules) = own(&lab, "GET", "faults", "").await;
                assert_eq!(rules["faults"].as_array().unwrap().len(), 1);
            }
            stop.store(true, Ordering::Relaxed);
        };
        tokio::join!(registering, resetting);
        lab.stop().await;
    });
}

#[test]
fn fault_rules_that_cannot_be_in_force_stop_the_start() {
    block_on(async {
        let until = "until = \"2020-01-01T00:00:00Z\"";
        let setup = format!("[[faults]]\nkind = \"throttle\"\n{until}\n");
        let refused = refusal("setup.toml", &setup).await;
        let expected = "setup.toml: line 3: faults[0].until: this time is in the past";
        assert_eq!(refused, expected);
        let rule = "--fault=kind=throttle,until=2020-01-01T00:00:00Z";
        let flags = ["--port", "0", "--host", "127.0.0.1", rule];
        let refused = Emulator::start(Options::read(flags).unwrap()).await;
        let refused = refused.unwrap_err().to_string();
        assert_eq!(refused, "--fault: until: this time is in the past");
        let rules = "[[faults]]\nkind = \"throttle\"\n".repeat(1001);
        let refused = refusal("an emulator", &rules).await;
        assert_eq!(refused, "an emulator has at most 1000 fault rules");
    });
}

/// A request to Lambda's API. `uuid` is the UUID of an event source mapping, or empty.
fn lambda_request(method: &'static str, uuid: &str) -> Request {
    let credential = "AWS4-HMAC-SHA256 Credential=test/20231114/us-east-1/lambda/aws4_request, \
                      SignedHeaders=host, Signature=0";
    let path = format!("/2015-03-31/event-source-mappings/{uuid}");
    Request::bare(method, path.trim_end_matches('/'))
        .header("authorization", credential)
        .header("x-amz-date", "20231114T221320Z")
        .header("content-type", "application/json")
}

/// The request to create a mapping of a stream to a function.
fn map_request(stream: &str, function: &str) -> Request {
    let body = json!({
        "FunctionName": function,
        "EventSourceArn": crate::lab::arn_of(stream),
        "StartingPosition": "LATEST",
    });
    lambda_request("POST", "").body(body.to_string().as_bytes())
}

/// Creates a mapping of a stream to the function `function` by Lambda's API.
async fn map_by_api(lab: &Lab, stream: &str) {
    let answer = lab.send(&map_request(stream, "function")).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
}

/// The streams of the event source mappings.
async fn mapped(lab: &Lab) -> Vec<String> {
    let (_, listed) = own(lab, "GET", "event-sources", "").await;
    let sources = listed["event_sources"].as_array().unwrap().iter();
    let names = sources.map(|source| source["EventSourceArn"].as_str().unwrap());
    names
        .map(|arn| arn.rsplit('/').next().unwrap().to_owned())
        .collect()
}

#[test]
fn a_reset_removes_mappings_and_rules_and_makes_those_of_the_start_again() {
    block_on(async {
        let flags = [
            "--stream",
            "a:1",
            "--stream",
            "b:1",
            "--event-source",
            "a=http://127.0.0.1:9",
            "--fault",
            "kind=unavailable,operations=ListShards",
        ];
        let lab = Lab::start(Place::Disk, &flags).await;
        map_by_api(&lab, "b").await;
        assert_eq!(mapped(&lab).await, ["a", "b"]);
        let rule = r#"{"kind": "throttle"}"#;
        assert_eq!(own(&lab, "PUT", "faults", rule).await.0, 200);
        assert_eq!(own(&lab, "POST", "reset", "").await.0, 204);
        assert_eq!(mapped(&lab).await, ["a"]);
        let (_, rules) = own(&lab, "GET", "faults", "").await;
        assert_eq!(rules["faults"], json!([]));
        let reset = own(&lab, "POST", "reset", r#"{"setup": true}"#).await;
        assert_eq!(reset.0, 204);
        assert_eq!(names(&lab).await, json!(["a", "b"]));
        let (_, rules) = own(&lab, "GET", "faults", "").await;
        assert_eq!(rules["faults"][0]["kind"], "unavailable");
        assert_eq!(rules["faults"].as_array().unwrap().len(), 1);
        lab.restart().await;
        assert_eq!(mapped(&lab).await, ["a"]);
        lab.stop().await;
    });
}

#[test]
fn streams_of_an_earlier_run_are_left_alone() {
    block_on(async {
        let lab = Lab::start(Place::Disk, &["--stream", "a:1"]).await;
        Stream::existing(&lab, "a").put("k", "v").await;
        lab.restart().await;
        assert_eq!(Stream::existing(&lab, "a").read_all().await.len(), 1);
        lab.stop().await;
    });
}

#[test]
fn the_log_names_the_differences_of_a_stream_of_an_earlier_run() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let start = |text: &str| {
        let file = write(&folder, "setup.toml", text);
        let data = data.to_str().unwrap();
        Program::start(&["--data-dir", data, "--setup", &file])
    };
    let stream = "[[streams]]\nStreamName = \"a\"\n";
    let other = "ShardCount = 4\nMaxRecordSizeInKiB = 2048\nTags = { team = \"blue\" }\n";
    assert!(start(stream).terminate().success());
    let same = start(stream);
    assert!(!same.log().contains("differs"), "{}", same.log());
    assert!(same.terminate().success());
    let log = start(&format!("{stream}{other}")).log();
    let expected = "differs from the setup: it has another capacity mode, another maximum record \
                    size, other tags";
    assert!(log.contains(expected), "{log}");
}

/// The refusal of a start with this setup on a data directory. Checks that the directory has no
/// streams afterwards.
async fn refusal(name: &str, text: &str) -> String {
    let folder = TempDir::new().unwrap();
    let file = write(&folder, name, text);
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let usual = ["--port", "0", "--host", "127.0.0.1", "--data-dir", data];
    let given = ["--setup", &file];
    let flags = usual.iter().chain(&given).copied();
    let refused = Emulator::start(Options::read(flags).unwrap()).await;
    let refused = refused.unwrap_err().to_string();
    if Path::new(data).exists() {
        let emulator = Emulator::start(Options::read(usual).unwrap())
            .await
            .unwrap();
        let mut connection = Connection::open(emulator.addresses()[0]).await;
        let listed = connection
            .exchange(&Request::json("ListStreams", "{}"))
            .await
            .value();
        assert_eq!(listed["StreamNames"], json!([]), "{text}");
        drop(connection);
        emulator.stop().await.unwrap();
    }
    let at = refused.find(name).unwrap();
    refused[at..].to_owned()
}

#[test]
fn a_setup_that_cannot_be_made_stops_the_start_with_nothing_made() {
    block_on(async {
        for (text, expected) in [
            (
                "[[streams]]\nStreamName = \"good\"\n[[streams]]\nStreamName = \"a b\"\n",
                "setup.toml: line 4: streams[1].StreamName: ValidationException",
            ),
            (
                "[[streams]]\nStreamName = \"a\"\n[[streams]]\nStreamName = \"a\"\n",
                "setup.toml: line 3: streams[1]: this stream is named twice",
            ),
            (
                "[[streams]]\nStreamName = \"a\"\nShardCount = 0\n",
                "setup.toml: line 3: streams[0].ShardCount: ValidationException",
            ),
            (
                "[[streams]]\nStreamName = \"a\"\nRetentionPeriodHours = 1\n",
                "setup.toml: line 3: streams[0].RetentionPeriodHours: InvalidArgumentException",
            ),
            (
                "[[streams]]\nStreamName = \"a\"\nRecords = [{PartitionKey = \"k\", Text = \"v\", ExplicitHashKey = \"x\"}]\n",
                "setup.toml: line 3: streams[0].Records[0]: InvalidArgumentException",
            ),
            (
                "[[streams]]\nStreamName = \"a\"\nTags = {\"aws:x\" = \"y\"}\n",
                "setup.toml: line 3: streams[0].Tags: InvalidArgumentException",
            ),
            (
                "[[streams]]\nStreamName = \"a\"\nConsumers = [\"c\", \"c\"]\n",
                "setup.toml: line 3: streams[0].Consumers[1]: ResourceInUseException",
            ),
            (
                "[[streams]]\nStreamName = \"a\"\nConsumers = [\"x y\"]\n",
                "setup.toml: line 3: streams[0].Consumers[0]: ValidationException",
            ),
        ] {
            let refusal = refusal("setup.toml", text).await;
            assert!(refusal.starts_with(expected), "{refusal}");
        }
    });
}

const CONSUMERS: &str = r#"
[[streams]]
StreamName = "orders"
Records = [{ PartitionKey = "a", Text = "one" }]

[[queues]]
QueueName = "work"
StreamConfigurationList = [{ StreamARN = "orders", StartingPosition = { Type = "TRIM_HORIZON" } }]
QueueAttributes = { VisibilityTimeoutSeconds = 7 }

[[event_sources]]
EventSourceArn = "orders"
FunctionName = "audit"
Enabled = false

[[faults]]
kind = "unavailable"
operations = ["ListShards"]
"#;

/// The settings of the queue `work`.
async fn described_queue(lab: &Lab) -> Value {
    let listed = lab.ok("ListQueues", "{}").await;
    let arn = listed["QueueSummaries"][0]["QueueARN"].clone();
    let described = lab
        .ok("DescribeQueue", &json!({ "QueueARN": arn }).to_string())
        .await;
    described["QueueDescription"].clone()
}

#[test]
fn queues_mappings_and_fault_rules_of_a_setup_are_there_and_come_again_after_a_reset() {
    block_on(async {
        let folder = TempDir::new().unwrap();
        let file = write(&folder, "setup.toml", CONSUMERS);
        let function = ["--function", "audit=http://127.0.0.1:9"];
        let flags = [&["--setup", &file, "--profile", "strict"][..], &function].concat();
        let lab = Lab::start(Place::Disk, &flags).await;
        for _ in 0..2 {
            let queue = described_queue(&lab).await;
            assert_eq!(queue["QueueName"], "work");
            assert_eq!(queue["QueueStatus"], "ACTIVE");
            assert_eq!(queue["QueueAttributes"]["VisibilityTimeoutSeconds"], 7);
            let handed = json!({ "QueueARN": queue["QueueARN"] }).to_string();
            let received = lab.ok("ReceiveQueueRecords", &handed).await;
            assert_eq!(received["QueueRecords"].as_array().unwrap().len(), 1);
            assert_eq!(mapped(&lab).await, ["orders"]);
            let (_, rules) = own(&lab, "GET", "faults", "").await;
            assert_eq!(rules["faults"].as_array().unwrap().len(), 1);
            let (status, _) = own(&lab, "POST", "reset", r#"{"setup": true}"#).await;
            assert_eq!(status, 204);
        }
        lab.stop().await;
    });
}

#[test]
fn queues_and_mappings_of_an_earlier_run_are_left_alone() {
    block_on(async {
        let folder = TempDir::new().unwrap();
        let file = write(&folder, "setup.toml", CONSUMERS);
        let function = ["--function", "audit=http://127.0.0.1:9"];
        let flags = [&["--setup", &file][..], &function].concat();
        let lab = Lab::start(Place::Disk, &flags).await;
        let before = described_queue(&lab).await;
        let changed = CONSUMERS
            .replace(
                "VisibilityTimeoutSeconds = 7",
                "VisibilityTimeoutSeconds = 8",
            )
            .replace("Enabled = false", "Enabled = true");
        write(&folder, "setup.toml", &changed);
        lab.restart().await;
        assert_eq!(described_queue(&lab).await, before);
        let (_, listed) = own(&lab, "GET", "event-sources", "").await;
        let sources = listed["event_sources"].as_array().unwrap();
        assert_eq!(sources.len(), 1);
        assert_eq!(sources[0]["State"], "Disabled");
        lab.stop().await;
    });
}

/// A queue is created in the account of its stream, and the next start finds it there.
#[test]
fn a_queue_of_a_stream_elsewhere_is_found_again() {
    block_on(async {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/a";
        let setup = format!(
            "[[streams]]\nStreamName = \"a\"\n[[queues]]\nQueueName = \"q\"\n\
             Account = \"111122223333\"\nStreamConfigurationList = [{{StreamARN = \"{arn}\"}}]\n"
        );
        let file = write(&folder, "setup.toml", &setup);
        let flags = ["--setup", &file, "--data-dir", data.to_str().unwrap()];
        for _ in 0..2 {
            let lab = Lab::start(Place::Memory, &flags).await;
            assert_eq!(described_queue(&lab).await["QueueName"], "q");
            lab.stop().await;
        }
    });
}

#[test]
fn a_queue_or_mapping_that_is_refused_leaves_nothing_behind() {
    block_on(async {
        let start = "[[streams]]\nStreamName = \"a\"\n";
        let queue =
            "[[queues]]\nQueueName = \"q\"\nStreamConfigurationList = [{StreamARN = \"a\"}]\n";
        let mapping = "[[event_sources]]\nEventSourceArn = \"a\"\nFunctionName = \"f\"\n";
        for (text, expected) in [
            (
                format!("{start}{}", queue.replace("\"a\"", "\"b\"")),
                "setup.toml: line 5: queues[0].StreamConfigurationList[0].StreamARN: ResourceNotFound",
            ),
            (
                format!("{start}{}", queue.replace("\"q\"", "\"q q\"")),
                "setup.toml: line 4: queues[0].QueueName: ValidationException",
            ),
            (
                format!("{start}{queue}{queue}"),
                "setup.toml: line 6: queues[1]: the setup names this queue twice",
            ),
            (
                format!("{start}{queue}{mapping}"),
                "setup.toml: line 8: event_sources[0].FunctionName: Function does not exist",
            ),
        ] {
            let refusal = refusal("setup.toml", &text).await;
            assert!(refusal.starts_with(expected), "{refusal}");
        }
    });
}

/// If the second mapping is refused, the first one is removed, too.
#[test]
fn a_refused_mapping_takes_the_ones_before_it_with_it() {
    block_on(async {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        let data = data.to_str().unwrap();
        let mapping = "[[event_sources]]\nEventSourceArn = \"a\"\nFunctionName = \"f\"\n";
        let file = write(&folder, "setup.toml", &format!("{mapping}{mapping}"));
        let function = ["--function", "f=http://127.0.0.1:9"];
        let usual = ["--port", "0", "--host", "127.0.0.1", "--data-dir", data];
        let usual = [&usual[..], &function].concat();
        let flags = [&usual[..], &["--setup", &file]].concat();
        let refused = Emulator::start(Options::read(flags).unwrap()).await;
        let refused = refused.unwrap_err().to_string();
        let expected = "line 4: event_sources[1]: The mapping of this stream to this function is \
                        named twice.";
        assert!(refused.ends_with(expected), "{refused}");
        let emulator = Emulator::start(Options::read(usual).unwrap())
            .await
            .unwrap();
        assert!(emulator.event_sources().all().is_empty());
        emulator.stop().await.unwrap();
    });
}

#[test]
fn further_ports_are_listened_on() {
    block_on(async {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let port_text = port.to_string();
        let lab = Lab::start(Place::Memory, &["--extra-port", &port_text]).await;
        assert_ne!(lab.address().port(), port);
        let connected = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
        assert!(connected.is_ok());
        lab.stop().await;
    });
}
