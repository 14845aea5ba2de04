//! Recovery: reads a data directory at the start.
//!
//! A generation that has a summary in `meta` is complete, and recovery does not open its database.
//! A generation without a summary was still being written. Recovery reads its segments, and then
//! the records of its commit frames that are in no segment.

use super::commit::generation_writer::Current;
use super::disk::seam::{Disk, MetadataHandle, Stored};
use super::error::{OpenError, is_of_the_machine};
use super::format::catalog::Catalog;
use super::format::frame;
use super::format::key::{self, Pair};
use super::format::marks::Marks;
use super::format::record::{LogId, Records};
use super::format::segment::{Segment, Tail};
use super::format::summary::{self, SegmentEntry};
use super::generations::{self, Generation};
use super::log::segments::SegmentRef;
use super::replay::Replay;
use super::shared::stream_names::StreamNames;
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The contents that recovery found in a data directory.
#[derive(Default)]
pub(crate) struct RecoveredDirectory {
    /// Number of writes to the database `meta` since the data directory was created.
    pub(crate) saves: u64,
    pub(crate) catalog: Catalog,
    /// The number of the run that begins with this start.
    pub(crate) run: u64,
    /// The greatest run that the records of an unfinished or failed load of a snapshot may have.
    /// `None` if no such load has begun.
    permitted_run: Option<u64>,
    pub(crate) current: Option<Current>,
    /// The part of the current generation before the first missing segment and the first missing
    /// commit.
    whole: WholePart,
    pub(crate) generations: Vec<Arc<Generation>>,
    pub(crate) next_generation: u64,
    /// Number of generations that were set aside because of damage.
    pub(crate) set_aside: u64,
    /// Number of records that recovery found to be lost.
    pub(crate) records_lost: u64,
    pub(crate) damage: Vec<Damage>,
    /// Metadata changes that must not be saved before the next commit. The next commit stores the
    /// records of commit frames of older generations again.
    pub(crate) late: Vec<Pair>,
    pub(crate) logs: HashMap<LogId, RecoveredLog>,
}

/// The segments and the tail that recovery found for one log.
#[derive(Default)]
pub(crate) struct RecoveredLog {
    pub(crate) segments: Vec<SegmentRef>,
    pub(crate) tail: Tail,
    /// True if the records of the tail are stored in commit frames of the current generation.
    pub(crate) committed: bool,
}

impl RecoveredLog {
    /// Returns true if the log has a segment that begins after the first record of the tail. The
    /// records of the tail then come from commit frames of an older generation.
    fn tail_is_passed(&self) -> bool {
        !self.tail.is_empty() && {
            let first = self.tail.index(0);
            self.segments
                .iter()
                .any(|segment| segment.entry.first > first)
        }
    }

    /// Begins a replay of the log's commit frames. Records of the tail that precede a segment
    /// become part of the gaps of the replay. All other records of the tail stay in the tail.
    fn replay(&mut self) -> Replay {
        let mut replay = Replay::new(&self.segments);
        if self.tail_is_passed() {
            let tail = std::mem::take(&mut self.tail);
            replay.run(tail.run(0), &mut self.tail);
        }
        replay
    }
}

/// A damaged database of a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Path of the damaged database.
    pub path: PathBuf,
    /// Description of the damage for the user.
    pub problem: String,
}

/// The number of segments at the start of a generation before the first missing segment, and the
/// number of commits before the first missing commit.
#[derive(Debug, Default, Clone, Copy)]
struct WholePart {
    segments: u64,
    commits: u64,
    /// True if the generation has a segment after a missing segment, or a commit after a missing
    /// commit.
    is_followed: bool,
}

/// The state of recovery while it reads a generation that was still being written.
struct Reading<'a> {
    current: &'a mut Current,
    whole: WholePart,
    replays: BTreeMap<LogId, Replay>,
    damaged_segments: u64,
    damaged_frames: u64,
}

