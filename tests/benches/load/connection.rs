//! A client of HTTP/1.1 that keeps its connection and costs little: one request under way at a
//! time, and no allocation for each once its buffers have grown. A function has the server's end of
//! such a connection: `accepted`, `request` and `answer`.

use super::within;
use memchr::memmem;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest wait for an answer; who takes longer has failed.
const EXCHANGE_LIMIT: Duration = Duration::from_secs(30);
/// The status of an answer without a body, whatever its head says.
const NO_CONTENT: u16 = 204;
const READ_BYTES: usize = 64 * 1024;
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Well beyond the largest answer there is, 10 MB of records in base64.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// One connection, made when it is first needed and again after it broke.
#[derive(Debug)]
pub(super) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    /// The bytes that the peer sent since the last request.
    received: Vec<u8>,
    /// The body of an answer that came in chunks.
    joined: Vec<u8>,
    /// Number of connections made to the peer.
    pub(super) opened: u64,
}

/// The answer of the peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) body: &'a [u8],
}

impl Answer<'_> {
    /// Describes an answer that is an error.
    pub(super) fn complaint(&self) -> String {
        const ENOUGH_BYTES: usize = 300;
        let start = &self.body[..self.body.len().min(ENOUGH_BYTES)];
        format!("{} {}", self.status, String::from_utf8_lossy(start))
    }
}

/// The end of an answer's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
    UntilClosed,
}

#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    framing: Framing,
    closes: bool,
}

