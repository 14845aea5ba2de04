//! Distinguishes HTTP/2 from HTTP/1 by the first bytes of a connection.
//!
//! hyper can distinguish the two versions, too, but waits without limit for the rest of an
//! incomplete HTTP/2 preface.

use super::filtered::Filter;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

/// The preface with which every HTTP/2 connection begins.
const PREFACE: [u8; 24] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The HTTP version that a client uses on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    Http2,
}

/// The first bytes of a connection, which were read to find the HTTP version. As the filter of the
/// connection, this value passes these bytes to hyper before all bytes that follow.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FirstBytes {
    bytes: [u8; PREFACE.len()],
    start: u8,
    end: u8,
}

impl FirstBytes {
    fn rest(&self) -> &[u8] {
        &self.bytes[usize::from(self.start)..usize::from(self.end)]
    }
}

/// Reads the first bytes of a connection until they show the HTTP version. Returns the version and
/// these bytes, or None if the client closes the connection before its first byte.
///
/// # Errors
/// Reading from the connection fails.
pub(super) async fn read(
    io: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<(Version, FirstBytes)>> {
    let mut first = FirstBytes::default();
    loop {
        let end = usize::from(first.end);
        let read = io.read(&mut first.bytes[end..]).await?;
        first.end += u8::try_from(read).expect("no more than the buffer holds");
        let received = first.rest();
        if received == PREFACE {
            return Ok(Some((Version::Http2, first)));
        }
        if received.is_empty() {
            return Ok(None);
        }
        // A connection that ends within the preface counts as HTTP/1, so that hyper's parser
        // reports the error.
        if read == 0 || !PREFACE.starts_with(received) {
            return Ok(Some((Version::Http1, first)));
        }
    }
}

/// Passes the first bytes to the reader, and then the bytes that follow on the connection.
impl Filter for FirstBytes {
    fn poll_read(
        &mut self,
        io: Pin<&mut impl AsyncRead>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self.rest().len().min(buffer.remaining());
        if count > 0 {
            buffer.put_slice(&self.rest()[..count]);
            self.start += u8::try_from(count).expect("no more than there are");
        }
        if count > 0 && (buffer.remaining() == 0 || !self.rest().is_empty()) {
            return Poll::Ready(Ok(()));
        }
        match io.poll_read(context, buffer) {
            // The buffer already contains first bytes, so this read succeeds. If the connection has
            // failed, the next read returns the error.
            _ if count > 0 => Poll::Ready(Ok(())),
            polled => polled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::listen::filtered::Filtered;
    use tokio::io::AsyncWriteExt as _;

    async fn recognized(chunks: &[&[u8]]) -> Option<(Version, Vec<u8>)> {
        let (mut client, mut server) = tokio::io::duplex(64);
        let sending = async {
            for chunk in chunks {
                client.write_all(chunk).await.unwrap();
                tokio::task::yield_now().await;
            }
            drop(client);
        };
        let reading = async {
            let (version, first) = read(&mut server).await.unwrap()?;
            let mut all = Vec::new();
            let (io, filter) = (server, first);
            Filtered { io, filter }.read_to_end(&mut all).await.unwrap();
            Some((version, all))
        };
        tokio::join!(sending, reading).1
    }

    #[tokio::test]
    async fn an_opening_in_any_chunks_is_recognized_and_none_of_it_lost() {
        assert_eq!(recognized(&[]).await, None);
        for at in 1..PREFACE.len() {
            let (start, end) = PREFACE.split_at(at);
            let whole = [PREFACE.as_slice(), b"settings"].concat();
            let spoken = recognized(&[start, end, b"settings"]).await;
            assert_eq!(spoken, Some((Version::Http2, whole)));
            let other = [start, b"!"].concat();
            assert_eq!(
                recognized(&[start, b"!"]).await,
                Some((Version::Http1, other))
            );
            assert_eq!(
                recognized(&[start]).await,
                Some((Version::Http1, start.to_vec()))
            );
        }
        let post = b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n".as_slice();
        assert_eq!(
            recognized(&[post]).await,
            Some((Version::Http1, post.to_vec()))
        );
    }
}
