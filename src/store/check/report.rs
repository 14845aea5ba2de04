//! What a check found, for whoever tells it to people.

use super::survey::{Found, Survey};
use crate::store::{LogId, ShardValue, StreamValue, catalog, key};
use crate::world::Timestamp;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is in a data directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// How often it was opened.
    pub openings: u64,
    /// Databases of records.
    pub generations: usize,
    /// The streams, each with its shards.
    pub streams: Vec<StreamReport>,
    /// Records that belong to no stream: of one that was deleted, or whose metadata is lost.
    pub nameless_records: u64,
    /// What is worth knowing and no damage.
    pub notes: Vec<String>,
    /// What is damaged; empty when the directory is sound.
    pub damage: Vec<Damage>,
}

/// A stream and what is whole of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamReport {
    /// Its account.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its name.
    pub name: String,
    /// Its shards.
    pub shards: Vec<ShardReport>,
}

/// A shard and the records of it that are whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardReport {
    /// Its index.
    pub index: u32,
    /// When it was created, in seconds since the epoch.
    pub created_s: u64,
    /// How many records there are.
    pub records: u64,
    /// Bytes of them, packed.
    pub bytes: u64,
    /// The sequence index and the arrival of the first record.
    pub first: Option<(u64, Timestamp)>,
    /// The sequence index and the arrival of the last record.
    pub last: Option<(u64, Timestamp)>,
}

/// Something that is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file or folder, below the data directory.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
    /// What that costs, at most.
    pub cost: String,
}

impl Survey {
    /// The report for people.
    pub(crate) fn report(mut self) -> Report {
        let mut found = self.records();
        let mut streams = Vec::new();
        let mut shards: BTreeMap<u64, Vec<(u32, ShardValue)>> = BTreeMap::new();
        let mut values = Vec::new();
        for (key, value) in self.meta.engine() {
            if let Some(incarnation) = catalog::parse_stream(key) {
                values.push((incarnation, StreamValue::from_bytes(value)));
            } else if let Some((incarnation, index)) = catalog::parse_shard(key)
                && let Some(value) = ShardValue::from_bytes(value)
            {
                shards.entry(incarnation).or_default().push((index, value));
            }
        }
        for (stream, value) in values {
            let Some(value) = value else {
                self.damage.push(Damage {
                    path: "meta".into(),
                    problem: "what it says of a stream cannot be read".to_owned(),
                    cost: "that stream and its records".to_owned(),
                });
                continue;
            };
            let shards = shards.remove(&stream).unwrap_or_default();
            let shards = shards.into_iter().map(|(shard, value)| {
                let log = LogId { stream, shard };
                shard_report(shard, &value, found.remove(&log).unwrap_or_default())
            });
            streams.push(StreamReport {
                shards: shards.collect(),
                account: value.account,
                region: value.region,
                name: value.name,
            });
        }
        Report {
            openings: self.meta.number(key::EPOCH).unwrap_or(0),
            generations: self.generations.len(),
            streams,
            nameless_records: found.values().map(|found| found.records).sum(),
            notes: self.notes,
            damage: self.damage,
        }
    }
}

fn shard_report(index: u32, value: &ShardValue, found: Found) -> ShardReport {
    ShardReport {
        index,
        created_s: value.created_s,
        records: found.records,
        bytes: found.bytes,
        first: found.first,
        last: found.last,
    }
}
