//! The program as a process of its own.

use super::WAIT_LIMIT;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tempfile::NamedTempFile;

/// The program. It is killed when this value is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    address: SocketAddr,
    stdout: String,
    /// The log, which is read only after the end of the program. It is a file, because the program
    /// would block at a full pipe.
    log: NamedTempFile,
}

/// The command `minikin serve` with these flags. Listens on a free port of this machine, unless the
/// flags name a port.
pub(crate) fn command(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minikin"));
    command.arg("serve").args(flags);
    if !flags.contains(&"--listen") {
        command.args(["--port", "0"]);
        if !flags.contains(&"--host") {
            command.args(["--host", "127.0.0.1"]);
        }
    }
    command
}

impl Program {
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::spawn(command(flags))
    }

    /// Starts a command, and waits until it is ready.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let log = NamedTempFile::new().unwrap();
        command.stdout(Stdio::piped()).stderr(log.reopen().unwrap());
        let mut child = command.spawn().unwrap();
        let lines = lines(child.stdout.take().unwrap());
        let mut stdout = String::new();
        while !stdout.ends_with("Ready.\n") {
            let line = lines.recv_timeout(WAIT_LIMIT);
            let Ok(line) = line else {
                let log = std::fs::read_to_string(log.path()).unwrap();
                panic!("waited for `Ready.` and read {stdout:?}: {log}");
            };
            stdout.push_str(&line);
        }
        let first = stdout.lines().next().unwrap();
        let port = first.rsplit_once(':').unwrap().1.parse().unwrap();
        Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            stdout,
            log,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The content of the log so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    /// Sends SIGTERM and waits for the end of the program.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let start = minikin::internals::world::Stopwatch::start();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                start.elapsed() < WAIT_LIMIT,
                "waited for the end after SIGTERM"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Kills the program. Returns everything that it has written.
    pub(crate) fn output(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::mem::take(&mut self.stdout) + &self.log()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The program may have ended already.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// The lines that the program prints. A thread reads them, so that a test can stop waiting for a
/// line.
pub(crate) fn lines(stdout: ChildStdout) -> Receiver<String> {
    let (send, lines) = channel();
    std::thread::spawn(move || {
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        while stdout.read_line(&mut line).is_ok_and(|length| length > 0) {
            if send.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    lines
}
