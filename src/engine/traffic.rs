//! Counts the written and the read records for the metrics. A call makes one relaxed atomic
//! addition for each counter, even for many records.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts of records since the start of the engine. The alignment puts the counts on cache lines of
/// their own, away from the values that other threads only read.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Traffic {
    written: Count,
    read: Count,
    pushed: Count,
    /// Number of records that the write limits of their shards refused.
    throttled: AtomicU64,
}

/// A number of records, and the bytes of their data and partition keys.
#[derive(Debug, Default)]
pub(super) struct Count {
    records: AtomicU64,
    bytes: AtomicU64,
}

/// The counts of a `Traffic` at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrafficFigures {
    /// Number of acknowledged records, and the bytes of their data and partition keys.
    pub written: (u64, u64),
    /// Number of records that GetRecords returned, and the bytes of their data and partition keys.
    pub read: (u64, u64),
    /// Number of records that subscriptions sent, and the bytes of their data and partition keys.
    pub pushed: (u64, u64),
    /// Number of records that the write limits of their shards refused.
    pub throttled: u64,
}

/// The counts of one shard since the start of the engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShardFigures {
    /// Number of appended records, and the bytes of their data and partition keys.
    pub written: (u64, u64),
    /// Number of records that GetRecords and SubscribeToShard delivered, and the bytes of their
    /// data and partition keys.
    pub read: (u64, u64),
    /// Number of records that the shard's write limits refused.
    pub throttled: u64,
}

impl Traffic {
    pub(super) fn wrote(&self, records: u64, bytes: u64) {
        self.written.add(records, bytes);
    }

    pub(super) fn refused(&self, records: u64) {
        if records > 0 {
            self.throttled.fetch_add(records, Relaxed);
        }
    }

    /// Counts records that GetRecords returned.
    pub fn read(&self, records: u64, bytes: u64) {
        self.read.add(records, bytes);
    }

    pub(super) fn pushed(&self, records: u64, bytes: u64) {
        self.pushed.add(records, bytes);
    }

    /// The counts of records since the start of the engine.
    pub fn figures(&self) -> TrafficFigures {
        TrafficFigures {
            written: self.written.both(),
            read: self.read.both(),
            pushed: self.pushed.both(),
            throttled: self.throttled.load(Relaxed),
        }
    }
}

impl Count {
    pub(super) fn add(&self, records: u64, bytes: u64) {
        if records > 0 {
            self.records.fetch_add(records, Relaxed);
            self.bytes.fetch_add(bytes, Relaxed);
        }
    }

    pub(super) fn both(&self) -> (u64, u64) {
        (self.records.load(Relaxed), self.bytes.load(Relaxed))
    }
}