impl Reading<'_> {
    fn segment(&mut self, number: u32, bytes: Bytes, found: &mut RecoveredDirectory) {
        // The greatest possible number has no successor, so the store never writes a segment with
        // this number.
        let Some(next) = number.checked_add(1) else {
            return;
        };
        if u64::from(number) == self.whole.segments {
            self.whole.segments = u64::from(next);
        }
        let current = &mut *self.current;
        current.next_segment = next;
        match Segment::parse(bytes) {
            Ok(segment) => {
                let entry = SegmentEntry::of(&segment, number);
                current.written += u64::from(entry.bytes);
                found.add(&entry, &current.generation);
                current.entries.push(entry);
            }
            Err(problem) => {
                self.damaged_segments += 1;
                let generation = current.generation.number;
                tracing::error!(generation, number, problem, "a segment is damaged");
            }
        }
    }

    fn frame(&mut self, commit: u64, frame: &[u8], found: &mut RecoveredDirectory) {
        let Some(next) = commit.checked_add(1) else {
            return;
        };
        if commit == self.whole.commits {
            self.whole.commits = next;
        }
        self.current.next_commit = next;
        self.current.written += frame.len() as u64;
        let runs = match frame::runs(frame) {
            Ok(runs) => runs,
            Err(problem) => {
                self.damaged_frames += 1;
                let generation = self.current.generation.number;
                tracing::error!(generation, commit, problem, "a commit is damaged");
                return;
            }
        };
        for (id, records) in runs {
            let log = found.logs.entry(id).or_default();
            let replay = self.replays.entry(id).or_insert_with(|| {
                let replay = log.replay();
                log.committed = log.tail.is_empty();
                replay
            });
            replay.run(records, &mut log.tail);
        }
    }
}

/// The generations that the database `meta` names.
#[derive(Default)]
struct Listed {
    /// The number of each complete generation, with the descriptions of its segments.
    summaries: BTreeMap<u64, Vec<SegmentEntry>>,
    /// The numbers of the generations that were still being written.
    begun: Vec<u64>,
}

/// Recovers the contents of the data directory, and saves the number of the next run in the
/// database `meta`. Returns the handle of `meta` and the contents of the directory.
pub(crate) fn recover(
    directory: &Path,
    disk: &dyn Disk,
) -> Result<(Box<dyn MetadataHandle>, RecoveredDirectory), OpenError> {
    let path = PathBuf::from(disk.metadata_name());
    let damaged = |error| OpenError::damaged(directory, &path, error);
    let failed = |error| OpenError::new(directory, error);
    let metadata = disk.open_metadata().map_err(damaged)?;
    // The name of the database `meta` must be durable before the store relies on the database.
    disk.sync().map_err(failed)?;
    let mut found = RecoveredDirectory::default();
    let listed = found.read_metadata(&*metadata).map_err(damaged)?;
    let numbers = disk.generations().map_err(failed)?;
    if found.run == 0 && !numbers.is_empty() {
        // The start of the emulator must fail. Otherwise the emulator would delete the records, and
        // use their sequence numbers again.
        let lost = "it is empty, but the directory holds records";
        return Err(damaged(io::Error::other(lost)));
    }
    found.read_generations(&listed, &numbers, disk)?;
    found.order();
    let marks = Marks::from_bytes(&disk.marks().map_err(failed)?);
    let is_ahead = found.newest_run() >= Some(found.run);
    let is_of_load = found.newest_run() <= found.permitted_run;
    if is_ahead && !is_of_load || marks.saves > found.saves {
        // The start of the emulator must fail. Otherwise the emulator would use sequence numbers
        // again, and delete the records of newer streams.
        let older = "it is older than the records: one of its files was lost or truncated";
        return Err(damaged(io::Error::other(older)));
    }
    found.compare(&marks, disk);
    found.save_next_run(&*metadata, is_ahead).map_err(failed)?;
    Ok((metadata, found))
}

