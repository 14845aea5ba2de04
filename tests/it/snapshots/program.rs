//! Snapshots at the start, by command and from Rust.

use super::{rich, save};
use crate::lab::program::Program;
use crate::lab::{Lab, Place, Stream, WAIT_LIMIT, block_on, wire_test};
use minikin::{Emulator, Options, SnapshotError};
use serde_json::json;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use tempfile::TempDir;

/// A file with a snapshot of the stream `orders`, in a directory.
async fn file(directory: &Path) -> String {
    let source = Lab::start(Place::Memory, &[]).await;
    rich(&source).await;
    let path = directory.join("all.snapshot");
    std::fs::write(&path, save(&source).await).unwrap();
    source.stop().await;
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_start_loads_a_snapshot_before_the_setup() {
    block_on(async {
        let directory = TempDir::new().unwrap();
        let file = file(directory.path()).await;
        let flags = [
            "--load", &file, "--stream", "orders:7", "--stream", "more:1",
        ];
        let lab = Lab::start(Place::Disk, &flags).await;
        let orders = Stream::existing(&lab, "orders");
        assert_eq!(orders.read_all().await.len(), 40);
        let names = lab.ok("ListStreams", "{}").await["StreamNames"].clone();
        assert_eq!(names, json!(["more", "orders"]));
        orders.put("k", "after").await;
        assert!(lab.restart().await);
        let orders = Stream::existing(&lab, "orders");
        assert_eq!(
            orders.read_all().await.len(),
            41,
            "what is there is left alone"
        );
        lab.stop().await;
    });
}

#[test]
fn a_start_with_a_file_that_is_no_snapshot_makes_nothing() {
    block_on(async {
        let directory = TempDir::new().unwrap();
        let broken = directory.path().join("broken");
        std::fs::write(&broken, "no snapshot").unwrap();
        for (path, reason) in [
            (broken, "the file is not a snapshot of minikin"),
            (directory.path().join("missing"), "No such file"),
        ] {
            let home = directory.path().join("home");
            let flags = [
                "--port",
                "0",
                "--load",
                path.to_str().unwrap(),
                "--stream",
                "orders:1",
                "--data-dir",
                home.to_str().unwrap(),
            ];
            let error = Emulator::start(Options::read(flags).unwrap())
                .await
                .unwrap_err();
            let text = error.to_string();
            assert!(text.contains(reason) && text.contains("--load"), "{text}");
            let flags = ["--port", "0", "--data-dir", home.to_str().unwrap()];
            let emulator = Emulator::start(Options::read(flags).unwrap())
                .await
                .unwrap();
            let saved = emulator.save_snapshot(Vec::new()).await.unwrap();
            assert!(saved.len() < 200, "there is no stream");
            emulator.stop().await.unwrap();
        }
    });
}

#[test]
fn a_program_saves_and_loads_its_own_emulator() {
    block_on(async {
        let start = async || {
            let flags = ["--port", "0", "--stream", "orders:3"];
            Emulator::start(Options::read(flags).unwrap())
                .await
                .unwrap()
        };
        let (one, other) = (start().await, start().await);
        let mut file = one.save_snapshot(Vec::new()).await.unwrap();
        other
            .load_snapshot(Cursor::new(file.clone()))
            .await
            .unwrap();
        other.save_snapshot(Vec::new()).await.unwrap();
        file.truncate(file.len() / 2);
        let cut = other.load_snapshot(Cursor::new(file)).await;
        assert!(matches!(cut, Err(SnapshotError::Refused(_))));
        let unreadable = other.load_snapshot(Broken).await;
        assert!(matches!(unreadable, Err(SnapshotError::Io(_))));
        let unwritable = other.save_snapshot(Broken).await;
        assert!(matches!(unwritable, Err(SnapshotError::Io(_))));
        one.stop().await.unwrap();
        other.stop().await.unwrap();
    });
}

/// A file whose reads and writes fail.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that returns its bytes when the test permits it.
struct Gated {
    bytes: Cursor<Vec<u8>>,
    gate: Receiver<()>,
}

impl Read for Gated {
    fn read(&mut self, part: &mut [u8]) -> io::Result<usize> {
        let opened = self.gate.recv_timeout(WAIT_LIMIT);
        opened.map_err(|_| io::ErrorKind::TimedOut)?;
        self.bytes.read(part)
    }
}

#[test]
fn a_slow_file_keeps_no_task_waiting() {
    block_on(async {
        let lab = Lab::start(Place::Memory, &[]).await;
        rich(&lab).await;
        let bytes = Cursor::new(save(&lab).await);
        lab.stop().await;
        let emulator = Emulator::start(Options::read(["--port", "0"]).unwrap());
        let emulator = emulator.await.unwrap();
        let (open, gate) = channel();
        let loading = emulator.load_snapshot(Gated { bytes, gate });
        // The gate opens after the load has begun to wait for it.
        let opening = async { (0..100).for_each(|_| open.send(()).unwrap()) };
        let (loaded, ()) = tokio::join!(loading, opening);
        loaded.unwrap();
        emulator.stop().await.unwrap();
    });
}

/// Runs `minikin snapshot`; gives its exit status. A transfer that succeeds prints no progress,
/// because standard error is no terminal.
fn snapshot(server: &Program, action: &str, file: &Path) -> Option<i32> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minikin"));
    command.args(["snapshot", action]).arg(file);
    command.args(["--endpoint", &format!("http://{}", server.address())]);
    let output = command.output().unwrap();
    assert!(!output.status.success() || output.stderr.is_empty());
    output.status.code()
}

