//! An HTTP client that blocks its thread. The commands of the command line use it to talk to a
//! running emulator.

use super::address::Address;
use super::connection::{Connection, RequestBody, SendError, whole};
use crate::limits;
use crate::world::RealDeadline;
use bytes::{Buf as _, Bytes};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming};
use hyper::header::HOST;
use hyper::{Request, Response, StatusCode};
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::runtime::{Builder, Runtime};

/// A blocking client of one server.
#[derive(Debug)]
pub(crate) struct BlockingClient {
    address: Address,
    runtime: Runtime,
    /// The open connection of the last request, which the next request uses.
    connection: RefCell<Option<Connection>>,
}

/// A request that a blocking client sends to its server.
pub(crate) struct BlockingRequest<'a> {
    pub(crate) method: &'static str,
    /// Path and query, percent-encoded. The path is appended to the path in the server's URL.
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(&'static str, &'a str)],
    pub(crate) body: BlockingBody,
}

/// The body of a request that a blocking client sends.
pub(crate) enum BlockingBody {
    Bytes(Bytes),
    /// The bytes of a file, from its current position to its end. The client calls the function
    /// with the number of bytes of each part of the file, when the connection takes the part.
    File(Arc<File>, Arc<dyn Fn(usize) + Send + Sync>),
}

/// An answer whose head has arrived. The caller reads the body from this value.
pub(crate) struct BlockingAnswer<'a> {
    pub(crate) status: StatusCode,
    body: Incoming,
    /// Bytes of the body that have arrived and that the caller has not read yet.
    arrived: Bytes,
    runtime: &'a Runtime,
}

impl BlockingClient {
    pub(crate) fn new(address: Address) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self {
            address,
            runtime,
            connection: RefCell::new(None),
        })
    }

    /// Sends a request, and returns its answer once the head of the answer has arrived.
    ///
    /// # Errors
    /// The server cannot be reached, the connection fails, or the request is invalid. The error is
    /// the reason.
    pub(crate) fn send(&self, request: &BlockingRequest<'_>) -> Result<BlockingAnswer<'_>, String> {
        let answer = self.runtime.block_on(self.answer(request))?;
        let status = answer.status();
        Ok(BlockingAnswer {
            status,
            body: answer.into_body(),
            arrived: Bytes::new(),
            runtime: &self.runtime,
        })
    }

    async fn answer(&self, request: &BlockingRequest<'_>) -> Result<Response<Incoming>, String> {
        let kept = self.connection.take();
        if let Some(mut kept) = kept {
            // The server may have closed the open connection by now. If no byte of the request was
            // sent for this reason, a new connection is opened below.
            match kept.begin(self.prepared(request)?).await {
                Err(SendError::NotSent(_)) => {}
                result => return self.received(result, kept),
            }
        }
        let opening = RealDeadline::lasting(limits::OUTBOUND_CONNECT);
        let opened = opening.with(Connection::open(&self.address)).await;
        let opened = opened.ok_or("no connection in time")?;
        let mut connection = opened.map_err(|error| error.to_string())?;
        let result = connection.begin(self.prepared(request)?).await;
        self.received(result, connection)
    }

    fn prepared(&self, request: &BlockingRequest<'_>) -> Result<Request<RequestBody>, String> {
        let above = self.address.path.as_deref().unwrap_or_default();
        let path = format!("{}{}", above.trim_end_matches('/'), request.path);
        let mut builder = Request::builder()
            .method(request.method)
            .uri(path)
            .header(HOST, &self.address.authority);
        for (name, value) in request.headers {
            builder = builder.header(*name, *value);
        }
        let body = match &request.body {
            BlockingBody::Bytes(bytes) => whole(bytes.clone()),
            BlockingBody::File(file, sent) => {
                RequestBody::new(FileBody(file.clone(), sent.clone()))
            }
        };
        builder.body(body).map_err(|error| error.to_string())
    }

    /// Converts `result`, the result of a request, to the answer or to an error message. If the
    /// server has answered, stores `connection` for the next request.
    fn received(
        &self,
        result: Result<Response<Incoming>, SendError>,
        connection: Connection,
    ) -> Result<Response<Incoming>, String> {
        match result {
            Ok(answer) => {
                self.connection.replace(Some(connection));
                Ok(answer)
            }
            Err(SendError::NotSent(reason) | SendError::Lost(reason)) => Err(reason),
            Err(SendError::TooLarge) => Err("the answer is too large".to_owned()),
        }
    }
}

impl Read for BlockingAnswer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.arrived.is_empty() {
            match self.runtime.block_on(self.body.frame()) {
                None => return Ok(0),
                Some(frame) => {
                    let frame = frame.map_err(io::Error::other)?;
                    self.arrived = frame.into_data().unwrap_or_default();
                }
            }
        }
        let count = self.arrived.len().min(buffer.len());
        self.arrived.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

/// The body of a request that is read from a file. Reading blocks the thread, which has no other
/// task.
struct FileBody(Arc<File>, Arc<dyn Fn(usize) + Send + Sync>);

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let mut part = vec![0; limits::SNAPSHOT_PART_BYTES];
        Poll::Ready(match self.0.as_ref().read(&mut part) {
            Ok(0) => None,
            Ok(count) => {
                part.truncate(count);
                (self.1)(count);
                Some(Ok(Frame::data(part.into())))
            }
            Err(error) => Some(Err(error)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::thread;

    /// Sends a GET request, and returns the body of the answer as text.
    fn get(client: &BlockingClient) -> Result<String, String> {
        let mut answer = client.send(&BlockingRequest {
            method: "GET",
            path: "/path?query",
            headers: &[],
            body: BlockingBody::Bytes(Bytes::new()),
        })?;
        let mut text = String::new();
        let read = answer.read_to_string(&mut text);
        read.map(|_| text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_connection_is_kept_and_opened_again_once_it_is_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/above/", listener.local_addr().unwrap());
        let (sender, closed) = std::sync::mpsc::channel();
        let server = thread::spawn(move || {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                for answer in ["one", "two"] {
                    let first = lines.next().unwrap().unwrap();
                    assert_eq!(first, "GET /above/path?query HTTP/1.1");
                    while lines.next().unwrap().unwrap() != "" {}
                    let head = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n";
                    stream
                        .write_all(format!("{head}{answer}").as_bytes())
                        .unwrap();
                }
                drop((stream, lines));
                sender.send(()).unwrap();
            }
        });
        let client = BlockingClient::new(Address::read(&url, None).unwrap()).unwrap();
        for answer in ["one", "two", "one", "two"] {
            assert_eq!(get(&client).as_deref(), Ok(answer));
            if answer == "two" {
                closed.recv().unwrap();
            }
        }
        server.join().unwrap();
        assert!(get(&client).is_err());
    }
}
