//! Log lines of refused requests: the limit, and the option that sets it.

use crate::lab::raw::Connection;
use crate::lab::{Request, block_on};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

/// Limits that are so low that one call exceeds each of them.
const LIMITS: [&str; 10] = [
    "tags=1",
    "shards-per-account=6",
    "shards-per-stream=4",
    "on-demand-streams=0",
    "scalings-per-day=0",
    "encryptions-per-day=0",
    "consumers-per-stream=1",
    "put-records-bytes=10",
    "shard-write-bytes=100",
    "calls-describe-limits=1",
];

/// The program. It is killed when this value is dropped.
struct Program(Child);

impl Program {
    fn start() -> (Self, SocketAddr) {
        Self::start_with(&[])
    }

    fn start_with(flags: &[&str]) -> (Self, SocketAddr) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_minikin"));
        command.args(["serve", "--host", "127.0.0.1", "--port", "0"]);
        command.args(["--clock", "virtual", "--limit", &LIMITS.join(",")]);
        command.args(flags);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = Self(command.spawn().unwrap());
        let mut line = String::new();
        let mut stdout = BufReader::new(program.0.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("Listening on ").unwrap();
        let address = address.trim_start_matches("http://").parse().unwrap();
        stdout.read_line(&mut line).unwrap();
        (program, address)
    }

