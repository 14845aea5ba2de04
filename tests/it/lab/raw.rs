//! A plain HTTP/1.1 connection that sends and receives exact bytes.

use super::{Answer, Request, WAIT_LIMIT};
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A connection of any kind.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin + std::fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + std::fmt::Debug> Wire for T {}

/// An HTTP/1.1 connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<Box<dyn Wire>>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = timeout(WAIT_LIMIT, TcpStream::connect(address))
            .await
            .unwrap()
            .unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream)
    }

    /// Wraps an open connection.
    pub(crate) fn over(stream: impl Wire + 'static) -> Self {
        Self {
            stream: BufReader::new(Box::new(stream)),
        }
    }

    /// Sends bytes. The peer may answer and close the connection before it has read all of them.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let sent = timeout(WAIT_LIMIT, self.stream.write_all(bytes)).await;
        let _ = sent.expect("the emulator reads or closes");
    }

    /// Ends the sending direction of the connection.
    pub(crate) async fn finish_sending(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn exchange(&mut self, request: &Request) -> Answer {
        self.send(&request.bytes()).await;
        self.answer(request.method != "HEAD").await
    }

    /// Reads an answer.
    pub(crate) async fn answer(&mut self, with_body: bool) -> Answer {
        let read = timeout(WAIT_LIMIT, self.read(with_body)).await;
        read.expect("an answer comes")
            .expect("an answer, not the end of the connection")
    }

    /// Reads an answer. None if the connection ends before an answer begins.
    pub(crate) async fn answer_or_end(&mut self) -> Option<Answer> {
        timeout(WAIT_LIMIT, self.read(true))
            .await
            .expect("an answer or an end comes")
    }

    /// Sends a request and reads no more than the head of its answer.
    pub(crate) async fn begin(&mut self, request: &Request) -> Answer {
        self.send(&request.bytes()).await;
        let head = timeout(WAIT_LIMIT, self.head()).await;
        head.expect("an answer comes").expect("an answer")
    }

    /// Reads the body that belongs to a head.
    pub(crate) async fn finish(&mut self, head: Answer) -> Answer {
        let body = timeout(WAIT_LIMIT, self.body(&head)).await;
        let body = body.expect("a body comes").expect("a body");
        Answer { body, ..head }
    }

    /// The next chunk of a body. An empty chunk is the end of the body. None if the connection ends
    /// before.
    pub(crate) async fn next_chunk(&mut self) -> Option<Vec<u8>> {
        let chunk = timeout(WAIT_LIMIT, self.chunk()).await;
        chunk.expect("a chunk or an end comes")
    }

    /// Reads all bytes until the peer closes the connection.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let read = timeout(WAIT_LIMIT, self.stream.read_to_end(&mut rest)).await;
        let _ = read.expect("the connection ends");
        rest
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let count = self.stream.read_line(&mut line).await.ok()?;
        (count > 0).then(|| line.trim_end_matches("\r\n").to_owned())
    }

    async fn read(&mut self, with_body: bool) -> Option<Answer> {
        let mut answer = self.head().await?;
        // Informational answers and 204 have no body and no length.
        let has_none = (100..200).contains(&answer.status) || answer.status == 204;
        if with_body && !has_none {
            answer.body = self.body(&answer).await?;
        }
        Some(answer)
    }

    async fn head(&mut self) -> Option<Answer> {
        let status = self.line().await?;
        let status = status
            .strip_prefix("HTTP/1.1 ")
            .expect("an HTTP/1.1 answer");
        let status = status[..3].parse().expect("a status");
        let mut headers = Vec::new();
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(": ") else {
                assert_eq!(line, "", "a header");
                break;
            };
            headers.push((name.to_owned(), value.to_owned()));
        }
        Some(Answer {
            status,
            headers,
            body: Vec::new(),
        })
    }

    async fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = usize::from_str_radix(&self.line().await?, 16).expect("a chunk's size");
        let mut chunk = vec![0; size];
        self.stream.read_exact(&mut chunk).await.ok()?;
        assert_eq!(self.line().await?, "", "the end of a chunk");
        Some(chunk)
    }

    async fn body(&mut self, answer: &Answer) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        if answer.header("transfer-encoding") == Some("chunked") {
            loop {
                let chunk = self.chunk().await?;
                if chunk.is_empty() {
                    return Some(body);
                }
                body.extend(chunk);
            }
        }
        match answer.header("content-length") {
            Some(length) => {
                body.resize(length.parse().expect("a length"), 0);
                self.stream.read_exact(&mut body).await.ok()?;
            }
            None => {
                self.stream.read_to_end(&mut body).await.ok()?;
            }
        }
        Some(body)
    }
}
