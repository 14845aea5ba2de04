//! The whole path from arguments to figures, against a peer of a few lines.

use super::*;
use clap::Parser;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

pub(super) fn arguments(line: &str) -> Result<Arguments, clap::Error> {
    let words = std::iter::once("bench").chain(line.split_whitespace());
    Line::try_parse_from(words).map(|line| line.arguments)
}

/// Answers every request on every connection, for as long as the test runs.
fn peer() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer_all(stream.unwrap()));
        }
    });
    address
}

fn answer_all(mut stream: TcpStream) -> Option<()> {
    let mut received = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&received).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            let mut bytes = [0; 4096];
            let read = stream.read(&mut bytes).ok().filter(|read| *read > 0)?;
            received.extend_from_slice(&bytes[..read]);
            continue;
        };
        let length = head.split("Content-Length: ").nth(1)?;
        let length: usize = length.split("\r\n").next()?.parse().ok()?;
        if body.len() < length {
            let mut bytes = [0; 4096];
            let read = stream.read(&mut bytes).ok().filter(|read| *read > 0)?;
            received.extend_from_slice(&bytes[..read]);
            continue;
        }
        received.clear();
        let answer = match head
            .split("Kinesis_20131202.")
            .nth(1)?
            .split("\r\n")
            .next()?
        {
            "DescribeStreamSummary" => {
                r#"{"StreamDescriptionSummary":{"StreamStatus":"ACTIVE","StreamARN":"a"}}"#
            }
            "ListShards" => r#"{"Shards":[{"ShardId":"shardId-0"}]}"#,
            "GetShardIterator" => r#"{"ShardIterator":"i"}"#,
            "PutRecords" => r#"{"FailedRecordCount":0,"Records":[{"SequenceNumber":"1"}]}"#,
            "GetRecords" => r#"{"Records":[{"SequenceNumber":"1"}],"NextShardIterator":"j"}"#,
            _ => "{}",
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            answer.len()
        );
        stream.write_all((head + answer).as_bytes()).ok()?;
    }
}

/// A run against a peer, and a runtime for it.
fn run_against(address: SocketAddr) -> (Run, tokio::runtime::Runtime) {
    let line = "--payload 10 --batch 10 --connections 2 --megabytes 1";
    let arguments = arguments(line).unwrap();
    let run = Run::new(address, Some(std::process::id()), &arguments);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    (run, runtime)
}

#[test]
fn a_closed_loop_makes_the_given_number_of_requests() {
    let (run, runtime) = run_against(peer());
    let plan = load::Plan {
        connections: 2,
        warm_up: Duration::from_millis(20),
        measured: Duration::from_secs(20),
        requests: 30,
    };
    let loaded = load::run(&run, plan, || Ok(put::Put::marking(&run)));
    let (sample, puts) = runtime.block_on(loaded).unwrap();
    let figures = Figures::of(&sample);
    assert_eq!((figures.requests, figures.errors), (30, 0));
    assert_eq!((puts.len(), figures.connections_opened), (2, 2));
    assert!(figures.records_per_second > 0.0 && figures.max_us >= figures.p50_us);
}

#[test]
fn a_scenario_goes_from_create_to_figures() {
    let (run, runtime) = run_against(peer());
    let figures = runtime.block_on(Control::new(&run).create_stream(1));
    assert_eq!(figures, Ok("a".to_owned()));
    let arguments = Arguments {
        depth: 1000,
        ..run.arguments.clone()
    };
    let deep = Run { arguments, ..run };
    let figures = runtime.block_on(get::deep(&deep)).unwrap();
    let parts: Vec<_> = figures
        .iter()
        .filter_map(|figures| figures.part.as_deref())
        .collect();
    assert_eq!(parts, ["1000 head", "1000 middle", "1000 end"]);
    assert!(figures.iter().all(|figures| figures.requests == 200));
}

#[test]
fn a_closed_port_is_an_error_soon() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (run, runtime) = run_against(address);
    let plan = load::Plan {
        connections: 2,
        warm_up: Duration::ZERO,
        measured: Duration::from_secs(20),
        requests: u64::MAX,
    };
    let loaded = load::run(&run, plan, || Ok(put::Put::marking(&run)));
    assert!(runtime.block_on(loaded).unwrap_err().contains("refused"));
}

