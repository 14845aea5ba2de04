//! Limits the rate of HTTP/2 control frames on each connection.
//!
//! The server has to answer every PING or SETTINGS frame. A client that sends only such frames
//! occupies the connection's task and delays the requests of other clients. hyper does not limit
//! these frames. Therefore a filter between the connection and hyper counts the control frames, and
//! closes a connection that exceeds its budget of control frames.

use super::filtered::Filter;
use crate::limits::{HTTP2_CONTROL_FRAMES, HTTP2_CONTROL_FRAMES_PER_SECOND};
use crate::world::Stopwatch;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};

/// Number of bytes in the preface of an HTTP/2 connection, which precedes the first frame.
const PREFACE_BYTES: usize = 24;
/// Number of bytes in the head of an HTTP/2 frame: its length, type, flags and stream id.
const HEAD_BYTES: usize = 9;

const PRIORITY: u8 = 2;
const SETTINGS: u8 = 4;
const PING: u8 = 6;

/// The filter that counts the control frames of an HTTP/2 connection, and closes the connection if
/// it receives too many control frames.
#[derive(Debug)]
pub(super) struct ControlFrames {
    frames: Frames,
    budget: Budget,
}

impl ControlFrames {
    /// A filter for a new HTTP/2 connection, with a full budget of control frames.
    pub(super) fn new() -> Self {
        Self {
            frames: Frames::new(),
            budget: Budget::new(),
        }
    }
}

/// Finds the heads of the HTTP/2 frames in the bytes that a connection receives.
#[derive(Debug)]
struct Frames {
    /// Number of bytes to skip before the head of the next frame.
    skip: usize,
    head: [u8; HEAD_BYTES],
    /// Number of bytes of the next frame's head that have arrived in `head`.
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

    /// Counts the control frames whose heads end within `bytes`, the next received bytes.
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

/// The number of control frames that a connection may send now. The number grows with time, up to a
/// maximum.
#[derive(Debug)]
struct Budget {
    left: u64,
    /// Measures the time since the number of permitted frames last grew.
    watch: Stopwatch,
}

impl Budget {
    fn new() -> Self {
        Self {
            left: HTTP2_CONTROL_FRAMES,
            watch: Stopwatch::start(),
        }
    }

    /// Subtracts `frames` from the budget of control frames. Returns false if the budget is too
    /// small.
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

impl Filter for ControlFrames {
    fn poll_read(
        &mut self,
        io: Pin<&mut impl AsyncRead>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(io.poll_read(context, buffer))?;
        let frames = self.frames.count(&buffer.filled()[before..]);
        if frames > 0 && !self.budget.take(frames) {
            return Poll::Ready(Err(io::Error::other("too many control frames")));
        }
        Poll::Ready(Ok(()))
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
    fn control_frames_are_counted_in_parts_of_any_size() {
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
            assert_eq!(count, 3, "in parts of {size}");
        }
    }

    #[test]
    fn a_budget_ends() {
        let mut budget = Budget::new();
        assert!(budget.take(HTTP2_CONTROL_FRAMES));
        assert!(!budget.take(HTTP2_CONTROL_FRAMES));
    }
}
