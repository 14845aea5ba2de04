//! Opening a data directory: what is there, and what of it is whole.
//!
//! A generation whose summary is in `meta` is believed and opened when it is first read. One
//! without was being written: its segments are read, and its commit frames replayed beyond them.

use super::disk::{Database, Disk, Tree};
use super::frame::{self, Entry};
use super::generation::{self, Generation};
use super::log::{Piece, Place};
use super::marks::Marks;
use super::open::is_of_the_machine;
use super::segment::{Records, Segment, Tail, unpack};
use super::writer::{Change, Current};
use super::{Append, Damage, LogId, OpenError, key};
use crate::limits;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

/// What a directory held.
pub(crate) struct Found {
    pub(crate) meta: Box<dyn Database>,
    /// Saves of metadata since the directory was made.
    pub(crate) saves: u64,
    pub(crate) metadata: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) epoch: u64,
    pub(crate) current: Option<Current>,
    pub(crate) generations: Vec<Arc<Generation>>,
    pub(crate) next_generation: u64,
    /// How many generations were found damaged.
    pub(crate) set_aside: u64,
    pub(crate) damage: Vec<Damage>,
    /// Changes of metadata that are due when what is only in old frames was committed again.
    pub(crate) late: Vec<Change>,
    pub(crate) logs: HashMap<LogId, FoundLog>,
}

/// What was found of a log.
#[derive(Default)]
pub(crate) struct FoundLog {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) tail: Tail,
    /// The tail is in a commit frame of the current generation.
    pub(crate) committed: bool,
}

/// Reads the directory and counts the opening in it.
pub(crate) fn recover(directory: &Path, disk: &dyn Disk) -> Result<Found, OpenError> {
    let path = directory.join("meta");
    let damaged = |error| OpenError::damaged(directory, &path, error);
    let meta = disk
        .open(&path, limits::DATABASE_CACHE_BYTES)
        .map_err(damaged)?;
    // Its name, before anything in it is answered for: the engine syncs no name outside itself.
    disk.sync(directory)
        .map_err(|error| OpenError::new(directory, error))?;
    let mut found = Found {
        meta,
        saves: 0,
        metadata: Vec::new(),
        epoch: 0,
        current: None,
        generations: Vec::new(),
        next_generation: 0,
        set_aside: 0,
        damage: Vec::new(),
        late: Vec::new(),
        logs: HashMap::new(),
    };
    let (summaries, begun) = found.read_meta().map_err(damaged)?;
    let numbers = numbers(directory, disk).map_err(|error| OpenError::new(directory, error))?;
    if found.epoch == 0 && !numbers.is_empty() {
        // To go on would delete the records and use their numbers again.
        let lost = "it does not say whose the records beside it are: it is damaged";
        return Err(damaged(std::io::Error::other(lost)));
    }
    // A number is not used again while anything is named after it.
    let highest = summaries.keys().chain(&begun).chain(&numbers).max();
    found.next_generation = highest
        .map_or(0, |highest| highest + 1)
        .max(found.next_generation);
    for (number, summary) in &summaries {
        let path = generation::path(directory, *number);
        if numbers.contains(number) {
            found.believe(*number, path, summary);
        } else {
            found.miss(&path, key::summary(*number));
        }
    }
    for number in begun.iter().filter(|number| !numbers.contains(number)) {
        found.miss(&generation::path(directory, *number), key::begun(*number));
    }
    for number in numbers
        .iter()
        .filter(|number| !summaries.contains_key(number))
    {
        found.read_generation(*number, &generation::path(directory, *number), disk)?;
    }
    found.order();
    let marks = disk
        .marks(directory)
        .map_err(|error| OpenError::new(directory, error))?;
    let marks = Marks::from_bytes(&marks);
    if found.newest_run() >= Some(found.epoch) || marks.saves > found.saves {
        // Its sequence numbers would be given out again, and streams be taken for deleted.
        let older = "it is older than the records beside it: a file of it was lost or cut";
        return Err(damaged(std::io::Error::other(older)));
    }
    found.compare(&marks);
    found
        .count_opening()
        .map_err(|error| OpenError::new(&path, error))?;
    Ok(found)
}

