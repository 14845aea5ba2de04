//! One HTTP/1.1 connection of a client. The connection carries one request after another, and stays
//! open between requests.

use super::address::Address;
use crate::engine::tasks::Tasks;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

#[derive(Debug)]
pub(super) struct Connection(SendRequest<RequestBody>);

/// The body of a request that a client sends.
pub(super) type RequestBody = UnsyncBoxBody<Bytes, io::Error>;

/// Makes the body of a request from bytes in memory.
pub(super) fn whole(body: Bytes) -> RequestBody {
    Full::new(body)
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// The reason why a request got no answer.
#[derive(Debug)]
pub(super) enum SendError {
    /// No byte of the request was sent. The caller can send the request again safely.
    NotSent(String),
    /// At least a part of the request was sent, and the connection failed before the whole answer
    /// had arrived.
    Lost(String),
    /// The body of the answer is larger than the caller permits.
    TooLarge,
}

impl Connection {
    /// Opens a connection to the server at `address`, with TLS for an `https` URL.
    pub(super) async fn open(address: &Address) -> io::Result<Self> {
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
        stream.set_nodelay(true)?;
        match &address.tls {
            None => Self::over(stream).await,
            Some(tls) => Self::over(tls.connect(stream).await?).await,
        }
    }

    async fn over<S>(stream: S) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        // The task ends when the `Connection` is dropped or when the server closes the connection.
        Tasks::spawn_part("outbound connection", async move {
            let _closed = connection.await;
        });
        Ok(Self(sender))
    }

    /// True if the connection is still open. Another request can then use the connection.
    pub(super) fn is_usable(&self) -> bool {
        !self.0.is_closed()
    }

    /// Sends a request, and returns the whole answer. Fails if the body of the answer has more than
    /// `most` bytes.
    pub(super) async fn send(
        &mut self,
        request: Request<RequestBody>,
        most: usize,
    ) -> Result<Response<Bytes>, SendError> {
        let (head, body) = self.begin(request).await?.into_parts();
        match Limited::new(body, most).collect().await {
            Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(SendError::TooLarge),
            Err(error) => Err(SendError::Lost(error.to_string())),
        }
    }

    /// Sends a request, and returns its answer once the head of the answer has arrived.
    pub(super) async fn begin(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, SendError> {
        if let Err(error) = self.0.ready().await {
            return Err(SendError::NotSent(error.to_string()));
        }
        let sent = self.0.try_send_request(request).await;
        sent.map_err(|mut error| {
            let is_whole = error.take_message().is_some();
            let reason = describe(&error.into_error());
            if is_whole {
                SendError::NotSent(reason)
            } else {
                SendError::Lost(reason)
            }
        })
    }
}

/// The text of an error and of its cause.
fn describe(error: &hyper::Error) -> String {
    let cause = std::error::Error::source(error);
    cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}