#[test]
fn a_command_saves_and_loads() {
    let directory = TempDir::new().unwrap();
    let (file, broken) = (
        directory.path().join("all"),
        directory.path().join("broken"),
    );
    let server = Program::start(&["--stream", "orders:1"]);
    assert_eq!(snapshot(&server, "save", &file), Some(0));
    std::fs::write(&broken, &std::fs::read(&file).unwrap()[1..]).unwrap();
    let empty = Program::start(&[]);
    assert_eq!(snapshot(&empty, "load", &broken), Some(4));
    assert_eq!(
        snapshot(&empty, "load", &directory.path().join("missing")),
        Some(2)
    );
    assert_eq!(snapshot(&empty, "load", directory.path()), Some(2));
    assert_eq!(snapshot(&empty, "load", &file), Some(0));
    let again = directory.path().join("again");
    assert_eq!(snapshot(&empty, "save", &again), Some(0));
    assert!(
        std::fs::metadata(&again).unwrap().len() > 200,
        "the stream is there"
    );
    assert!(server.terminate().success());
    let gone = directory.path().join("gone");
    let mut command = Command::new(env!("CARGO_BIN_EXE_minikin"));
    command
        .args(["snapshot", "save"])
        .arg(&gone)
        .args(["--endpoint", "http://127.0.0.1:1"]);
    assert_eq!(command.output().unwrap().status.code(), Some(3));
    assert!(!gone.exists(), "no part of a file is left");
}

#[test]
fn a_save_replaces_neither_a_link_nor_a_pipe() {
    let directory = TempDir::new().unwrap();
    let (file, link) = (directory.path().join("all"), directory.path().join("link"));
    let server = Program::start(&["--stream", "orders:1"]);
    std::fs::write(&file, "before").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(snapshot(&server, "save", &link), Some(0));
    assert_eq!(std::fs::read_link(&link).unwrap(), file);
    assert!(std::fs::metadata(&file).unwrap().len() > 200);
    for name in ["-", "/dev/stdout"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_minikin"));
        command.args(["snapshot", "save", name]);
        command.args(["--endpoint", &format!("http://{}", server.address())]);
        command.current_dir(directory.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{name}: {output:?}");
        std::fs::write(&file, output.stdout).unwrap();
        assert_eq!(snapshot(&server, "load", &file), Some(0), "{name}");
    }
    assert!(!directory.path().join("-").exists());
    assert!(server.terminate().success());
}

wire_test!(
    a_snapshot_of_much_goes_out_in_parts,
    ["--profile", "fast"],
    |lab: Lab| async move {
        let stream = lab.stream("orders").create().await;
        for _ in 0..3 {
            stream.put("k", vec![b'x'; 1_000_000]).await;
        }
        let file = save(&lab).await;
        assert!(file.len() < 100_000, "it is compressed: {}", file.len());
        super::load(&lab, &file).await;
        assert_eq!(stream.read_all().await.len(), 3);
    }
);
