//! Counts the deliveries of a channel.

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

/// The backlog of a channel, its counts of deliveries since the start of the emulator, and its last
/// error. Metrics, the console and the paths under `/_minikin/` show these figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChannelFigures {
    /// Number of the stream's records that the channel has still to deliver.
    pub(crate) buffered: u64,
    /// Age of the oldest record that the channel has still to deliver, in milliseconds. 0 if there
    /// is no such record.
    pub(crate) lag_ms: u64,
    /// Number of records delivered since the start of the emulator.
    pub(crate) records: u64,
    /// Number of objects delivered since the start of the emulator.
    pub(crate) objects: u64,
    /// Bytes of the objects delivered since the start of the emulator.
    pub(crate) bytes: u64,
    /// Number of records that did not have the channel's format, since the start of the emulator.
    /// The channel described them in dead-letter objects instead of delivering them.
    pub(crate) failed_records: u64,
    /// Number of lost records since the start of the emulator: records that expired, or that a
    /// clear of the stream removed, before the channel delivered them.
    pub(crate) expired_records: u64,
    /// Number of failed delivery attempts since the start of the emulator.
    pub(crate) failed_attempts: u64,
    /// The error of the newest delivery attempt. None if that attempt did not fail.
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
