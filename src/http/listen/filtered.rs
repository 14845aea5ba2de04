//! A connection whose incoming bytes pass through a filter. Outgoing bytes are written unchanged.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A filter for the bytes that a connection receives. The filter may inspect bytes, add bytes, or
/// fail the read.
pub(super) trait Filter: Unpin {
    /// Reads bytes from `io` into `buffer`, with the contract of `AsyncRead::poll_read`.
    fn poll_read(
        &mut self,
        io: Pin<&mut impl AsyncRead>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>>;
}

/// The connection `io`, whose incoming bytes pass through `filter`.
#[derive(Debug)]
pub(super) struct Filtered<I, F> {
    pub(super) io: I,
    pub(super) filter: F,
}

impl<I: AsyncRead + Unpin, F: Filter> AsyncRead for Filtered<I, F> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let io = Pin::new(&mut this.io);
        this.filter.poll_read(io, context, buffer)
    }
}

impl<I: AsyncWrite + Unpin, F: Unpin> AsyncWrite for Filtered<I, F> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
