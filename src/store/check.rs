//! A data directory without serving it: the recovery of a start, run on copies of its databases,
//! and then every segment read. Nothing in the directory is changed.

use super::disk::{Claim, Database, Disk, Tree};
use super::log::Piece;
use super::open::{self, OpenError};
use super::recovery::{Found, FoundLog, recover};
use super::segment::{Records, Segment};
use super::sled::SledDisk;
use super::{LogId, ShardValue, StreamValue, catalog, generation, key};
use crate::limits;
use crate::world::Timestamp;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The content of a data directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Times the directory was opened.
    pub openings: u64,
    /// Databases of records.
    pub generations: usize,
    /// The streams, each with its shards.
    pub streams: Vec<StreamReport>,
    /// Records that belong to no known stream, as a rule to a deleted one.
    pub nameless_records: u64,
    /// Facts worth knowing that are no damage.
    pub notes: Vec<String>,
    /// The damage found; empty when the directory is whole.
    pub damage: Vec<Damage>,
}

/// A stream and its readable records.
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

/// A shard and its readable records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShardReport {
    /// Its index.
    pub index: u32,
    /// When it was created, in seconds since the epoch.
    pub created_s: u64,
    /// Number of readable records.
    pub records: u64,
    /// Their packed size.
    pub bytes: u64,
    /// The sequence index and the arrival of the first record.
    pub first: Option<(u64, Timestamp)>,
    /// The sequence index and the arrival of the last record.
    pub last: Option<(u64, Timestamp)>,
}

/// Something that is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The database, below the data directory.
    pub path: PathBuf,
    /// The problem with it.
    pub problem: String,
}

impl Damage {
    /// Damage of the database at `path`.
    pub(crate) fn of(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self {
            path: path.file_name().unwrap_or_default().into(),
            problem: problem.to_string(),
        }
    }
}

/// Reads everything in a data directory, and writes nothing to it. Blocking.
///
/// # Errors
/// As for a start; and when there is no such directory or it is none of ours.
pub fn check(directory: &Path) -> Result<Report, OpenError> {
    let lock = open::visit(directory)?;
    let mut found = recover(directory, &Copies)?;
    let mut report = Report {
        openings: found.epoch,
        generations: found.generations.len(),
        notes: notes(directory)?,
        ..Report::default()
    };
    let mut shards = found
        .read_all()
        .map_err(|(path, error)| OpenError::new(&path, error))?;
    report.damage = std::mem::take(&mut found.damage);
    report.streams = streams(&found.metadata, &mut shards);
    report.nameless_records = shards.values().map(|shard| shard.records).sum();
    drop(lock);
    Ok(report)
}

/// Opens copies of sled databases, and changes nothing on the disk.
struct Copies;

impl Disk for Copies {
    fn open(&self, path: &Path, cache_bytes: usize) -> io::Result<Box<dyn Database>> {
        SledDisk.open_copy(path, cache_bytes)
    }

    fn open_copy(&self, path: &Path, cache_bytes: usize) -> io::Result<Box<dyn Database>> {
        SledDisk.open_copy(path, cache_bytes)
    }

    fn claim(&self, directory: &Path, _tries: u32) -> Result<Claim, OpenError> {
        open::visit(directory).map(|lock| Box::new(lock) as Claim)
    }

    fn rename(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self, _directory: &Path) -> io::Result<()> {
        Ok(())
    }

    fn mark(&self, _directory: &Path, _marks: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

fn notes(directory: &Path) -> Result<Vec<String>, OpenError> {
    let names = SledDisk.names(directory);
    let mut names = names.map_err(|error| OpenError::new(directory, error))?;
    names.retain(|name| generation::is_set_aside(name));
    names.sort();
    let note = |name| format!("{name} was set aside earlier; its records are not served");
    Ok(names.into_iter().map(note).collect())
}

impl Found {
    /// Reads every segment, generation by generation, and notes the damaged ones.
    fn read_all(&mut self) -> Result<BTreeMap<LogId, ShardReport>, (PathBuf, io::Error)> {
        let mut shards: BTreeMap<LogId, ShardReport> = BTreeMap::new();
        for generation in &self.generations {
            let path = &generation.path;
            let current = self.current.as_ref();
            let current = current.filter(|current| current.generation.number == generation.number);
            let opened;
            let database = match current {
                Some(current) => &current.database,
                None => match SledDisk.open_copy(path, limits::DATABASE_CACHE_BYTES) {
                    Ok(database) => {
                        opened = database;
                        &opened
                    }
                    Err(error) if open::is_of_the_machine(&error) => {
                        return Err((path.clone(), error));
                    }
                    Err(error) => {
                        self.damage.push(Damage::of(path, error));
                        continue;
                    }
                },
            };
            let (mut all, mut damaged) = (0_u64, 0_u64);
            for (id, log) in &self.logs {
                for piece in log.pieces.iter().filter(|piece| piece.is_in(generation)) {
                    all += 1;
                    match read(&**database, *id, piece) {
                        Ok(segment) => shards.entry(*id).or_default().add(&segment),
                        Err(_) => damaged += 1,
                    }
                }
            }
            if damaged > 0 {
                let problem = format!("{damaged} of {all} segments cannot be read");
                self.damage.push(Damage::of(path, problem));
            }
        }
        for (id, FoundLog { tail, .. }) in &self.logs {
            if !tail.is_empty() {
                shards.entry(*id).or_default().add(tail);
            }
        }
        Ok(shards)
    }
}

/// Reads a segment and compares it with the summary of its generation.
fn read(database: &dyn Database, id: LogId, piece: &Piece) -> Result<Segment, String> {
    let number = piece.place.as_ref().map(|place| u64::from(place.number));
    let key = key::segment(number.ok_or("it is in memory")?);
    let value = database.get(Tree::Main, &key);
    let value = value
        .map_err(|error| error.to_string())?
        .ok_or("it is missing")?;
    let segment = Segment::parse(value)?;
    let is_it = segment.log() == id && segment.index(0) == piece.first;
    is_it
        .then_some(segment)
        .ok_or_else(|| "it is another one".to_owned())
}

impl ShardReport {
    fn add(&mut self, records: &impl Records) {
        let last = records.len() - 1;
        let at = |position| (records.index(position), records.arrival(position));
        self.records += records.len() as u64;
        self.bytes += (0..=last)
            .map(|position| records.weight(position))
            .sum::<u64>();
        self.first = self.first.into_iter().chain([at(0)]).min();
        self.last = self.last.into_iter().chain([at(last)]).max();
    }
}

fn streams(
    metadata: &[(Vec<u8>, Vec<u8>)],
    shards: &mut BTreeMap<LogId, ShardReport>,
) -> Vec<StreamReport> {
    let mut streams: BTreeMap<u64, StreamReport> = BTreeMap::new();
    for (key, value) in metadata {
        if let Some(incarnation) = catalog::parse_stream(key)
            && let Some(value) = StreamValue::from_bytes(value)
        {
            let report = StreamReport {
                account: value.account,
                region: value.region,
                name: value.name,
                shards: Vec::new(),
            };
            streams.insert(incarnation, report);
        }
    }
    for (key, value) in metadata {
        if let Some((stream, shard)) = catalog::parse_shard(key)
            && let Some(value) = ShardValue::from_bytes(value)
            && let Some(report) = streams.get_mut(&stream)
        {
            let found = shards.remove(&LogId { stream, shard });
            report.shards.push(ShardReport {
                index: shard,
                created_s: value.created_s,
                ..found.unwrap_or_default()
            });
        }
    }
    streams.into_values().collect()
}
