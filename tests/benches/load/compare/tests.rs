//! Whole comparisons, with servers in this process and with servers that fail.

use super::super::tests::arguments;
use super::*;
use minikin::{Emulator, Options};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

/// Few requests are enough to go from arguments to rows; the time is not waited for.
const SMALL: &str = "--requests 12 --rounds 2 --batch 10 --payload 10 --connections 2";

async fn emulator() -> Emulator {
    let flags = ["--port", "0", "--host", "127.0.0.1", "--profile", "fast"];
    Emulator::start(Options::read(flags).unwrap())
        .await
        .unwrap()
}

/// An address of a closed port.
fn closed_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// A server that understands nothing.
fn refuser() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // One read is enough: the requests that come here are small.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\nno");
        }
    });
    address
}

#[tokio::test]
async fn every_scenario_is_measured_at_each_of_two_emulators() {
    let (one, two) = (emulator().await, emulator().await);
    let line = format!(
        "{SMALL} --compare one={},two={}",
        one.endpoint(),
        two.endpoint()
    );
    let arguments = arguments(&line).unwrap();
    for scenario in scenarios(&arguments).unwrap() {
        let outcomes = in_turn(scenario, &arguments).await;
        for outcome in outcomes {
            let rounds = outcome.unwrap();
            assert_eq!(rounds.len(), 2, "{}", scenario.name());
            assert!(rounds.iter().flatten().all(|(_, rate)| *rate > 0.0));
        }
    }
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_fails_does_not_stop_the_rest() {
    let one = emulator().await;
    let line = format!(
        "put1 streams {SMALL} --compare away=http://{} --compare refuser=http://{} --compare one={}",
        closed_port(),
        refuser(),
        one.endpoint(),
    );
    let arguments = arguments(&line).unwrap();
    for scenario in scenarios(&arguments).unwrap() {
        let outcomes = in_turn(scenario, &arguments).await;
        let failure = |at: usize| outcomes[at].as_ref().unwrap_err().clone();
        assert!(failure(0).contains("refused"), "{}", failure(0));
        assert!(failure(1).contains("400 no"), "{}", failure(1));
        assert_eq!(outcomes[2].as_ref().map(Vec::len), Ok(2));
    }
    let rows = measure(&arguments).await.unwrap();
    assert!(rows.len() == 2 && rows.iter().all(Row::has_figures));
    one.stop().await.unwrap();
}

#[tokio::test]
async fn streams_that_were_made_are_removed() {
    let one = emulator().await;
    let line = format!("{SMALL} --compare one={}", one.endpoint());
    let rows = measure(&arguments(&line).unwrap()).await.unwrap();
    assert!(rows.len() == 5 && rows.iter().all(Row::has_figures));
    let address = one.addresses()[0];
    let mut connection = super::super::connection::Connection::new(address);
    let list = super::super::request::json(address, "ListStreams", &serde_json::json!({}));
    let answer = connection.send(&list).await.unwrap();
    let text = String::from_utf8_lossy(answer.body);
    assert!(text.contains(r#""StreamNames":[]"#), "{text}");
    one.stop().await.unwrap();
}

#[tokio::test]
async fn runs_that_cannot_be_compared_are_refused() {
    let refused = async |line: &str| match arguments(line) {
        Ok(arguments) => measure(&arguments).await.unwrap_err(),
        Err(error) => error.to_string(),
    };
    let one = "--compare a=http://127.0.0.1:1";
    for (line, expected) in [
        (format!("startup {one}"), "not compared"),
        (format!("put1 {}", format!("{one} ").repeat(9)), "at most 8"),
        (format!("{one} --rounds 0"), "0 is not in 1..=99"),
        (
            format!("{one} --endpoint http://127.0.0.1:1"),
            "cannot be used with",
        ),
        ("--compare http://127.0.0.1:1".to_owned(), "NAME=URL"),
        ("--compare =http://127.0.0.1:1".to_owned(), "a name has"),
        ("--compare a|b=http://127.0.0.1:1".to_owned(), "a name has"),
        ("--rounds 2".to_owned(), "--compare"),
    ] {
        let error = refused(&line).await;
        assert!(error.contains(expected), "{line}: {error}");
    }
}