impl RecoveredDirectory {
    fn read_metadata(&mut self, metadata: &dyn MetadataHandle) -> io::Result<Listed> {
        let mut listed = Listed::default();
        let mut unreadable = None;
        self.saves = metadata.saves()?;
        let (catalog, run, permitted_run) =
            (&mut self.catalog, &mut self.run, &mut self.permitted_run);
        metadata.scan(&mut |key, value| match key::metadata(key) {
            key::Metadata::NextRun => *run = key::number(&value).unwrap_or(0),
            key::Metadata::PermittedRun => *permitted_run = key::number(&value),
            key::Metadata::Begun(number) => listed.begun.push(number),
            key::Metadata::Summary(number) => match summary::entries(&value) {
                Ok(entries) => drop(listed.summaries.insert(number, entries)),
                // The summary is unreadable, so recovery reads the generation.
                Err(problem) => tracing::error!(number, problem, "a summary is damaged"),
            },
            key::Metadata::Catalog(key) => {
                unreadable = unreadable.or(catalog.insert(key, &value).err());
            }
            key::Metadata::Unknown => {
                tracing::warn!("an unknown key in the database meta is ignored")
            }
        })?;
        match unreadable {
            None => Ok(listed),
            Some(entry) => {
                let problem = format!("{entry} in it cannot be read");
                Err(io::Error::new(io::ErrorKind::InvalidData, problem))
            }
        }
    }

    /// Reads the generations with the numbers `numbers`, which are in the data directory. Reports
    /// each generation that is in `listed` but not in the directory.
    fn read_generations(
        &mut self,
        listed: &Listed,
        numbers: &[u64],
        disk: &dyn Disk,
    ) -> Result<(), OpenError> {
        let Listed { summaries, begun } = listed;
        // The next generation gets a greater number than every generation in the directory and in
        // `meta`.
        let highest = summaries.keys().chain(begun).chain(numbers).max();
        self.next_generation = highest.map_or(0, |highest| highest + 1);
        for (number, entries) in summaries {
            if numbers.contains(number) {
                self.add_complete(*number, entries);
            } else {
                self.report_missing(disk, *number, key::summary(*number));
                self.report_lost(entries);
            }
        }
        for number in begun.iter().filter(|number| !numbers.contains(number)) {
            self.report_missing(disk, *number, key::begun(*number));
        }
        let unlisted = |number: &&u64| !summaries.contains_key(number);
        for number in numbers.iter().filter(unlisted) {
            self.read_generation(*number, disk)?;
        }
        Ok(())
    }

    /// Reports that the generation `number` is missing. Lets the next commit remove `key`, the key
    /// of the entry about this generation in the database `meta`.
    fn report_missing(&mut self, disk: &dyn Disk, number: u64, key: Vec<u8>) {
        let name = disk.name(number);
        tracing::error!("{name} is missing; its records are not served");
        self.note_damage(disk, number, "it is missing");
        self.late.push((key, None));
    }

    /// Counts the records of the lost segments `entries`, and logs the lost records of each log.
    fn report_lost(&mut self, entries: &[SegmentEntry]) {
        let mut lost: BTreeMap<LogId, SegmentEntry> = BTreeMap::new();
        for entry in entries {
            self.records_lost += u64::from(entry.records);
            let known = lost.entry(entry.log).or_insert(*entry);
            if entry.first < known.first {
                (known.first, known.first_arrival) = (entry.first, entry.first_arrival);
            }
            if entry.last > known.last {
                (known.last, known.last_arrival) = (entry.last, entry.last_arrival);
            }
        }
        let names = StreamNames::of(&self.catalog);
        for entry in lost.values() {
            tracing::error!("records are lost: {}", names.describe(entry));
        }
    }

    pub(crate) fn note_damage(
        &mut self,
        disk: &dyn Disk,
        number: u64,
        problem: impl std::fmt::Display,
    ) {
        let name = PathBuf::from(disk.name(number));
        self.damage.push(Damage {
            path: name.file_name().unwrap_or_default().into(),
            problem: problem.to_string(),
        });
    }