    /// Kills the program. Returns the log that it has written.
    fn log(mut self) -> String {
        self.0.kill().unwrap();
        let mut log = String::new();
        let mut stderr = self.0.stderr.take().unwrap();
        stderr.read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The program may have ended already.
        let _dead = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// Calls that succeed, and calls that are refused. The first element is the limit that refuses the
/// call, or empty for a call that succeeds.
fn calls() -> Vec<(&'static str, &'static str, Value)> {
    let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
    let on_demand = json!({"StreamMode": "ON_DEMAND"});
    let record = json!({"StreamName": "s", "PartitionKey": "k", "Data": "YWFhYWFhYWE="});
    let large = json!({"StreamName": "s", "PartitionKey": "k", "Data": "YWFh".repeat(50)});
    let two =
        json!([{"PartitionKey": "k", "Data": "YWFhYWFh"}, {"PartitionKey": "k", "Data": "YWFh"}]);
    let some = json!([{"PartitionKey": "k", "Data": "YWFh"}]);
    let consumer = |name: &str| json!({"StreamARN": arn, "ConsumerName": name});
    let key = json!({"StreamName": "s", "EncryptionType": "KMS", "KeyId": "alias/k"});
    vec![
        (
            "",
            "CreateStream",
            json!({"StreamName": "s", "ShardCount": 4}),
        ),
        (
            "shards-per-account",
            "CreateStream",
            json!({"StreamName": "t", "ShardCount": 3}),
        ),
        (
            "on-demand-streams",
            "CreateStream",
            json!({"StreamName": "t", "StreamModeDetails": on_demand}),
        ),
        (
            "tags",
            "AddTagsToStream",
            json!({"StreamName": "s", "Tags": {"a": "", "b": ""}}),
        ),
        (
            "shards-per-stream",
            "UpdateShardCount",
            json!({"StreamName": "s", "TargetShardCount": 5, "ScalingType": "UNIFORM_SCALING"}),
        ),
        (
            "scalings-per-day",
            "UpdateShardCount",
            json!({"StreamName": "s", "TargetShardCount": 3, "ScalingType": "UNIFORM_SCALING"}),
        ),
        ("encryptions-per-day", "StartStreamEncryption", key),
        ("", "RegisterStreamConsumer", consumer("a")),
        (
            "consumers-per-stream",
            "RegisterStreamConsumer",
            consumer("b"),
        ),
        (
            "put-records-bytes",
            "PutRecords",
            json!({"StreamName": "s", "Records": two}),
        ),
        ("", "PutRecord", record),
        ("shard-write-bytes", "PutRecord", large),
        ("", "DescribeLimits", json!({})),
        ("calls-describe-limits", "DescribeLimits", json!({})),
        (
            "",
            "PutRecords",
            json!({"StreamName": "s", "Records": some}),
        ),
    ]
}

#[test]
fn a_refusal_by_a_limit_names_it_and_how_to_set_it() {
    let (program, address) = Program::start();
    block_on(async {
        let mut connection = Connection::open(address).await;
        for (limit, operation, body) in calls() {
            let request = Request::json(operation, &body.to_string());
            let answer = connection.exchange(&request).await;
            let status = if limit.is_empty() { 200 } else { 400 };
            assert_eq!(
                answer.status,
                status,
                "{operation} {body}: {}",
                answer.text()
            );
            assert!(!answer.text().contains("--limit"), "that is for the log");
        }
    });
    let log = program.log();
    for (limit, operation, _) in calls() {
        if !limit.is_empty() {
            let got = |line: &&str| {
                line.contains(operation) && line.contains(&format!("--limit {limit}=N"))
            };
            assert_eq!(log.lines().filter(got).count(), 1, "{limit} in\n{log}");
        }
    }
}

#[test]
fn a_batch_of_which_a_part_is_refused_is_logged_once() {
    let (program, address) = Program::start();
    block_on(async {
        let mut connection = Connection::open(address).await;
        let stream = Request::json("CreateStream", r#"{"StreamName":"s","ShardCount":1}"#);
        connection.exchange(&stream).await;
        // The shard permits 100 bytes a second, and keys count, too. Use 90 bytes by two single
        // puts, because a batch may have only 10 bytes.
        for name in ["a", "b"] {
            let body = json!({"StreamName": "s", "PartitionKey": name.repeat(45), "Data": ""});
            let put = Request::json("PutRecord", &body.to_string());
            assert_eq!(connection.exchange(&put).await.status, 200);
        }
        let entry = |name: &str| json!({"PartitionKey": name, "Data": "YWE="});
        let body = json!({"StreamName": "s", "Records": [entry("a"), entry("b"), entry("c")]});
        let put = Request::json("PutRecords", &body.to_string());
        let answer = connection.exchange(&put).await;
        assert_eq!(answer.value()["FailedRecordCount"], 0, "{}", answer.text());
        let answer = connection.exchange(&put).await;
        assert_eq!(answer.value()["FailedRecordCount"], 3, "{}", answer.text());
    });
    let log = program.log();
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("PutRecords"))
        .collect();
    assert_eq!(lines.len(), 1, "{log}");
    for part in ["3 of 3 records refused", "--limit shard-write-bytes=N"] {
        assert!(lines[0].contains(part), "{log}");
    }
}

/// Refused requests, each with a part of its log line.
fn refused() -> Vec<(Request, &'static str)> {
    let records = r#"{"StreamName":"s","Records":[{"Data":"","PartitionKey":"k"},{"Data":5}]}"#;
    let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/orders";
    let queue = json!({"QueueName": "q", "StreamConfigurationList": [{"StreamARN": arn}]});
    let filter = json!({"StreamFilter": [{"StreamARN": arn}], "NextToken": "x"});
    let target = "x-amz-target";
    let list = || Request::json("ListStreams", "{}");
    vec![
        (Request::json("PutRecords", records), "at Records[1].Data"),
        (
            Request::json("ListStreams", "[5]"),
            "the body is not a structure",
        ),
        (
            Request::cbor("ListStreams", b"\xa1\x61a"),
            "not CBOR: it ends within a value, after 3 bytes",
        ),
        (
            Request::cbor("ListStreams", b"\xa1\x61a\x1c"),
            "not CBOR: the value at offset 3 is malformed",
        ),
        (
            Request::json("CreateQueue", &queue.to_string()),
            "stream=\"orders\"",
        ),
        (
            Request::json("ListQueues", &filter.to_string()),
            "stream=\"orders\"",
        ),
        (list().without(target), "it has no X-Amz-Target header"),
        (
            list().without(target).header(target, "DynamoDB_20120810.X"),
            "for another service: DynamoDB_20120810 and not Kinesis_20131202",
        ),
        (
            list().without(target).header(target, "ListStreams"),
            "it is not written as Kinesis_20131202.NAME",
        ),
        (
            Request::rpc_v2("X", b"\xa0").path("/service/DynamoDB/operation/X"),
            "for another service: DynamoDB and not",
        ),
        (
            Request::rpc_v2("X", b"\xa0").path("/"),
            "its path does not end with /service/Kinesis_20131202/operation/NAME",
        ),
    ]
}

#[test]
fn the_log_says_where_a_refused_request_is_wrong() {
    let (program, address) = Program::start();
    block_on(async {
        for (request, part) in refused() {
            let mut connection = Connection::open(address).await;
            let answer = connection.exchange(&request).await;
            assert!(answer.status >= 400, "{part}: {}", answer.text());
        }
    });
    let log = program.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("WARN")).collect();
    assert_eq!(lines.len(), refused().len(), "{log}");
    for ((_, part), line) in refused().iter().zip(lines) {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[test]
fn a_subscription_that_a_fault_rule_ends_is_logged() {
    let (program, address) = Program::start_with(&["--fault", "kind=end-subscription"]);
    block_on(async {
        let mut connection = Connection::open(address).await;
        let mut call = async |operation, body: Value| {
            let request = Request::json(operation, &body.to_string());
            let answer = connection.exchange(&request).await;
            assert_eq!(answer.status, 200, "{operation}");
            answer
        };
        call("CreateStream", json!({"StreamName": "s", "ShardCount": 1})).await;
        let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
        let consumer = json!({"StreamARN": arn, "ConsumerName": "reader"});
        let registered = call("RegisterStreamConsumer", consumer).await.value();
        let subscription = json!({
            "ConsumerARN": registered["Consumer"]["ConsumerARN"],
            "ShardId": crate::lab::SHARD_0,
            "StartingPosition": {"Type": "TRIM_HORIZON"},
        });
        // The clock does not move, so only a record makes an event due.
        let record = json!({"StreamName": "s", "PartitionKey": "k", "Data": ""});
        call("PutRecord", record).await;
        call("SubscribeToShard", subscription).await;
    });
    let log = program.log();
    let ended = "a subscription ended: InternalFailure";
    assert!(log.contains(ended) && log.contains("reader of"), "{log}");
}
