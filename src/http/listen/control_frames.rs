//! A budget of HTTP/2 control frames for each connection.
//!
//! A PING or SETTINGS frame has to be answered. A client that sends nothing else keeps its connection's
//! task busy and delays the requests of other clients. hyper has no limit for such frames, so they
//! are counted here, on their way in. A connection that exceeds its budget is closed.

use crate::limits::{HTTP2_CONTROL_FRAMES, HTTP2_CONTROL_FRAMES_PER_SECOND};
use crate::world::Stopwatch;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes of the preface before the first frame.
const PREFACE_BYTES: usize = 24;
/// Bytes of a frame's head: its length, type, flags and stream.
const HEAD_BYTES: usize = 9;

const PRIORITY: u8 = 2;
const SETTINGS: u8 = 4;
const PING: u8 = 6;

/// An HTTP/2 connection whose control frames are counted.
#[derive(Debug)]
pub(super) struct Budgeted<I> {
    io: I,
    frames: Frames,
    budget: Budget,
}

impl<I> Budgeted<I> {
    /// The connection `io`, from its first byte on.
    pub(super) fn new(io: I) -> Self {
        Self {
            io,
            frames: Frames::new(),
            budget: Budget::new(),
        }
    }
}

/// The position in the frames of a connection.
#[derive(Debug)]
struct Frames {
    /// Bytes up to the next frame's head.
    skip: usize,
    head: [u8; HEAD_BYTES],
    /// Bytes of the head so far.
    filled: usize,
}

impl Frames {
    fn new() -> Self {
        Self {
            skip: PREFACE_BYTES,
            head: [0; HEAD_BYTES],
            filled: 0,
        }
    }

    /// Counts the control frames whose heads end in these bytes.
    fn count(&mut self, mut bytes: &[u8]) -> u64 {
        let mut count = 0;
        loop {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            let taken = (HEAD_BYTES - self.filled).min(bytes.len());
            self.head[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
            self.filled += taken;
            bytes = &bytes[taken..];
            if self.filled < HEAD_BYTES {
                return count;
            }
            let [high, middle, low, kind, ..] = self.head;
            let length = u32::from_be_bytes([0, high, middle, low]);
            self.skip = usize::try_from(length).unwrap_or(usize::MAX);
            self.filled = 0;
            count += u64::from(matches!(kind, PRIORITY | SETTINGS | PING));
        }
    }
}

/// The control frames that a connection may still send.
#[derive(Debug)]
struct Budget {
    left: u64,
    /// The time since the budget was filled up last.
    watch: Stopwatch,
}

impl Budget {
    fn new() -> Self {
        Self {
            left: HTTP2_CONTROL_FRAMES,
            watch: Stopwatch::start(),
        }
    }

    /// Takes frames from the budget. False when it is exhausted.
    fn take(&mut self, frames: u64) -> bool {
        if frames > self.left {
            let seconds = self.watch.elapsed().as_secs();
            if seconds > 0 {
                let more = seconds.saturating_mul(HTTP2_CONTROL_FRAMES_PER_SECOND);
                self.left = self.left.saturating_add(more).min(HTTP2_CONTROL_FRAMES);
                self.watch = Stopwatch::start();
            }
        }
        match self.left.checked_sub(frames) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Budgeted<I> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(context, buffer))?;
        let frames = this.frames.count(&buffer.filled()[before..]);
        if frames > 0 && !this.budget.take(frames) {
            return Poll::Ready(Err(io::Error::other("too many control frames")));
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Budgeted<I> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, length: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, length, kind, 0, 0, 0, 0, 0];
        frame.resize(HEAD_BYTES + usize::from(length), PING);
        frame
    }

    #[test]
    fn control_frames_are_counted_in_whatever_pieces_they_arrive() {
        let mut bytes = vec![PING; PREFACE_BYTES];
        for (kind, length) in [
            (SETTINGS, 6),
            (0, 200),
            (PING, 8),
            (1, 0),
            (8, 4),
            (PRIORITY, 5),
        ] {
            bytes.extend(frame(kind, length));
        }
        for size in [1, 2, 7, 9, 10, 50, bytes.len()] {
            let mut frames = Frames::new();
            let count: u64 = bytes.chunks(size).map(|chunk| frames.count(chunk)).sum();
            assert_eq!(count, 3, "in pieces of {size}");
        }
    }

    #[test]
    fn a_budget_ends() {
        let mut budget = Budget::new();
        assert!(budget.take(HTTP2_CONTROL_FRAMES));
        assert!(!budget.take(HTTP2_CONTROL_FRAMES));
    }
}