#[test]
fn a_server_is_started_and_measured_without_an_endpoint() {
    let measured = run(&arguments("put1 --requests 20 --connections 2 --json").unwrap());
    assert_eq!(measured, ExitCode::SUCCESS);
}

/// The figures of a scenario at a server that is started for it, by the names of their parts.
fn measured(line: &str) -> BTreeMap<String, Figures> {
    let arguments = arguments(line).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let figures = runtime.block_on(measure(arguments.scenarios[0], &arguments));
    let parts = figures.unwrap().into_iter();
    parts
        .map(|figures| (figures.part.clone().unwrap_or_default(), figures))
        .inspect(|(part, figures)| {
            let error = figures.first_error.as_deref();
            assert_eq!((figures.errors, error), (0, None), "{line}: {part}");
        })
        .collect()
}

#[test]
fn a_queue_is_consumed_in_slices_and_each_call_is_reported() {
    // A slice is 64 batches.
    let figures = measured("queue --requests 150 --connections 2 --batch 10 --payload 10");
    let requests = |part: &str| figures[part].requests;
    assert_eq!(figures.len(), 3);
    assert_eq!(["both", "receive", "acknowledge"].map(requests), [150; 3]);
    assert!(figures["both"].server_cpu_us_per_record.is_some());
}

#[test]
fn a_waiting_receive_gets_each_record() {
    let figures = measured("queue-wait --requests 20 --payload 10");
    let waits = &figures[""];
    assert_eq!(waits.requests, 20);
    assert!(waits.p50_us > 0.0 && waits.p99_us < 5e6, "{waits:?}");
}

#[test]
fn every_record_of_a_stream_comes_through_the_function() {
    let figures = measured("invoke --megabytes 1 --batch 50 --payload 1000 --seconds 60");
    let invoke = &figures[""];
    // Each of four shards has a quarter of 1,000 records, or about that.
    assert!(invoke.requests >= 4, "{invoke:?}");
    assert_eq!(invoke.records, 1000);
}

#[test]
fn a_put_is_followed_to_its_invocation() {
    let figures = measured("invoke-latency --requests 20 --payload 10");
    assert_eq!(figures[""].requests, 20);
    let away = arguments("invoke --endpoint http://127.0.0.1:1").unwrap();
    let (_, runtime) = run_against(peer());
    let refused = runtime.block_on(measure(Scenario::Invoke, &away));
    assert!(refused.unwrap_err().contains("--function 'load="));
}

#[test]
fn a_channel_delivers_what_was_put() {
    let figures = measured("deliver --megabytes 1 --batch 50 --payload 1000");
    assert_eq!(figures.len(), 3);
    let records = |part: &str| figures[part].records;
    assert_eq!(["put", "rest", "all"].map(records), [1000; 3]);
    assert!(figures["all"].server_memory_peak_mb > Some(1.0));
}

#[test]
fn a_server_with_a_data_directory_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let line = format!(
        "put1 --requests 20 --connections 2 --json --data-dir {}",
        home.path().display()
    );
    let arguments = arguments(&line).unwrap();
    let server = Server::start(arguments.server_settings()).unwrap();
    let folder = std::fs::read_dir(home.path()).unwrap().next().unwrap();
    assert!(folder.unwrap().path().join("data").is_dir());
    drop(server);
    assert_eq!(run(&arguments), ExitCode::SUCCESS);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn servers_that_all_fail_are_a_failure() {
    let line = "put1 --seconds 1 --rounds 1 --compare one=http://127.0.0.1:1";
    assert_eq!(run(&arguments(line).unwrap()), ExitCode::FAILURE);
}

#[test]
fn the_arguments_have_bounds() {
    let all = arguments("").unwrap();
    assert!(all.scenarios.is_empty() && all.endpoint.is_none() && !all.json);
    let some =
        arguments("put1 put500cbor getdeep --endpoint http://localhost:4567 --json").unwrap();
    let names: Vec<_> = some
        .scenarios
        .iter()
        .map(|scenario| scenario.name())
        .collect();
    assert_eq!(names, ["put1", "put500cbor", "getdeep"]);
    for line in [
        "put2",
        "--connections 0",
        "--seconds 241",
        "--batch 501",
        "--server-pid 1",
        "--data-dir /tmp --endpoint http://127.0.0.1:1",
    ] {
        assert!(arguments(line).is_err(), "{line}");
    }
}
