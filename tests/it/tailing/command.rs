//! `minikin tail`.

use super::until_tails;
use crate::lab::program::{Program, command, lines};
use crate::lab::{Lab, Place, Stream, WAIT_LIMIT, kinesis_test, wire_test};
use crate::snapshots::{load, save};
use serde_json::Value;
use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::Receiver;

/// A running `minikin tail`.
struct Following {
    child: Child,
    /// The lines of the output. None until the first line is read.
    lines: Option<Receiver<String>>,
}

fn tail(address: std::net::SocketAddr, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minikin"));
    command.args(["tail", "orders", "--endpoint", &format!("http://{address}")]);
    command.args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Following {
    fn start(address: std::net::SocketAddr, arguments: &[&str]) -> Self {
        let child = tail(address, arguments).spawn().unwrap();
        Self { child, lines: None }
    }

    /// The text of the next record.
    fn text(&mut self) -> String {
        let stdout = &mut self.child.stdout;
        let lines = self
            .lines
            .get_or_insert_with(|| lines(stdout.take().unwrap()));
        let line = lines.recv_timeout(WAIT_LIMIT);
        let line = line.unwrap_or_else(|error| panic!("waited for a record: {error}"));
        let record: Value = serde_json::from_str(&line).unwrap();
        record["Text"].as_str().unwrap().to_owned()
    }

    /// Kills the command. Returns its output on standard error.
    fn errors(mut self) -> String {
        self.child.kill().unwrap();
        let mut text = String::new();
        let mut errors = self.child.stderr.take().unwrap();
        errors.read_to_string(&mut text).unwrap();
        text
    }

    /// Waits for the end.
    fn end(&mut self) -> ExitStatus {
        let start = minikin::internals::world::Stopwatch::start();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < WAIT_LIMIT, "waited for the end of a tail");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // The program may have ended already.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

kinesis_test!(the_command_shows_what_comes, |lab: Lab| async move {
    let stream = lab.stream("orders").create().await;
    stream.put("k", "one").await;
    let output = tail(lab.address(), &["--no-follow"]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 1);
    let address = lab.address();
    let mut following = Following::start(address, &["--from", "trim_horizon"]);
    assert_eq!(following.text(), "one");
    stream.put("k", "two").await;
    assert_eq!(following.text(), "two");
    lab.ok("DeleteStream", "{\"StreamName\":\"orders\"}").await;
    assert!(following.end().success());
});

wire_test!(the_command_goes_on_after_a_load, |lab: Lab| async move {
    let stream = lab.stream("orders").create().await;
    stream.put("k", "one").await;
    let file = save(&lab).await;
    let there = Lab::start(Place::Memory, &[]).await;
    there
        .stream("orders")
        .create()
        .await
        .put("k", "other")
        .await;
    let other = save(&there).await;
    there.stop().await;
    let mut following = Following::start(lab.address(), &["--from", "trim_horizon"]);
    assert_eq!(following.text(), "one");
    load(&lab, &file).await;
    Stream::existing(&lab, "orders").put("k", "two").await;
    assert_eq!(following.text(), "two");
    load(&lab, &other).await;
    assert_eq!(following.text(), "other");
    let errors = following.errors();
    let notices = errors.matches("does not have the position").count();
    assert_eq!(notices, 1, "{errors}");
});

wire_test!(
    the_command_ends_when_its_reader_is_gone,
    |lab: Lab| async move {
        lab.stream("orders").create().await;
        let mut following = Following::start(lab.address(), &[]);
        until_tails(&lab, 1).await;
        drop(following.child.stdout.take());
        assert!(following.end().success());
        until_tails(&lab, 0).await;
    }
);

#[test]
fn the_command_goes_on_after_a_restart() {
    let home = tempfile::TempDir::new().unwrap();
    let home = home.path().to_str().unwrap();
    let server = Program::start(&["--data-dir", home, "--stream", "orders:1"]);
    let address = server.address();
    put(address, "one");
    let mut following = Following::start(address, &["--from", "trim_horizon"]);
    assert_eq!(following.text(), "one");
    put(address, "two");
    assert!(server.terminate().success());
    let listen = address.to_string();
    let _again = Program::spawn(command(&["--data-dir", home, "--listen", &listen]));
    put(address, "three");
    assert_eq!(following.text(), "two");
    assert_eq!(following.text(), "three");
}

/// Puts a record by `minikin put`.
fn put(address: std::net::SocketAddr, data: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minikin"));
    command.args(["put", "orders", "--key", "k", data]);
    command.args(["--endpoint", &format!("http://{address}")]);
    assert!(command.stdout(Stdio::null()).status().unwrap().success());
}

#[test]
fn the_command_says_why_it_cannot_follow() {
    let server = Program::start(&[]);
    let refused = tail(server.address(), &[]).status().unwrap();
    assert_eq!(refused.code(), Some(4), "no stream");
    let address = server.address();
    assert!(server.terminate().success());
    let unreachable = tail(address, &[]).status().unwrap();
    assert_eq!(unreachable.code(), Some(3));
}