    /// Reports damage if the current generation lacks a segment or a commit that the file `marks`
    /// counts.
    fn compare(&mut self, marks: &Marks, disk: &dyn Disk) {
        let Some(current) = &self.current else { return };
        let number = current.generation.number;
        let is_whole = number != marks.generation
            || self.whole.segments >= marks.segments && self.whole.commits >= marks.commits;
        if !is_whole {
            let name = disk.name(number);
            let problem = "commits are missing from it: one of its files was lost or truncated";
            tracing::error!("{name} lacks records that were acknowledged: {problem}");
            self.note_damage(disk, number, problem);
        }
    }

    /// Saves the number of the next run in the database `meta`. `is_ahead` is true if a load of a
    /// snapshot has left records of the run that begins now, or of a later run. If `is_ahead` is
    /// false, the function removes the permitted run of such a load.
    fn save_next_run(&mut self, metadata: &dyn MetadataHandle, is_ahead: bool) -> io::Result<()> {
        let next_run = self.run.saturating_add(1).to_be_bytes().to_vec();
        let mut changes = vec![(key::NEXT_RUN.to_vec(), Some(next_run))];
        if self.permitted_run.is_some() && !is_ahead {
            changes.push((key::PERMITTED_RUN.to_vec(), None));
        }
        self.saves = metadata.save(&changes)?;
        Ok(())
    }

    /// Adds the complete generation `number`, whose segments are `entries`, to the contents of the
    /// directory.
    fn add_complete(&mut self, number: u64, entries: &[SegmentEntry]) {
        let generation = Generation::new(number, None);
        for entry in entries {
            self.add(entry, &generation);
        }
        self.generations.push(generation);
    }

    fn add(&mut self, entry: &SegmentEntry, generation: &Arc<Generation>) {
        let segment = SegmentRef {
            entry: *entry,
            memory: None,
            generation: Some(generation.clone()),
        };
        generation.add(segment.bytes());
        let log = self.logs.entry(entry.log).or_default();
        log.segments.push(segment);
    }

    /// Reads the generation `number`, which was still being written.
    fn read_generation(&mut self, number: u64, disk: &dyn Disk) -> Result<(), OpenError> {
        let name = PathBuf::from(disk.name(number));
        let handle = match disk.open(number) {
            Ok(handle) => handle,
            Err(error) if is_of_the_machine(&error) => return Err(OpenError::new(&name, error)),
            Err(error) => {
                self.set_aside(number, disk, &error);
                return Ok(());
            }
        };
        let mut current = Current::new(number, handle);
        let whole = match self.read_current(&mut current, disk) {
            Ok(whole) => whole,
            Err(error) if is_of_the_machine(&error) => return Err(OpenError::new(&name, error)),
            Err(error) => {
                for log in self.logs.values_mut() {
                    let segments = &mut log.segments;
                    segments.retain(|segment| !segment.is_in(&current.generation));
                    // The records from commit frames of this generation must be committed again.
                    log.committed = false;
                }
                current.generation.close(Some(current.handle));
                self.set_aside(number, disk, &error);
                return Ok(());
            }
        };
        if current.written == 0 && self.current.is_some() {
            // The generation was opened ahead of time, and nothing was written to it.
            current.generation.close(Some(current.handle));
            self.late.push((key::begun(number), None));
            return disk
                .remove(number)
                .map_err(|error| OpenError::new(&name, error));
        }
        self.whole = whole;
        self.generations.push(current.generation.clone());
        if let Some(older) = self.current.replace(current) {
            self.summarise(older);
        }
        Ok(())
    }

    fn set_aside(&mut self, number: u64, disk: &dyn Disk, error: &io::Error) {
        self.set_aside += 1;
        self.note_damage(disk, number, error);
        self.late.push((key::begun(number), None));
        generations::set_aside(disk, number, error);
    }

