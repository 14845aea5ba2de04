//! The program as a process, and a client of it.

use crate::lab::program::lines;
use serde_json::Value;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

/// The limit in real time for a wait for the program. The program waits for the disk, and a busy
/// disk can stall for a minute.
pub(crate) const DISK_LIMIT: Duration = Duration::from_secs(180);

/// The program. It is killed when this value is dropped.
pub(crate) struct Server {
    /// The process, until it is killed.
    child: Option<Child>,
    pub(crate) address: SocketAddr,
}

/// The program under test. The variable MINIKIN can name another build.
pub(crate) fn program() -> PathBuf {
    let given = std::env::var_os("MINIKIN").map(PathBuf::from);
    given.unwrap_or_else(|| env!("CARGO_BIN_EXE_minikin").into())
}

/// The command that serves a directory with `--durability always`.
pub(crate) fn serving(directory: &Path) -> Command {
    serving_with("always", directory)
}

/// The command that serves a directory with the given durability.
pub(crate) fn serving_with(durability: &str, directory: &Path) -> Command {
    let mut command = Command::new(program());
    command
        .args(["--port", "0", "--profile", "fast", "--memory", "4MiB"])
        .args(["--durability", durability, "--data-dir"])
        .arg(directory);
    command
}

impl Server {
    pub(crate) fn spawn(directory: &Path) -> Child {
        serving(directory).stdout(Stdio::piped()).spawn().unwrap()
    }

    pub(crate) fn start(directory: &Path) -> Self {
        Self::started(Self::spawn(directory)).expect("the program starts")
    }

    /// Starts the program with its log in a file. Returns the exit status as the error if the
    /// program ends before it is ready.
    pub(crate) fn try_start(mut command: Command, log: &Path) -> Result<Self, ExitStatus> {
        command.stdout(Stdio::piped());
        command.stderr(File::create(log).unwrap());
        Self::started(command.spawn().unwrap())
    }

    fn started(mut child: Child) -> Result<Self, ExitStatus> {
        let lines = lines(child.stdout.take().unwrap());
        let mut address = None;
        loop {
            match lines.recv_timeout(DISK_LIMIT) {
                Ok(line) if line == "Ready.\n" => {
                    let address = address.expect("it says where it listens");
                    return Ok(Self {
                        child: Some(child),
                        address,
                    });
                }
                Ok(line) => {
                    let found = line.trim_end().strip_prefix("Listening on ");
                    address = address.or(found.and_then(|found| found.parse().ok()));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(child.wait().unwrap()),
                Err(RecvTimeoutError::Timeout) => {
                    child.kill().unwrap();
                    panic!("waited {DISK_LIMIT:?} in vain for `Ready.`");
                }
            }
        }
    }

    /// Kills the process by SIGKILL without a wait for its end, because a script that starts the
    /// next process does not wait either.
    pub(crate) fn kill(mut self) -> Child {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // The program may have ended already.
            let _dead = child.kill().and_then(|()| child.wait());
        }
    }
}

/// A client with one connection.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(DISK_LIMIT)).ok()?;
        stream.set_write_timeout(Some(DISK_LIMIT)).ok()?;
        Some(Self(BufReader::new(stream)))
    }

    /// Calls an operation. Returns None if the server has ended or its disk has no power.
    ///
    /// # Panics Panics if the server neither answers nor closes the connection in time.
    pub(crate) fn call(&mut self, operation: &str, input: &Value) -> Option<Value> {
        let (status, answer) = match self.exchange(operation, &input.to_string()) {
            Ok(answer) => answer?,
            // A read or write that takes too long fails with this kind of error.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                panic!("waited {DISK_LIMIT:?} in vain for the answer to {operation}")
            }
            Err(_) => return None,
        };
        if status == "500" {
            // A server whose disk has no power answers so.
            assert!(answer.contains("InternalFailure"), "{answer}");
            return None;
        }
        assert_eq!(status, "200", "{operation}: {answer}");
        Some(serde_json::from_str(&answer).unwrap_or(Value::Null))
    }

    /// The status and the body of the answer. None if the connection ends before the answer.
    fn exchange(&mut self, operation: &str, body: &str) -> io::Result<Option<(String, String)>> {
        let request = format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-amz-json-1.1\r\n\
             x-amz-target: Kinesis_20131202.{operation}\r\nx-amz-date: 20260101T000000Z\r\n\
             authorization: AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/kinesis/aws4_request, \
             SignedHeaders=host, Signature=00\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let Some(status) = line.split(' ').nth(1).map(str::to_owned) else {
            return Ok(None);
        };
        let mut length = 0;
        loop {
            line.clear();
            self.0.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(Some((status, String::from_utf8_lossy(&body).into_owned())))
    }
}
