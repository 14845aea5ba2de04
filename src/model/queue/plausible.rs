//! Checks of a queue's state that comes from a snapshot. A damaged or edited file may contain
//! documents that can be read but that no emulator writes.

use super::entry::{Entry, NEVER};
use super::records::ShardRecords;
use super::saved::QueueReplay;
use crate::limits;

/// The bounds of the numbers in the state of a queue.
pub(crate) struct QueueBounds<'a> {
    /// The number of the stream's newest shard.
    pub(crate) newest_shard: u32,
    /// Returns the index after the last record that a shard can have.
    pub(crate) end: &'a dyn Fn(u32) -> u64,
    /// The number after the greatest number that a delivery can have.
    pub(crate) deliveries_end: u64,
}

impl QueueReplay {
    /// Checks the restored state.
    ///
    /// # Errors
    /// Returns a text that names the first part of the state that is impossible.
    pub(crate) fn check(&self, bounds: &QueueBounds<'_>) -> Result<(), &'static str> {
        if !self.is_whole() {
            return Err("a part of it is missing");
        }
        for (&shard, known) in &self.records.shards {
            if shard > bounds.newest_shard {
                return Err("its stream never had one of its shards");
            }
            check_shard(known, (bounds.end)(shard), bounds.deliveries_end)?;
        }
        Ok(())
    }
}

fn check_shard(known: &ShardRecords, end: u64, deliveries_end: u64) -> Result<(), &'static str> {
    if known.next > end || known.expired_before > end {
        return Err("a position is beyond the end of its shard");
    }
    let settled = known.settled_ahead.last();
    if settled.is_some_and(|index| *index >= end) {
        return Err("a settled record is beyond the end of its shard");
    }
    for (index, entry) in known.entries.iter() {
        if index >= end {
            return Err("a received record is beyond the end of its shard");
        }
        if index < known.expired_before {
            return Err("a received record is before the records that have not expired");
        }
        check_entry(entry, deliveries_end)?;
    }
    Ok(())
}

fn check_entry(entry: &Entry, deliveries_end: u64) -> Result<(), &'static str> {
    // A visibility timeout ends after the last moment of the clock at the latest by its length.
    let last_ms = limits::LAST_MOMENT_MS + i64::from(limits::QUEUE_MOST_VISIBILITY_S) * 1000;
    let is_time = |ms: i64| (0..=last_ms).contains(&ms);
    let is_first = entry.first_ms == NEVER || is_time(entry.first_ms);
    if !is_first || !is_time(entry.due_ms) || !is_time(entry.arrival_ms) {
        return Err("a received record has an impossible time");
    }
    match entry.delivery < deliveries_end {
        true => Ok(()),
        false => Err("a received record has an impossible delivery number"),
    }
}