/// The numbers of the generations in a directory; what is left of removed ones goes.
fn numbers(directory: &Path, disk: &dyn Disk) -> std::io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for name in disk.names(directory)? {
        if name.ends_with(".dead") {
            disk.remove(&directory.join(&name))?;
        }
        numbers.extend(generation::number(&name));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The summaries in the metadata, and the generations that were begun and not ended.
type Listed = (BTreeMap<u64, Vec<Entry>>, Vec<u64>);

impl Found {
    /// Reads the metadata.
    fn read_meta(&mut self) -> std::io::Result<Listed> {
        let (mut summaries, mut begun) = Listed::default();
        let saves = self.meta.get(Tree::Commits, key::SAVES)?;
        self.saves = saves.and_then(|saves| key::number(&saves)).unwrap_or(0);
        let (metadata, opened) = (&mut self.metadata, &mut self.epoch);
        self.meta.each(Tree::Main, &mut |key, value| {
            match key::metadata(key) {
                key::Metadata::Epoch => *opened = key::number(&value).unwrap_or(0),
                key::Metadata::Begun(number) => begun.push(number),
                key::Metadata::Summary(number) => match frame::entries(&value) {
                    Ok(entries) => drop(summaries.insert(number, entries)),
                    // Without its summary the generation itself is read.
                    Err(problem) => tracing::error!(number, problem, "a summary is damaged"),
                },
                key::Metadata::Engine(key) => metadata.push((key.to_vec(), value.to_vec())),
                key::Metadata::Unknown => tracing::warn!("an unknown key in meta is left alone"),
            }
        })?;
        Ok((summaries, begun))
    }

    /// A generation that has to be there is not; `key` is what says so.
    fn miss(&mut self, path: &Path, key: Vec<u8>) {
        let shown = path.display();
        tracing::error!("{shown} is not there; its records are not served");
        self.damage.push(Damage::of(path, "it is not there"));
        self.late.push((key, None));
    }

    /// Reports that the generation that was being written ends before its marks.
    fn compare(&mut self, marks: &Marks) {
        let Some(current) = &self.current else { return };
        let is_whole = current.generation.number != marks.generation
            || u64::from(current.next_segment) >= marks.segments
                && current.next_commit >= marks.commits;
        if !is_whole {
            let path = &current.generation.path;
            let problem = "its newest commits are missing: a file of it was lost or cut";
            tracing::error!(
                "{} lacks records that were acknowledged: {problem}",
                path.display()
            );
            self.damage.push(Damage::of(path, problem));
        }
    }

    /// Stores how often the directory was opened before, plus one.
    fn count_opening(&mut self) -> std::io::Result<()> {
        let opened = self.epoch.saturating_add(1);
        self.meta
            .insert(Tree::Main, key::EPOCH, &opened.to_be_bytes())?;
        self.saves += 1;
        self.meta
            .insert(Tree::Commits, key::SAVES, &self.saves.to_be_bytes())?;
        self.meta.flush()
    }

    fn believe(&mut self, number: u64, path: std::path::PathBuf, entries: &[Entry]) {
        let generation = Generation::new(number, path, None);
        for entry in entries {
            self.add(entry, &generation);
        }
        self.generations.push(generation);
    }

    fn add(&mut self, entry: &Entry, generation: &Arc<Generation>) {
        let Entry {
            first,
            last,
            last_arrival,
            bytes,
            number,
            log,
        } = *entry;
        let place = Some(Place {
            generation: generation.clone(),
            number,
        });
        let bytes = u64::from(bytes);
        generation.add(bytes);
        let piece = Piece {
            first,
            last,
            last_arrival,
            bytes,
            memory: None,
            place,
        };
        self.logs.entry(log).or_default().pieces.push(piece);
    }

    fn read_generation(
        &mut self,
        number: u64,
        path: &Path,
        disk: &dyn Disk,
    ) -> Result<(), OpenError> {
        let database = match disk.open(path, limits::DATABASE_CACHE_BYTES) {
            Ok(database) => database,
            Err(error) if is_of_the_machine(&error) => return Err(OpenError::new(path, error)),
            Err(error) => {
                self.set_aside(number, disk, path, &error);
                return Ok(());
            }
        };
        let mut current = Current::new(number, path.to_path_buf(), database);
        let read = self
            .read_segments(&mut current)
            .and_then(|()| self.replay(&mut current));
        if let Err(error) = read {
            if is_of_the_machine(&error) {
                return Err(OpenError::new(path, error));
            }
            self.logs.values_mut().for_each(|log| {
                log.pieces.retain(|piece| !piece.is_in(&current.generation));
                // What was read of its frames has to be committed again.
                log.committed = false;
            });
            current.generation.close(Some(current.database));
            self.set_aside(number, disk, path, &error);
            return Ok(());
        }
        if current.written == 0 && self.current.is_some() {
            // It was opened ahead and never used.
            current.generation.close(Some(current.database));
            self.late.push((key::begun(number), None));
            return disk
                .remove(path)
                .map_err(|error| OpenError::new(path, error));
        }
        self.generations.push(current.generation.clone());
        if let Some(older) = self.current.replace(current) {
            self.summarise(older);
        }
        Ok(())
    }

    fn set_aside(
        &mut self,
        number: u64,
        disk: &dyn Disk,
        path: &Path,
        error: &dyn std::fmt::Display,
    ) {
        self.set_aside += 1;
        self.damage.push(Damage::of(path, error));
        self.late.push((key::begun(number), None));
        generation::set_aside(disk, path, error);
    }

    /// A generation that was written while a newer one exists is over: its summary is due, and
    /// records only in its frames have to be committed again.
    fn summarise(&mut self, older: Current) {
        let summary = frame::summary(&older.entries);
        let key = key::summary(older.generation.number);
        self.late.push((key::begun(older.generation.number), None));
        self.late.push((key, Some(summary)));
        older.generation.close(Some(older.database));
    }

    fn read_segments(&mut self, current: &mut Current) -> std::io::Result<()> {
        let mut entries = Vec::new();
        let mut next = 0;
        let generation = current.generation.number;
        let mut damaged = 0;
        current.database.each(Tree::Main, &mut |key, bytes| {
            let number = key::number(key).and_then(|number| u32::try_from(number).ok());
            let after = number.and_then(|number| number.checked_add(1));
            let (Some(number), Some(after)) = (number, after) else {
                return;
            };
            next = after;
            match Segment::parse(bytes) {
                Ok(segment) => entries.push(entry(&segment, number)),
                Err(problem) => {
                    tracing::error!(generation, number, problem, "a segment is damaged: skipped");
                    damaged += 1;
                }
            }
        })?;
        self.note_damaged(current, damaged, "segment");
        current.next_segment = next;
        for entry in &entries {
            current.written += u64::from(entry.bytes);
            self.add(entry, &current.generation);
        }
        current.entries = entries;
        Ok(())
    }

    fn note_damaged(&mut self, current: &Current, count: u64, what: &str) {
        if count > 0 {
            let problem = format!("damaged {what}s: {count}");
            let path = &current.generation.path;
            self.damage.push(Damage::of(path, problem));
        }
    }

    /// Adds the records that are only in commit frames to the tails.
    fn replay(&mut self, current: &mut Current) -> std::io::Result<()> {
        let Self { logs, .. } = self;
        for log in logs.values_mut() {
            log.committed = log.tail.is_empty();
        }
        let mut replays: BTreeMap<LogId, Replay> = BTreeMap::new();
        let (mut written, mut next, mut damaged) = (0, 0, 0);
        let generation = current.generation.number;
        current.database.each(Tree::Commits, &mut |key, bytes| {
            let number = key::number(key);
            let after = number.and_then(|number| number.checked_add(1));
            let (Some(number), Some(after)) = (number, after) else {
                return;
            };
            next = after;
            written += bytes.len() as u64;
            match frame::runs(&bytes) {
                Ok(runs) => {
                    for (log, records) in runs {
                        replay_run(logs, &mut replays, log, records);
                    }
                }
                Err(problem) => {
                    tracing::error!(generation, number, problem, "a commit is damaged: skipped");
                    damaged += 1;
                }
            }
        })?;
        self.note_damaged(current, damaged, "commit");
        current.next_commit = next;
        current.written += written;
        for (log, replay) in replays {
            for tail in replay.between.into_values() {
                self.store_again(log, tail, current)?;
            }
        }
        Ok(())
    }

    /// Records that are in frames only, though later ones are in a segment: the segment that held
    /// them was lost with a commit that was kept in part.
    fn store_again(
        &mut self,
        log: LogId,
        mut tail: Tail,
        current: &mut Current,
    ) -> std::io::Result<()> {
        let number = current.next_segment;
        let segment = tail.seal(log);
        let key = key::segment(u64::from(number));
        current.database.insert(Tree::Main, &key, segment.bytes())?;
        let entry = entry(&segment, number);
        current.next_segment += 1;
        current.written += u64::from(entry.bytes);
        current.entries.push(entry);
        current.unflushed = true;
        self.add(&entry, &current.generation);
        Ok(())
    }

    /// The run that wrote the newest record, if there is one that is not of the first.
    fn newest_run(&self) -> Option<u64> {
        let last = |log: &FoundLog| {
            let tail = Records::len(&log.tail).checked_sub(1);
            let tail = tail.map(|last| log.tail.index(last));
            log.pieces.last().map(|piece| piece.last).max(tail)
        };
        let last = self.logs.values().filter_map(last).max()?;
        Some(key::run_of(last)).filter(|run| *run > 0)
    }

    /// Sorts the segments of each log and drops those that are there twice.
    fn order(&mut self) {
        for log in self.logs.values_mut() {
            log.pieces.sort_by_key(|piece| piece.first);
            let mut end = 0;
            log.pieces.retain(|piece| {
                let fresh = piece.first >= end;
                if fresh {
                    end = piece.last + 1;
                } else if let Some(place) = &piece.place {
                    place.generation.release(piece.bytes);
                }
                fresh
            });
        }
    }
}

/// What a summary says of a segment.
pub(crate) fn entry(segment: &Segment, number: u32) -> Entry {
    let last = segment.len() - 1;
    Entry {
        log: segment.log(),
        first: segment.index(0),
        last: segment.index(last),
        last_arrival: segment.arrival(last),
        bytes: u32::try_from(segment.bytes().len()).expect("a segment is below 4 GiB"),
        number,
    }
}

/// What is known of a log while its frames are replayed.
#[derive(Default)]
struct Replay {
    /// The first and the last index of each of its segments, in order.
    stored: Vec<(u64, u64)>,
    /// Records in no segment, by how many segments are before them; some are after.
    between: BTreeMap<usize, Tail>,
}

impl Replay {
    fn of(log: &FoundLog) -> Self {
        let pieces = log.pieces.iter().map(|piece| (piece.first, piece.last));
        let mut stored: Vec<_> = pieces.collect();
        stored.sort_unstable();
        Self {
            stored,
            between: BTreeMap::new(),
        }
    }
}

fn replay_run(
    logs: &mut HashMap<LogId, FoundLog>,
    replays: &mut BTreeMap<LogId, Replay>,
    id: LogId,
    records: &[u8],
) {
    let log = logs.entry(id).or_insert_with(|| FoundLog {
        committed: true,
        ..FoundLog::default()
    });
    let replay = replays.entry(id).or_insert_with(|| Replay::of(log));
    for record in unpack(records) {
        let before = replay
            .stored
            .partition_point(|(_, last)| *last < record.index);
        let next = replay.stored.get(before);
        if next.is_some_and(|(first, _)| *first <= record.index) {
            continue;
        }
        let tail = match next {
            Some(_) => replay.between.entry(before).or_default(),
            None => &mut log.tail,
        };
        let last = Records::len(tail)
            .checked_sub(1)
            .map(|last| tail.index(last));
        if last.is_some_and(|last| record.index <= last) {
            continue;
        }
        let arrival = record.arrival;
        let append = Append {
            index: record.index,
            arrival,
            partition_key: record.partition_key,
            data: record.data,
            encrypted: record.encrypted,
        };
        tail.push(&append, arrival);
    }
}
