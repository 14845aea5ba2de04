//! The check of a data directory. The check changes nothing in the directory. It opens copies of
//! the databases, recovers their contents in the same way as a start, and then reads every segment.

use super::disk::layout::Layout;
use super::disk::read_only::ReadOnlyDisk;
use super::disk::seam::{Disk, GenerationHandle};
use super::error::{OpenError, is_of_the_machine};
use super::format::catalog::Catalog;
use super::format::record::{LogId, Records};
use super::format::segment::Segment;
use super::format::summary::SegmentEntry;
use super::recovery::{Damage, RecoveredDirectory, RecoveredLog, recover};
use crate::world::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;

/// The contents of a data directory, and the damage that a check found in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Number of the next run. If no snapshot was loaded, this is the number of starts of an
    /// emulator with the directory.
    pub next_run: u64,
    /// Number of generations in the directory.
    pub generations: usize,
    /// The streams in the directory, each with its shards.
    pub streams: Vec<StreamReport>,
    /// Number of records that belong to no stream of the catalog. Usually the stream of such
    /// records was deleted.
    pub nameless_records: u64,
    /// Remarks about the directory that are not damage.
    pub notes: Vec<String>,
    /// The damage that the check found. Empty if the directory is undamaged.
    pub damage: Vec<Damage>,
}

/// The part of a report about one stream and its readable records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamReport {
    /// Id of the account that owns the stream.
    pub account: String,
    /// Region of the stream.
    pub region: String,
    /// Name of the stream.
    pub name: String,
    /// Shards of the stream.
    pub shards: Vec<ShardReport>,
}

/// The part of a report about one shard and its readable records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShardReport {
    /// Index of the shard in its stream.
    pub index: u32,
    /// Creation time of the shard in seconds since 1970.
    pub created_s: u64,
    /// Number of readable records of the shard.
    pub records: u64,
    /// Bytes of the partition keys and data of the shard's readable records.
    pub bytes: u64,
    /// Sequence index and arrival time of the shard's first readable record. `None` if the shard
    /// has no readable record.
    pub first: Option<(u64, Timestamp)>,
    /// Sequence index and arrival time of the shard's last readable record. `None` if the shard has
    /// no readable record.
    pub last: Option<(u64, Timestamp)>,
}

/// The report of each shard, by the id of the shard's log.
type Shards = BTreeMap<LogId, ShardReport>;

/// Reads everything in the data directory `directory`, and writes nothing to the directory. Reports
/// the contents of the directory, and the damage in it. Blocks the thread.
///
/// # Errors
/// `directory` does not exist or is not a data directory, or an error occurs that would also make a
/// start of the emulator fail.
pub fn check(directory: &Path) -> Result<Report, OpenError> {
    let disk = ReadOnlyDisk::new(Layout::new(directory.to_path_buf()));
    let failed = |error| OpenError::new(directory, error);
    let _claim = disk.claim()?;
    let (_, mut found) = recover(directory, &disk)?;
    let mut shards = read_all(&mut found, &disk)?;
    let set_aside = disk.set_aside_names().map_err(failed)?;
    let note = |name| format!("{name} was set aside earlier; its records are not served");
    let streams = streams(&found.catalog, &mut shards);
    Ok(Report {
        next_run: found.run,
        generations: found.generations.len(),
        streams,
        nameless_records: shards.values().map(|shard| shard.records).sum(),
        notes: set_aside.into_iter().map(note).collect(),
        damage: found.damage,
    })
}

/// Reads every segment of every generation. Adds the number of damaged segments in each generation
/// to the damage in `found`. Returns the report of each shard.
fn read_all(found: &mut RecoveredDirectory, disk: &dyn Disk) -> Result<Shards, OpenError> {
    let mut shards = Shards::new();
    let mut of_generations: BTreeMap<u64, Vec<SegmentEntry>> = BTreeMap::new();
    for RecoveredLog { segments, .. } in found.logs.values() {
        for segment in segments {
            let number = segment.generation.as_ref().map(|place| place.number);
            let entries = of_generations.entry(number.unwrap_or_default());
            entries.or_default().push(segment.entry);
        }
    }
    for (number, entries) in of_generations {
        let current = found.current.as_ref();
        let current = current.filter(|current| current.generation.number == number);
        let handle = match current.map(|current| current.handle.another()) {
            Some(handle) => Ok(handle),
            None => disk.open(number),
        };
        let handle = match handle {
            Ok(handle) => handle,
            Err(error) if is_of_the_machine(&error) => {
                return Err(OpenError::new(Path::new(&disk.name(number)), error));
            }
            Err(error) => {
                found.note_damage(disk, number, &error);
                continue;
            }
        };
        let mut damaged = 0_usize;
        for entry in &entries {
            match read(&*handle, entry) {
                Some(segment) => shards.entry(entry.log).or_default().add(&segment),
                None => damaged += 1,
            }
        }
        if damaged > 0 {
            let problem = format!("{damaged} of {} segments cannot be read", entries.len());
            found.note_damage(disk, number, &problem);
        }
    }
    for (id, log) in &found.logs {
        if !log.tail.is_empty() {
            shards.entry(*id).or_default().add(&log.tail);
        }
    }
    Ok(shards)
}

/// Reads and returns the segment that `entry` describes. Returns `None` if the segment is damaged,
/// or if it differs from `entry`.
fn read(handle: &dyn GenerationHandle, entry: &SegmentEntry) -> Option<Segment> {
    let value = handle.read(entry.number).ok()??;
    let segment = Segment::parse(value).ok()?;
    (SegmentEntry::of(&segment, entry.number) == *entry).then_some(segment)
}

impl ShardReport {
    fn add(&mut self, records: &impl Records) {
        let last = records.len() - 1;
        let at = |position| (records.index(position), records.arrival(position));
        self.records += records.len() as u64;
        self.bytes += records.weights(0..records.len());
        self.first = self.first.into_iter().chain([at(0)]).min();
        self.last = self.last.into_iter().chain([at(last)]).max();
    }
}

/// Returns the reports of all streams in `catalog`. Moves the report of each shard of these streams
/// from `shards` to the report of its stream.
fn streams(catalog: &Catalog, shards: &mut Shards) -> Vec<StreamReport> {
    let streams = catalog.streams.iter().map(|(&stream, value)| {
        let of_stream = catalog.shards.range((stream, 0)..=(stream, u32::MAX));
        let of_stream = of_stream.map(|(&(_, shard), value)| ShardReport {
            index: shard,
            created_s: value.created_s,
            ..shards.remove(&LogId { stream, shard }).unwrap_or_default()
        });
        StreamReport {
            account: value.account.clone(),
            region: value.region.clone(),
            name: value.name.clone(),
            shards: of_stream.collect(),
        }
    });
    streams.collect()
}
