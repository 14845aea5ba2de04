//! The program: its signals, file descriptors and log.

use crate::lab::program::{Program, command};
use crate::lab::raw::Connection;
use crate::lab::{Answer, Request, block_on};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};

fn exchange(program: &Program, requests: &[Request]) -> Vec<Answer> {
    block_on(async {
        let mut connection = Connection::open(program.address()).await;
        let mut answers = Vec::new();
        for request in requests {
            answers.push(connection.exchange(request).await);
        }
        answers
    })
}

#[test]
fn a_signal_right_after_ready_stops_the_program() {
    for run in 0..20 {
        let status = Program::start(&[]).terminate();
        assert!(status.success(), "run {run}: {status}");
    }
}

/// Checks that keys and names with a line feed and a forged log line do not add lines to the log.
#[test]
fn requests_cannot_forge_lines_of_the_log() {
    let forged = "2026-01-01T00:00:00Z  INFO minikin: forged";
    let program = Program::start(&["--log", "debug"]);
    let put = json!({
        "StreamName": "s", "PartitionKey": format!("\r\n{forged}").repeat(8), "Data": "AAAA",
        "ExplicitHashKey": format!("1\n{forged}"),
    });
    let name = json!({ "StreamName": format!("s\n{forged}\u{2028}{forged}\u{85}{forged}") });
    let requests = [
        Request::json("PutRecord", &put.to_string()),
        Request::json("DescribeStream", &name.to_string()),
        Request::json("DeleteStream", &name.to_string()),
        Request::json("PutRecord", r#"{"a\nb":1}"#),
        Request::json("ListStreams", "{}").path("/%0A2026"),
    ];
    let answers = exchange(&program, &requests);
    assert!(answers.iter().any(|answer| answer.status == 400));
    let log = program.output();
    assert!(log.contains("forged"), "the texts are in the log: {log}");
    for line in log.split(['\n', '\r', '\u{85}', '\u{2028}']) {
        assert!(!line.starts_with(forged), "{log}");
    }
}

/// The soft and hard limits of open file descriptors of a running program.
fn descriptors(program: &Program) -> (String, String) {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", program.id())).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let mut words = line.unwrap().split_whitespace().skip(3).map(str::to_owned);
    (words.next().unwrap(), words.next().unwrap())
}

/// The command that starts the program under `ulimit` with these flags.
fn limited(ulimit: &str, flags: &[&str]) -> Command {
    let inner = command(flags);
    let mut outer = Command::new("sh");
    outer.args(["-c", &format!("ulimit {ulimit} && exec \"$@\""), "sh"]);
    outer.arg(inner.get_program()).args(inner.get_args());
    outer
}

#[cfg(target_os = "linux")]
#[test]
fn the_soft_limit_of_descriptors_is_raised() {
    let program = Program::spawn(limited("-Sn 200", &[]));
    let (soft, hard) = descriptors(&program);
    let (soft, hard): (u64, u64) = (soft.parse().unwrap(), hard.parse().unwrap_or(u64::MAX));
    assert!(soft >= hard.min(10_000), "{soft} of {hard}");
}

#[cfg(target_os = "linux")]
#[test]
fn idle_connections_leave_descriptors_for_the_store() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().to_str().unwrap();
    let flags = [
        "--data-dir",
        path,
        "--profile",
        "fast",
        "--durability",
        "none",
    ];
    let program = Program::spawn(limited("-n 700", &flags));
    block_on(async {
        let mut writer = Connection::open(program.address()).await;
        let create = Request::json("CreateStream", r#"{"StreamName":"s","ShardCount":1}"#);
        assert_eq!(writer.exchange(&create).await.status, 200);
        let mut idle = Vec::new();
        for _ in 0..800 {
            idle.push(
                tokio::net::TcpStream::connect(program.address())
                    .await
                    .unwrap(),
            );
        }
        // The records need more than one generation, and each generation opens files of its own.
        let data = "A".repeat(1_300_000);
        let record = json!({"PartitionKey": "k", "Data": data});
        let put = json!({"StreamName": "s", "Records": vec![record; 7]});
        let put = Request::json("PutRecords", &put.to_string());
        for call in 0..24 {
            let answer = writer.exchange(&put).await;
            assert_eq!(answer.status, 200, "call {call}: {}", answer.text());
            assert!(answer.text().contains(r#""FailedRecordCount":0"#), "{call}");
        }
        let ready = Request::bare("GET", "/_minikin/health/ready");
        assert_eq!(writer.exchange(&ready).await.text(), "ready\n");
    });
}

/// The log lines of a start with the variables of another tool's compose file.
#[test]
fn variables_and_flags_of_other_tools_are_honoured_or_named_in_one_warning() {
    let flags = ["--deleteStreamMs", "5", "--ssl", "--shardLimit=3"];
    let mut command = command(&flags);
    command
        .env("KINESIS_INITIALIZE_STREAMS", "orders:2")
        .env("DEBUG", "1")
        .env("SERVICES", "kinesis")
        .env("PERSIST_INTERVAL", "5s");
    let program = Program::spawn(command);
    let names = ["ListStreams", "DescribeLimits"].map(|name| Request::json(name, "{}"));
    let answers = exchange(&program, &names);
    assert!(answers[0].text().contains(r#""StreamNames":["orders"]"#));
    assert!(answers[1].text().contains(r#""ShardLimit":3"#));
    let log = program.output();
    for line in [
        "--log comes from DEBUG",
        "--initialize-streams comes from KINESIS_INITIALIZE_STREAMS",
        "ignored, because minikin has no such option: PERSIST_INTERVAL, SERVICES, --deleteStreamMs",
    ] {
        assert_eq!(log.matches(line).count(), 1, "{line}: {log}");
    }
}

/// The log lines about a refused request.
#[test]
fn the_log_says_why_a_request_is_refused() {
    let flags = ["--limit", "request-bytes=1000,shard-write-records=1"];
    let program = Program::start(&flags);
    let create = r#"{"StreamName":"orders","ShardCount":1}"#;
    let list = Request::json("ListStreams", "{}");
    let zipped = Request::json("PutRecord", "").body(&[0x1f, 0x8b, 8, 0]);
    let record = json!({"PartitionKey": "k", "Data": "AAAA"});
    let batch = json!({"StreamName": "orders", "Records": [record, record]}).to_string();
    let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/absent";
    let consumer = json!({"ResourceARN": format!("{arn}/consumer/a:1"), "Limit": 0});
    let requests = [
        Request::json("CreateStream", create),
        Request::json("ListStreem", "{}"),
        list.clone().header("Content-Type", "text/html"),
        list.clone().header("Content-Type", "application/json"),
        list.clone()
            .without("X-Amz-Target")
            .header("Content-Type", "text/plain"),
        Request::json("PutRecord", &"x".repeat(1_001)),
        Request::json("PutRecord", r#"{"StreamName":"orders","#),
        Request::json("PutRecord", "[]"),
        zipped.header("Content-Encoding", "gzip"),
        Request::json("ListTagsForResource", &consumer.to_string()),
        Request::json("PutRecords", &batch),
        Request::json("PutRecords", &batch),
    ];
    for request in &requests {
        // The server closes the connection after it has refused a body.
        exchange(&program, std::slice::from_ref(request));
    }
    let log = program.output();
    let line = |parts: &[&str]| {
        let found = log
            .lines()
            .find(|line| parts.iter().all(|part| line.contains(part)));
        assert!(found.is_some(), "no line has {parts:?}: {log}");
    };
    line(&["operation=\"ListStreem\"", "UnknownOperationException"]);
    line(&[
        "operation=\"ListStreams\"",
        "content_type=text/html",
        "none of the service's",
    ]);
    line(&["content_type=application/json", "none of the service's"]);
    line(&["content_type=text/plain", "no X-Amz-Target header"]);
    line(&[
        "operation=\"PutRecord\"",
        "bytes=1001",
        "limit=1000",
        "request-bytes=N",
    ]);
    line(&[
        "operation=\"PutRecord\"",
        "SerializationException",
        "line 1 column 23",
    ]);
    line(&["operation=\"PutRecord\"", "not a structure"]);
    line(&["operation=\"PutRecord\"", "Content-Encoding gzip"]);
    line(&["operation=\"ListTagsForResource\"", "stream=\"absent\""]);
    line(&["stream=orders", "1 of 2 records refused", "--profile fast"]);
    let named = log.lines().filter(|line| line.contains("--profile fast"));
    assert_eq!(named.count(), 1, "{log}");
}

#[test]
fn the_log_names_the_stream_of_an_iterator() {
    let program = Program::start(&[]);
    let create = r#"{"StreamName":"orders","ShardCount":1}"#;
    let start = json!({
        "StreamName": "orders", "ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST",
    });
    let requests = [
        Request::json("CreateStream", create),
        Request::json("GetShardIterator", &start.to_string()),
    ];
    let iterator = exchange(&program, &requests).remove(1).value();
    let read = json!({"ShardIterator": iterator["ShardIterator"], "Limit": 0});
    let delete = r#"{"StreamName":"orders"}"#;
    let gone = json!({"ShardIterator": iterator["ShardIterator"]});
    let requests = [
        Request::json("GetRecords", &read.to_string()),
        Request::json("DeleteStream", delete),
        Request::json("GetRecords", &gone.to_string()),
    ];
    exchange(&program, &requests);
    let log = program.output();
    for error in ["ValidationException", "ResourceNotFoundException"] {
        let line = log.lines().find(|line| line.contains(error));
        let line = line.unwrap_or_else(|| panic!("no line has {error}: {log}"));
        assert!(line.contains("stream=\"orders\""), "{line}");
    }
}

#[test]
fn the_log_at_debug_has_one_line_for_each_request() {
    let program = Program::start(&["--log", "debug"]);
    block_on(async {
        let stream = tokio::net::TcpStream::connect(program.address())
            .await
            .unwrap();
        let requests = vec![Request::json("ListStreams", "{}"); 3];
        for answer in crate::lab::h2::exchange(stream, &requests).await {
            assert_eq!(answer.status, 200);
        }
    });
    let log = program.output();
    let about = |line: &&str| line.contains("ListStreams");
    assert_eq!(log.lines().filter(about).count(), 3, "{log}");
    for foreign in [" h2::", " hyper", " rustls"] {
        assert!(!log.contains(foreign), "{log}");
    }
}

#[test]
fn a_put_of_lines_counts_the_lines_before_an_unusable_one() {
    let server = Program::start(&["--stream", "orders:1"]);
    let mut put = Command::new(env!("CARGO_BIN_EXE_minikin"));
    put.args(["put", "orders", "--key", "/k", "--endpoint"]);
    put.arg(format!("http://{}", server.address()));
    let mut put = put
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = r#"{"k":"a"}
{"k":"b"}
no JSON
{"k":"c"}
"#;
    let mut stdin = put.stdin.take().unwrap();
    stdin.write_all(lines.as_bytes()).unwrap();
    drop(stdin);
    let ended = put.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    let counts: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(counts, json!({"put": 2, "refused": 0}));
    let errors = String::from_utf8(ended.stderr).unwrap();
    assert!(errors.contains("record 3: not JSON"), "{errors}");
}

#[test]
fn the_command_records_selects_by_key_text_and_number() {
    let server = Program::start(&["--stream", "orders:1"]);
    let endpoint = format!("http://{}", server.address());
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_minikin"));
        command.args(arguments).args(["--endpoint", &endpoint]);
        command.output().unwrap()
    };
    for (key, data) in [("a", "one"), ("b", "two"), ("a", "three"), ("a", "two")] {
        assert!(run(&["put", "orders", data, "--key", key]).status.success());
    }
    let shown = |arguments: &[&str]| {
        let ended = run(&[&["records", "orders"], arguments].concat());
        let text = String::from_utf8(ended.stdout).unwrap();
        let lines = text.lines().map(|line| {
            let record: Value = serde_json::from_str(line).unwrap();
            record["Text"].as_str().unwrap().to_owned()
        });
        lines.collect::<Vec<_>>()
    };
    assert_eq!(shown(&["--key", "a"]), ["one", "three", "two"]);
    assert_eq!(shown(&["--key", "a", "--limit", "2"]), ["one", "three"]);
    assert_eq!(shown(&["--text", "two"]), ["two", "two"]);
    assert_eq!(
        run(&["records", "orders", "--limit", "0"]).status.code(),
        Some(2)
    );
}
