//! Sends requests over HTTP/2, on any connection.

use super::{Answer, Request, WAIT_LIMIT};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// An HTTP/2 connection with prior knowledge. A test decides when it reads the answers.
pub(crate) struct Connection {
    sender: http2::SendRequest<Full<Bytes>>,
    _tasks: JoinSet<hyper::Result<()>>,
}

impl Connection {
    /// Begins HTTP/2 on an open connection. The window of a stream is the default of HTTP/2.
    pub(crate) async fn over<S>(stream: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(65_535);
        let handshake = builder.handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.expect("an HTTP/2 connection");
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        Self {
            sender,
            _tasks: tasks,
        }
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn begin(&mut self, request: &Request) -> hyper::Response<Incoming> {
        let sent = self.sender.send_request(translated(request));
        let answer = timeout(WAIT_LIMIT, sent).await.expect("an answer comes");
        answer.expect("an answer")
    }
}

/// Sends requests one after the other on one new HTTP/2 connection with prior knowledge.
pub(crate) async fn exchange<S>(stream: S, requests: &[Request]) -> Vec<Answer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut connection = Connection::over(stream).await;
    let mut answers = Vec::new();
    for request in requests {
        let (head, body) = connection.begin(request).await.into_parts();
        let body = timeout(WAIT_LIMIT, body.collect())
            .await
            .expect("a body comes")
            .expect("a body");
        let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
            (
                name.as_str().to_owned(),
                value.to_str().expect("ASCII").to_owned(),
            )
        };
        answers.push(Answer {
            status: head.status.as_u16(),
            headers: head.headers.iter().map(header).collect(),
            body: body.to_bytes().to_vec(),
        });
    }
    answers
}

fn translated(request: &Request) -> hyper::Request<Full<Bytes>> {
    let mut built = hyper::Request::builder()
        .method(request.method.as_str())
        .uri(format!("http://localhost:4567{}", request.path));
    for (name, value) in &request.headers {
        if name != "Host" {
            built = built.header(name, value);
        }
    }
    built
        .body(Full::from(request.body.clone()))
        .expect("a good request")
}
