//! The program as a process, and a client of it.

use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// The program, killed when this is dropped.
pub(crate) struct Server {
    /// The process, until it is killed.
    child: Option<Child>,
    pub(crate) address: SocketAddr,
}

/// The program that is tested: MINIKIN may name another build of it.
pub(crate) fn program() -> PathBuf {
    let given = std::env::var_os("MINIKIN").map(PathBuf::from);
    given.unwrap_or_else(|| env!("CARGO_BIN_EXE_minikin").into())
}

/// The command that serves a directory and answers after each write is on disk.
pub(crate) fn serving(directory: &Path) -> Command {
    serving_with("always", directory)
}

/// The command that serves a directory with a durability.
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

    /// Starts the program with its log in a file; the error is its status when it ended first.
    pub(crate) fn try_start(mut command: Command, log: &Path) -> Result<Self, ExitStatus> {
        command.stdout(Stdio::piped());
        command.stderr(File::create(log).unwrap());
        Self::started(command.spawn().unwrap())
    }

    fn started(mut child: Child) -> Result<Self, ExitStatus> {
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut address = None;
        for line in stdout.lines() {
            let line = line.unwrap();
            if let Some(found) = line.strip_prefix("Listening on ") {
                address = address.or(found.parse().ok());
            }
            if line == "Ready." {
                let address = address.expect("it says where it listens");
                return Ok(Self {
                    child: Some(child),
                    address,
                });
            }
        }
        Err(child.wait().unwrap())
    }

    /// Kills the process by SIGKILL, and leaves it unreaped on purpose: a script that starts the
    /// next one does not wait either.
    pub(crate) fn kill(mut self) -> Child {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // The program may be dead already.
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
        Some(Self(BufReader::new(stream)))
    }

    /// The answer, or none when the server or its disk is gone.
    pub(crate) fn call(&mut self, operation: &str, input: &Value) -> Option<Value> {
        let body = input.to_string();
        let request = format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-amz-json-1.1\r\n\
             x-amz-target: Kinesis_20131202.{operation}\r\nx-amz-date: 20260101T000000Z\r\n\
             authorization: AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/kinesis/aws4_request, \
             SignedHeaders=host, Signature=00\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.get_mut().write_all(request.as_bytes()).ok()?;
        let mut line = String::new();
        self.0.read_line(&mut line).ok()?;
        let status = line.split(' ').nth(1)?.to_owned();
        let mut length = 0;
        loop {
            line.clear();
            self.0.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).ok()?;
        let answer = String::from_utf8_lossy(&body).into_owned();
        if status == "500" {
            // The answer of a server whose disk is gone.
            assert!(answer.contains("InternalFailure"), "{answer}");
            return None;
        }
        assert_eq!(status, "200", "{operation}: {answer}");
        Some(serde_json::from_str(&answer).unwrap_or(Value::Null))
    }
}