    /// Ends the current generation if a segment or a commit is missing and a later one exists. A
    /// power cut can leave this state if the disk kept only a part of a commit that was not
    /// acknowledged. New commits must then go to a new generation. Otherwise the file `marks` would
    /// also count the missing segments and commits, and the next start would report damage.
    pub(crate) fn end_incomplete_generation(&mut self) -> io::Result<()> {
        if !self.whole.is_followed {
            return Ok(());
        }
        if let Some(mut current) = self.current.take() {
            for log in self.logs.values_mut() {
                log.committed = false;
            }
            if std::mem::take(&mut current.unflushed) {
                current.handle.commit()?;
            }
            self.summarise(current);
        }
        Ok(())
    }

    /// Completes the generation `older`, to which the store will write nothing more. The summary of
    /// `older` is saved later, because the records that are stored only in its commit frames must
    /// first be committed again.
    fn summarise(&mut self, older: Current) {
        let number = older.generation.number;
        let summary = summary::summary(&older.entries);
        self.late.push((key::begun(number), None));
        self.late.push((key::summary(number), Some(summary)));
        older.generation.close(Some(older.handle));
    }

    /// Reads the segments of a generation that was still being written, and then the records of its
    /// commit frames that are in no segment. Returns the part of the generation before the first
    /// missing segment and the first missing commit.
    fn read_current(&mut self, current: &mut Current, disk: &dyn Disk) -> io::Result<WholePart> {
        for log in self.logs.values_mut() {
            log.committed = false;
        }
        let mut reading = Reading {
            current,
            whole: WholePart::default(),
            replays: BTreeMap::new(),
            damaged_segments: 0,
            damaged_frames: 0,
        };
        // The scan has a handle of its own, because the visitor changes `current`.
        let handle = reading.current.handle.another();
        handle.scan(&mut |stored| match stored {
            Stored::Segment(number, bytes) => reading.segment(number, bytes, self),
            Stored::Frame(commit, bytes) => reading.frame(commit, &bytes, self),
        })?;
        drop(handle);
        let Reading {
            current,
            mut whole,
            mut replays,
            ..
        } = reading;
        whole.is_followed =
            whole.segments < u64::from(current.next_segment) || whole.commits < current.next_commit;
        for (id, log) in &mut self.logs {
            if !replays.contains_key(id) && log.tail_is_passed() {
                replays.insert(*id, log.replay());
            }
        }
        let damaged = [
            ("segments", reading.damaged_segments),
            ("commits", reading.damaged_frames),
        ];
        for (what, count) in damaged.into_iter().filter(|(_, count)| *count > 0) {
            let number = current.generation.number;
            self.note_damage(disk, number, format!("damaged {what}: {count}"));
        }
        // The records of a gap are in commit frames and in no segment, although a later segment
        // exists. The reason is that the disk kept only a part of a commit, and lost the segment of
        // these records. Store the records of each gap again, as one segment.
        for (id, replay) in replays {
            for mut tail in replay.into_gaps() {
                let segment = tail.seal(id);
                let mut entry = SegmentEntry::of(&segment, 0);
                current.append(&mut entry, &segment)?;
                self.add(&entry, &current.generation);
            }
        }
        Ok(whole)
    }

    /// Returns the run in which the newest record was put. Returns `None` if this run was the first
    /// run, or if there are no records.
    fn newest_run(&self) -> Option<u64> {
        let last = |log: &RecoveredLog| {
            let tail = log.tail.len().checked_sub(1);
            let tail = tail.map(|last| log.tail.index(last));
            let segment = log.segments.last();
            segment.map(|segment| segment.entry.last).max(tail)
        };
        let last = self.logs.values().filter_map(last).max()?;
        Some(key::run_of(last)).filter(|run| *run > 0)
    }

    /// Sorts the segments of each log. If a segment was stored twice, removes the second copy from
    /// the list of segments.
    fn order(&mut self) {
        for log in self.logs.values_mut() {
            log.segments.sort_by_key(|segment| segment.entry.first);
            let mut end = 0;
            log.segments.retain(|segment| {
                let is_new = segment.entry.first >= end;
                if is_new {
                    end = segment.entry.last + 1;
                } else if let Some(generation) = &segment.generation {
                    generation.release(segment.bytes());
                }
                is_new
            });
        }
    }
}
