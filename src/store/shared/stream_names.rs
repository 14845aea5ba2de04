//! The names of the streams, for messages about their records.

use crate::lock::Lock;
use crate::model::{SequenceNumber, ShardId};
use crate::store::format::catalog::{Catalog, Change};
use crate::store::format::record::LogId;
use crate::store::format::summary::SegmentEntry;
use crate::store::format::value::StreamValue;
use std::collections::HashMap;
use std::sync::Arc;

/// The names of all streams and the creation times of all shards in the catalog.
#[derive(Debug, Default)]
pub(crate) struct StreamNames(Lock<Known>);

#[derive(Debug, Default)]
struct Known {
    streams: HashMap<u64, Arc<str>>,
    /// Creation time of each shard in seconds since the epoch. The sequence numbers of the shard's
    /// records contain this time.
    shards: HashMap<LogId, u64>,
}

impl StreamNames {
    /// Collects the name of each stream and the creation time of each shard in `catalog`.
    pub(crate) fn of(catalog: &Catalog) -> Self {
        let names = catalog.streams.iter();
        let shards = catalog.shards.iter();
        Self(Lock::new(Known {
            streams: names.map(|(id, value)| (*id, name(value))).collect(),
            shards: shards
                .map(|(id, value)| (log(*id), value.created_s))
                .collect(),
        }))
    }

    /// Applies `change`, a change of the catalog, to the names.
    pub(crate) fn apply(&self, change: &Change) {
        let mut known = self.0.lock();
        match change {
            Change::Stream(stream, value) => match value {
                Some(value) => drop(known.streams.insert(*stream, name(value))),
                None => drop(known.streams.remove(stream)),
            },
            Change::Shard(shard, value) => match value {
                Some(value) => drop(known.shards.insert(log(*shard), value.created_s)),
                None => drop(known.shards.remove(&log(*shard))),
            },
            Change::Account(..)
            | Change::Queue(..)
            | Change::Mapping(..)
            | Change::MappingPosition(..)
            | Change::Channel(..)
            | Change::ChannelPosition(..)
            | Change::Clock(_) => {}
        }
    }

    /// Describes the log `log` for a message, by its stream and its shard.
    pub(crate) fn describe_log(&self, log: LogId) -> String {
        let known = self.0.lock();
        let shard = ShardId::new(log.shard);
        match known.streams.get(&log.stream) {
            Some(name) => format!("stream {name}, {shard}"),
            None => format!("an unknown stream (incarnation {}), {shard}", log.stream),
        }
    }

    /// Describes a segment for a message, by its stream, its shard and the range of its sequence
    /// numbers. `entry` is the entry of the segment.
    pub(crate) fn describe(&self, entry: &SegmentEntry) -> String {
        let log = self.describe_log(entry.log);
        let created_s = self.0.lock().shards.get(&entry.log).copied();
        let Some(created_s) = created_s else {
            let SegmentEntry { first, last, .. } = entry;
            return format!("{log}, sequence indexes {first} to {last}");
        };
        let shard = entry.log.shard;
        let number = |index, arrival| SequenceNumber::of_record(created_s, shard, index, arrival);
        let first = number(entry.first, entry.first_arrival);
        let last = number(entry.last, entry.last_arrival);
        format!("{log}, sequence numbers {first} to {last}")
    }
}

fn name(value: &StreamValue) -> Arc<str> {
    format!("{} ({}, {})", value.name, value.account, value.region).into()
}

fn log((stream, shard): (u64, u32)) -> LogId {
    LogId { stream, shard }
}
