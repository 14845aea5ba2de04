//! Counts of the deliveries of a channel.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of the deliveries of a channel since the start of the emulator.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub(super) records: AtomicU64,
    pub(super) objects: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) failed_records: AtomicU64,
    pub(super) expired_records: AtomicU64,
    pub(super) failed_attempts: AtomicU64,
}

/// Figures of a channel, for metrics and for the overview of channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChannelFigures {
    /// Number of records of the stream that are not delivered yet.
    pub(crate) buffered: u64,
    /// Age of the oldest record that is not delivered yet, in milliseconds. 0 if all records are
    /// delivered.
    pub(crate) lag_ms: u64,
    /// Number of records delivered since the start.
    pub(crate) records: u64,
    /// Number of objects delivered since the start.
    pub(crate) objects: u64,
    /// Bytes of the delivered objects.
    pub(crate) bytes: u64,
    /// Number of records since the start that do not have the channel's format, and whose failures
    /// were delivered instead.
    pub(crate) failed_records: u64,
    /// Number of records since the start that expired, or were removed from the stream by its user,
    /// before they could be delivered.
    pub(crate) expired_records: u64,
    /// Number of attempts to deliver that failed since the start.
    pub(crate) failed_attempts: u64,
    /// The error of the newest attempt, if it failed.
    pub(crate) last_error: Option<String>,
}

impl Traffic {
    pub(super) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}
