//! A function of the test behind a socket, and the program that invokes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// A function that answers each invocation when the test says so.
pub(super) struct HeldFunction {
    pub(super) address: SocketAddr,
    invoked: Receiver<Invocation>,
}

/// An invocation that waits for its answer.
pub(super) struct Invocation {
    pub(super) event: Value,
    pub(super) texts: Vec<String>,
    release: Sender<String>,
}

impl Invocation {
    /// Sends the answer.
    pub(super) fn answer(self, body: &Value) {
        self.release.send(body.to_string()).unwrap();
    }
}

impl HeldFunction {
    /// Listens on a free port of this machine, until the process ends.
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, invoked) = channel();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let sender = sender.clone();
                std::thread::spawn(move || answer_all(stream, &sender));
            }
        });
        Self { address, invoked }
    }

    /// The next invocation.
    pub(super) fn next(&self) -> Invocation {
        let limit = Duration::from_secs(60);
        self.invoked.recv_timeout(limit).expect("an invocation")
    }
}

/// Answers the requests of a connection until one side closes it.
fn answer_all(stream: TcpStream, sender: &Sender<Invocation>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let event: Value = serde_json::from_slice(&body(&mut stream)?).ok()?;
        let records = event["Records"].as_array()?.iter();
        let text = |record: &Value| {
            let data = STANDARD.decode(record["kinesis"]["data"].as_str()?).ok()?;
            String::from_utf8(data).ok()
        };
        let texts = records.map(text).collect::<Option<Vec<_>>>()?;
        let (release, released) = channel();
        let invocation = Invocation {
            event,
            texts,
            release,
        };
        sender.send(invocation).ok()?;
        let body = released.recv().ok()?;
        let length = body.len();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.get_mut().write_all(answer.as_bytes()).ok()?;
    }
}

/// The body of the next request.
fn body(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().ok()?;
            }
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}