impl Connection {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
            received: Vec::with_capacity(READ_BYTES),
            joined: Vec::new(),
            opened: 0,
        }
    }

    /// The end of a connection that a peer made, to receive requests on.
    pub(super) fn accepted(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let connection = Self::new(stream.peer_addr()?);
        Ok(Self {
            stream: Some(stream),
            ..connection
        })
    }

    /// Waits for the next request from the peer; its body, whose length its head gives.
    pub(super) async fn request(&mut self) -> io::Result<&[u8]> {
        self.received.clear();
        let end = self.head_end(0).await?;
        let head = std::str::from_utf8(&self.received[..end]).map_err(|_| not_http())?;
        let body = match framing(head.split("\r\n").skip(1))?.0 {
            Framing::Length(length) if length > MAX_BODY_BYTES => return Err(too_large()),
            Framing::Length(length) => end + 4..end + 4 + length,
            Framing::Chunked | Framing::UntilClosed => return Err(not_http()),
        };
        self.receive_up_to(body.end).await?;
        Ok(&self.received[body])
    }

    /// Answers the last request.
    pub(super) async fn answer(&mut self, answer: &[u8]) -> io::Result<()> {
        self.connected().await?.write_all(answer).await
    }

    /// Sends a whole request and waits for its whole answer.
    ///
    /// # Errors
    /// Returns an error if the peer is away, breaks off, does not speak HTTP/1.1 or is too slow.
    pub(super) async fn send(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        let exchanged = within(EXCHANGE_LIMIT, self.exchange(request)).await;
        match exchanged.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into())) {
            Ok((status, Some(body))) => Ok(Answer {
                status,
                body: &self.received[body],
            }),
            Ok((status, None)) => Ok(Answer {
                status,
                body: &self.joined,
            }),
            Err(error) => {
                self.stream = None;
                Err(error)
            }
        }
    }

    /// The answer to a request that has to succeed.
    ///
    /// # Errors
    /// The same as of `send`, or an answer of another class than 2xx.
    pub(super) async fn ok(&mut self, request: &[u8]) -> Result<Answer<'_>, String> {
        let answer = self.send(request).await;
        let answer = answer.map_err(|error| error.to_string())?;
        match answer.status {
            200..300 => Ok(answer),
            _ => Err(answer.complaint()),
        }
    }

    /// The status, and where in `received` the body is unless it is in `joined`.
    async fn exchange(&mut self, request: &[u8]) -> io::Result<(u16, Option<Range<usize>>)> {
        self.received.clear();
        self.connected().await?.write_all(request).await?;
        let (head, start) = self.head().await?;
        let body = match head.framing {
            Framing::Length(length) if length > MAX_BODY_BYTES => return Err(too_large()),
            Framing::Length(length) => {
                self.receive_up_to(start + length).await?;
                Some(start..start + length)
            }
            Framing::Chunked => {
                self.join_chunks(start).await?;
                None
            }
            Framing::UntilClosed => {
                while self.receive(READ_BYTES).await? > 0 {
                    if self.received.len() > start + MAX_BODY_BYTES {
                        return Err(too_large());
                    }
                }
                Some(start..self.received.len())
            }
        };
        if head.closes || head.framing == Framing::UntilClosed {
            self.stream = None;
        }
        Ok((head.status, body))
    }

    async fn connected(&mut self) -> io::Result<&mut TcpStream> {
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                self.opened += 1;
                stream
            }
        };
        Ok(self.stream.insert(stream))
    }

    /// Reads once; 0 when the peer has closed.
    async fn receive(&mut self, capacity: usize) -> io::Result<usize> {
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        self.received.reserve(capacity);
        stream.read_buf(&mut self.received).await
    }

    async fn receive_up_to(&mut self, length: usize) -> io::Result<()> {
        while self.received.len() < length {
            if self.receive(length - self.received.len()).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// The head of the answer and where its body starts.
    async fn head(&mut self) -> io::Result<(Head, usize)> {
        let mut start = 0;
        loop {
            let end = self.head_end(start).await?;
            let head = parse_head(&self.received[start..end])?;
            start = end + 4;
            // 100 Continue and its like come before the answer.
            if head.status >= 200 {
                return Ok((head, start));
            }
        }
    }

    /// The end of the head that starts at `start`, before the empty line.
    async fn head_end(&mut self, start: usize) -> io::Result<usize> {
        loop {
            if let Some(end) = memmem::find(&self.received[start..], b"\r\n\r\n") {
                return Ok(start + end);
            }
            if self.received.len() > MAX_HEAD_BYTES {
                return Err(too_large());
            }
            if self.receive(READ_BYTES).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn join_chunks(&mut self, start: usize) -> io::Result<()> {
        let mut at = start;
        self.joined.clear();
        loop {
            let end = loop {
                match memmem::find(&self.received[at..], b"\r\n") {
                    Some(found) => break at + found,
                    None if self.received.len() - at > MAX_HEAD_BYTES => return Err(too_large()),
                    None => self.receive_up_to(self.received.len() + 1).await?,
                }
            };
            let size = chunk_size(&self.received[at..end]).ok_or_else(not_http)?;
            if size > MAX_BODY_BYTES - self.joined.len() {
                return Err(too_large());
            }
            at = end + 2;
            self.receive_up_to(at + size + 2).await?;
            if size == 0 {
                return Ok(());
            }
            self.joined.extend_from_slice(&self.received[at..at + size]);
            at += size + 2;
        }
    }
}

fn chunk_size(line: &[u8]) -> Option<usize> {
    let digits = std::str::from_utf8(line).ok()?.split(';').next()?;
    usize::from_str_radix(digits.trim(), 16).ok()
}

fn parse_head(head: &[u8]) -> io::Result<Head> {
    let text = std::str::from_utf8(head).map_err(|_| not_http())?;
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let mut words = first.split(' ');
    let version = words.next().filter(|word| word.starts_with("HTTP/1."));
    let version = version.ok_or_else(not_http)?;
    let status = words.next().and_then(|word| word.parse().ok());
    let status = status.ok_or_else(not_http)?;
    let (framing, closes) = framing(lines)?;
    Ok(Head {
        status,
        framing: match status {
            NO_CONTENT => Framing::Length(0),
            _ => framing,
        },
        closes: closes.unwrap_or(version == "HTTP/1.0"),
    })
}

/// The end of the body, and whether the connection is closed after it, as the headers say.
fn framing<'a>(headers: impl Iterator<Item = &'a str>) -> io::Result<(Framing, Option<bool>)> {
    let (mut framing, mut closes) = (Framing::UntilClosed, None);
    for (name, value) in headers.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            framing = Framing::Length(value.parse().map_err(|_| not_http())?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            framing = Framing::Chunked;
        } else if name.eq_ignore_ascii_case("connection") {
            closes = Some(value.eq_ignore_ascii_case("close"));
        }
    }
    Ok((framing, closes))
}

fn not_http() -> io::Error {
    io::Error::other("the answer is not HTTP/1.1")
}

fn too_large() -> io::Error {
    io::Error::other("the answer is too large")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// The result of a connection to a peer that answers `answer` and closes.
    fn sent_to(answer: &'static [u8]) -> io::Result<(u16, Vec<u8>)> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut connection = Connection::new(listener.local_addr().unwrap());
        let peer = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 4]).unwrap();
            stream.write_all(answer).unwrap();
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let answer = runtime.block_on(connection.send(b"ping"));
        peer.join().unwrap();
        answer.map(|answer| (answer.status, answer.body.to_vec()))
    }

    #[test]
    fn every_way_to_end_a_body_is_understood() {
        let answers: [&[u8]; 4] = [
            b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\n\r\n",
            b"HTTP/1.0 200 OK\r\n\r\nhello",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        ];
        for answer in answers {
            assert_eq!(sent_to(answer).unwrap(), (200, b"hello".to_vec()));
        }
    }

    #[test]
    fn a_broken_answer_is_an_error() {
        let answers: [&[u8]; 5] = [
            b"",
            b"hello\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        ];
        for answer in answers {
            assert!(sent_to(answer).is_err());
        }
    }
}
