//! Log lines of refused requests: the limit, and the option that sets it.

use crate::lab::raw::Connection;
use crate::lab::{Request, block_on};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

/// Limits so low that one call each is refused.
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

/// The program, killed when this is dropped.
struct Program(Child);

impl Program {
    fn start() -> (Self, SocketAddr) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_minikin"));
        command.args(["serve", "--host", "127.0.0.1", "--port", "0"]);
        command.args(["--clock", "virtual", "--limit", &LIMITS.join(",")]);
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

    /// Ends it; the log it has written.
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
        // The program may be dead already.
        let _dead = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// Calls that succeed, and calls that are refused by the limit named before them.
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
        // Keys count as well: ninety of the shard's hundred bytes are used up, in single puts,
        // since a batch may have only ten bytes here.
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
