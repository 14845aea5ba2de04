//! One HTTP/1.1 connection as a client: requests one after another, kept open between them.

use super::address::Address;
use crate::engine::tasks::Tasks;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A connection.
#[derive(Debug)]
pub(super) struct Connection(SendRequest<Full<Bytes>>);

/// The reason for which a request has no answer.
#[derive(Debug)]
pub(super) enum SendError {
    /// Nothing of the request was sent.
    NotSent(String),
    /// The request was sent, at least in part.
    Lost(String),
    /// The answer is larger than it may be.
    TooLarge,
}

impl Connection {
    /// Connects.
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
        // Ends when the sender is dropped or the peer closes the connection.
        Tasks::spawn_part("outbound connection", async move {
            let _closed = connection.await;
        });
        Ok(Self(sender))
    }

    /// True when another request can be sent.
    pub(super) fn is_usable(&self) -> bool {
        !self.0.is_closed()
    }

    /// Sends a request and reads the answer, of at most `most` bytes.
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
        most: usize,
    ) -> Result<Response<Bytes>, SendError> {
        if let Err(error) = self.0.ready().await {
            return Err(SendError::NotSent(error.to_string()));
        }
        let sent = self.0.try_send_request(request).await;
        let answer = sent.map_err(|mut error| {
            let is_whole = error.take_message().is_some();
            let reason = describe(&error.into_error());
            if is_whole {
                SendError::NotSent(reason)
            } else {
                SendError::Lost(reason)
            }
        })?;
        let (head, body) = answer.into_parts();
        match Limited::new(body, most).collect().await {
            Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(SendError::TooLarge),
            Err(error) => Err(SendError::Lost(error.to_string())),
        }
    }
}

/// An error with its cause, which says what happened.
fn describe(error: &hyper::Error) -> String {
    let cause = std::error::Error::source(error);
    cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}
