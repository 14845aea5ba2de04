//! The reading behind a check, and behind a repair.

use super::Damage;
use crate::store::frame::{self, Entry};
use crate::store::offline::{Flaw, Leaf, Offline, Standing};
use crate::store::open::{OpenError, Stamp};
use crate::store::recovery::entry;
use crate::store::segment::{Records, Segment, unpack};
use crate::store::spare::{self, Pairs};
use crate::store::{LogId, generation, key};
use crate::world::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

/// What is wrong with a generation that lacks commits.
pub(crate) const OLDER: &str =
    "its metadata is older than the records in it: a file was lost or cut";

/// The metadata as far as it can be read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meta {
    pub(crate) pairs: Pairs,
    pub(crate) damaged: bool,
}

impl Meta {
    /// The pairs of the engine.
    pub(crate) fn engine(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.pairs.iter().filter_map(|(key, value)| {
            let key::Metadata::Engine(key) = key::metadata(key) else {
                return None;
            };
            Some((key, value.as_slice()))
        })
    }

    pub(crate) fn number(&self, key: &[u8]) -> Option<u64> {
        self.pairs.get(key).and_then(|value| key::number(value))
    }

    /// The generations that were begun and not ended.
    fn begun(&self) -> Vec<u64> {
        let begun = |key: &Vec<u8>| {
            let key::Metadata::Begun(number) = key::metadata(key) else {
                return None;
            };
            Some(number)
        };
        self.pairs.keys().filter_map(begun).collect()
    }

    fn summaries(&self) -> BTreeMap<u64, &[u8]> {
        let pairs = self.pairs.iter().filter_map(|(key, value)| {
            let key::Metadata::Summary(number) = key::metadata(key) else {
                return None;
            };
            Some((number, value.as_slice()))
        });
        pairs.collect()
    }
}

/// Consecutive records of one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) log: LogId,
    pub(crate) first: (u64, Timestamp),
    pub(crate) last: (u64, Timestamp),
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

/// A generation that was read.
#[derive(Debug, Clone)]
pub(crate) struct Examined {
    pub(crate) path: PathBuf,
    pub(crate) stretches: Vec<Stretch>,
    pub(crate) damaged: bool,
}

/// What was found of a log.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    pub(crate) first: Option<(u64, Timestamp)>,
    pub(crate) last: Option<(u64, Timestamp)>,
}

/// Everything that is in a data directory.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    pub(crate) directory: PathBuf,
    pub(crate) stamp: Stamp,
    pub(crate) meta: Meta,
    pub(crate) generations: BTreeMap<u64, Examined>,
    /// Generations that were set aside when something in them could not be read.
    pub(crate) set_aside: Vec<PathBuf>,
    /// The second copy of the metadata, and whether all of it could be read.
    pub(crate) spare: (Pairs, bool),
    /// What is worth knowing and no damage.
    pub(crate) notes: Vec<String>,
    /// Generations that `meta` knows and that are not there.
    pub(crate) missing: Vec<u64>,
    pub(crate) damage: Vec<Damage>,
}

impl Survey {
    /// Reads the directory.
    pub(crate) fn of(directory: &Path, stamp: Stamp) -> Result<Self, OpenError> {
        let mut survey = Self {
            directory: directory.to_path_buf(),
            stamp,
            meta: Meta::default(),
            generations: BTreeMap::new(),
            set_aside: Vec::new(),
            spare: (Pairs::new(), true),
            notes: Vec::new(),
            missing: Vec::new(),
            damage: Vec::new(),
        };
        if let Stamp::Damaged(problem) = &survey.stamp {
            survey.damage.push(Damage {
                path: "version".into(),
                problem: problem.clone(),
                cost: "no record, but minikin does not start".to_owned(),
            });
        }
        if directory.join("lock").is_dir() {
            let cost = "no record, but minikin does not start";
            survey.note("lock".into(), "it is a folder", cost);
        }
        survey
            .read()
            .map_err(|(path, error)| OpenError::new(&path, error))?;
        Ok(survey)
    }

    fn read(&mut self) -> Result<(), (PathBuf, io::Error)> {
        let directory = self.directory.clone();
        let numbers = self.list().map_err(|error| (directory.clone(), error))?;
        let path = directory.join("meta");
        self.read_meta(&path, !numbers.is_empty())
            .map_err(|error| (path.clone(), error))?;
        self.spare = spare::read(&directory).map_err(|error| (spare::path(&directory), error))?;
        if !self.spare.1 {
            let cost = "nothing, for meta says the same";
            let cost = if self.meta.damaged {
                "what meta does not say any more"
            } else {
                cost
            };
            self.note("meta.copy".into(), "a part of it cannot be read", cost);
        }
        let summaries: BTreeMap<u64, Result<Vec<Entry>, &str>> = self
            .meta
            .summaries()
            .into_iter()
            .map(|(number, bytes)| (number, frame::entries(bytes)))
            .collect();
        for number in &numbers {
            let path = generation::path(&directory, *number);
            let summary = summaries.get(number).and_then(|found| found.as_ref().ok());
            self.examine(*number, &path, summary.map(Vec::as_slice))
                .map_err(|error| (path, error))?;
        }
        for (number, summary) in summaries {
            if let Err(problem) = summary {
                let cost = "no record: the generation itself is read";
                self.note("meta".into(), format!("a summary in it: {problem}"), cost);
            } else if !numbers.contains(&number) {
                self.miss(number);
            }
        }
        let aside: Vec<_> = self
            .set_aside
            .iter()
            .filter_map(|path| number_aside(path))
            .collect();
        for number in self.meta.begun() {
            if !numbers.contains(&number) && !aside.contains(&number) {
                self.miss(number);
            }
        }
        for path in self.set_aside.clone() {
            let name = path.strip_prefix(&directory).unwrap_or(&path);
            let problem = "it was damaged and is not served";
            self.note(
                name.to_path_buf(),
                problem,
                "what of its records cannot be brought back",
            );
        }
        self.compare_openings();
        Ok(())
    }

    fn miss(&mut self, number: u64) {
        self.missing.push(number);
        let path = generation::path(Path::new(""), number);
        self.note(path, "it is missing", "the records in it");
    }

    fn note(&mut self, path: PathBuf, problem: impl Into<String>, cost: impl Into<String>) {
        let (problem, cost) = (problem.into(), cost.into());
        self.damage.push(Damage {
            path,
            problem,
            cost,
        });
    }

    /// The numbers of the generations.
    fn list(&mut self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            numbers.extend(generation::number(&name));
            if generation::is_set_aside(&name) {
                self.set_aside.push(path.clone());
            }
        }
        numbers.sort_unstable();
        self.set_aside.sort_unstable();
        Ok(numbers)
    }

    fn read_meta(&mut self, path: &Path, expected: bool) -> io::Result<()> {
        if !path.exists() && !expected {
            return Ok(());
        }
        let mut database = Offline::open(path)?;
        let pairs = &mut self.meta.pairs;
        database.each_known(&mut |leaf| pairs.extend(metadata(leaf)))?;
        self.notes.extend(cut(&database));
        if database.flaws.is_empty() && expected && self.meta.number(key::EPOCH).is_none() {
            let problem = "it does not say whose the records beside it are";
            self.note(
                "meta".into(),
                problem,
                "every stream, unless it is repaired",
            );
            self.meta.damaged = true;
        }
        for flaw in &database.flaws {
            let cost = match flaw.leaves {
                0 => "minikin does not start".to_owned(),
                leaves => format!(
                    "minikin does not start; {leaves} of its {} leaves, each with up to four \
                     streams, shards or settings",
                    database.len()
                ),
            };
            self.damage.push(self.damage_of(flaw, cost));
            self.meta.damaged = true;
        }
        Ok(())
    }

    fn damage_of(&self, flaw: &Flaw, cost: String) -> Damage {
        let path = flaw.file.strip_prefix(&self.directory);
        Damage {
            path: path.unwrap_or(&flaw.file).to_path_buf(),
            problem: flaw.problem.clone(),
            cost,
        }
    }

    /// Reads a generation and compares it with its summary, if it has one.
    fn examine(&mut self, number: u64, path: &Path, summary: Option<&[Entry]>) -> io::Result<()> {
        let mut database = Offline::open(path)?;
        let mut reading = Reading::default();
        let mut strays = 0;
        if summary.is_some() {
            database.each_known(&mut |leaf| reading.add(leaf))?;
        } else {
            let mut stray = Reading::default();
            database.each(&mut |leaf, standing| match standing {
                Standing::Known => reading.add(leaf),
                Standing::Stray => stray.add(leaf),
            })?;
            strays = reading.newer(&stray);
        }
        self.notes.extend(cut(&database));
        let before = self.damage.len();
        for flaw in &database.flaws {
            let lost = reading.lost(summary);
            let cost = match flaw.leaves {
                0 => "the records in it, unless it is repaired".to_owned(),
                leaves => format!("{leaves} of its {} leaves{lost}", database.len()),
            };
            self.damage.push(self.damage_of(flaw, cost));
        }
        let name = generation::path(Path::new(""), number);
        for problem in std::mem::take(&mut reading.problems) {
            self.note(name.clone(), problem, "the records in that");
        }
        if before == self.damage.len() && summary.is_some_and(|known| reading.misses(known)) {
            let lost = reading.lost(summary);
            self.note(
                name.clone(),
                "it lacks what it should hold",
                format!("records{lost}"),
            );
        }
        if before == self.damage.len() && strays > 0 {
            let problem = OLDER;
            self.note(
                name.join("metadata"),
                problem,
                format!("{strays} commits, unless it is repaired"),
            );
        }
        let examined = Examined {
            path: path.to_path_buf(),
            stretches: reading.stretches(),
            damaged: self.damage.len() > before,
        };
        self.generations.insert(number, examined);
        Ok(())
    }

    /// Which opening wrote the newest record, counted from 0.
    pub(crate) fn run(&self) -> Option<u64> {
        let all = self.generations.values().flat_map(|found| &found.stretches);
        all.map(|found| key::run_of(found.last.0)).max()
    }

    /// Every opening has sequence indexes to itself: metadata that has not counted the one that
    /// wrote a record is older than that record.
    fn compare_openings(&mut self) {
        let run = self.run().unwrap_or(0);
        let openings = self.meta.number(key::EPOCH).unwrap_or(0);
        let copied = self.spare.0.get(key::EPOCH);
        let copied = copied.and_then(|value| key::number(value)).unwrap_or(0);
        if !self.meta.damaged && (run >= openings && run > 0 || copied > openings) {
            let problem = "it is older than the records beside it: a file of it was lost or cut";
            self.note(
                "meta/metadata".into(),
                problem,
                "minikin does not start; what was changed since",
            );
            self.meta.damaged = true;
        }
    }

    /// What there is of each log, nothing counted twice.
    pub(crate) fn records(&self) -> HashMap<LogId, Found> {
        let all = self.generations.values();
        let mut stretches: Vec<_> = all.flat_map(|found| &found.stretches).collect();
        stretches.sort_by_key(|found| (found.first.0, std::cmp::Reverse(found.last.0)));
        let mut found: HashMap<LogId, Found> = HashMap::new();
        for stretch in stretches {
            let found = found.entry(stretch.log).or_default();
            if found.last.is_none_or(|(last, _)| stretch.first.0 > last) {
                found.records += stretch.records;
                found.bytes += stretch.bytes;
                found.first = found.first.or(Some(stretch.first));
                found.last = Some(stretch.last);
            }
        }
        found
    }
}

/// Whether commits lie in the generation at `path` that its metadata does not know: then a file of
/// that was lost or cut, and the engine would write over them.
///
/// # Errors
/// When a file cannot be read at all.
pub(crate) fn lacks_commits(path: &Path) -> io::Result<bool> {
    let (mut known, mut stray) = (Reading::default(), Reading::default());
    let mut database = Offline::open(path)?;
    database.each(&mut |leaf, standing| match standing {
        Standing::Known => known.add(leaf),
        Standing::Stray => stray.add(leaf),
    })?;
    Ok(known.newer(&stray) > 0)
}

/// That the last change of a database is cut off, if it is.
fn cut(database: &Offline) -> Option<String> {
    let file = database.cut.as_ref()?;
    let file = file.strip_prefix(file.ancestors().nth(3)?).unwrap_or(file);
    Some(format!(
        "{} ends within a commit, as a power cut leaves it: that commit was not acknowledged",
        file.display()
    ))
}

/// The pairs of a leaf of `meta` that are ours.
pub(crate) fn metadata(leaf: Leaf) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let pairs = leaf.pairs.into_iter();
    pairs
        .filter(|(key, _)| key::metadata(key) != key::Metadata::Unknown)
        .map(|(key, value)| (key, value.to_vec()))
}

/// What was read of a generation.
#[derive(Debug, Default)]
struct Reading {
    segments: BTreeMap<u64, (Entry, Stretch)>,
    commits: BTreeMap<(u64, u32), Vec<Stretch>>,
    problems: Vec<String>,
}

impl Reading {
    fn add(&mut self, leaf: Leaf) {
        for (key, value) in leaf.pairs {
            match (key.len(), key::number(&key)) {
                (8, Some(number)) => match Segment::parse(value) {
                    Ok(segment) => {
                        let entry = entry(&segment, u32::try_from(number).unwrap_or(u32::MAX));
                        let stretch = stretch(segment.log(), &segment);
                        self.segments.insert(number, (entry, stretch));
                    }
                    Err(problem) => self.problems.push(format!("segment {number}: {problem}")),
                },
                (12, Some(number)) => match frame::runs(&value) {
                    Ok(runs) => {
                        let part = u32::from_be_bytes(key[8..].try_into().unwrap_or_default());
                        let runs = runs.into_iter();
                        let stretches = runs.filter_map(|(log, records)| run(log, records));
                        self.commits.insert((number, part), stretches.collect());
                    }
                    Err(problem) => self.problems.push(format!("commit {number}: {problem}")),
                },
                _ => {}
            }
        }
    }

    /// How many commits among `strays` came after what is known. One may be a commit that was
    /// cut; the next only begins when it is there.
    fn newer(&self, strays: &Self) -> usize {
        let next = |commits: &BTreeMap<(u64, u32), _>| {
            commits
                .keys()
                .last()
                .map_or(0, |key: &(u64, u32)| key.0 + 1)
        };
        let known = next(&self.commits);
        let mut newer: Vec<u64> = strays
            .commits
            .keys()
            .map(|key| key.0)
            .filter(|number| *number >= known)
            .collect();
        newer.dedup();
        if newer.iter().any(|number| *number > known) {
            newer.len()
        } else {
            0
        }
    }

    fn misses(&self, known: &[Entry]) -> bool {
        known.iter().any(|entry| !self.has(entry))
    }

    fn has(&self, entry: &Entry) -> bool {
        let found = self.segments.get(&u64::from(entry.number));
        found.is_some_and(|(found, _)| found == entry)
    }

    /// Which segments are lost, where a summary says so.
    fn lost(&self, summary: Option<&[Entry]>) -> String {
        let Some(summary) = summary else {
            return ", each with up to four segments or commits".to_owned();
        };
        let lost: Vec<_> = summary.iter().filter(|entry| !self.has(entry)).collect();
        let bytes: u64 = lost.iter().map(|entry| u64::from(entry.bytes)).sum();
        let (lost, all) = (lost.len(), summary.len());
        format!(", {lost} of {all} segments with {bytes} bytes of records")
    }

    fn stretches(self) -> Vec<Stretch> {
        let segments = self.segments.into_values().map(|(_, stretch)| stretch);
        segments
            .chain(self.commits.into_values().flatten())
            .collect()
    }
}

fn stretch(log: LogId, segment: &Segment) -> Stretch {
    let last = segment.len() - 1;
    Stretch {
        log,
        first: (segment.index(0), segment.arrival(0)),
        last: (segment.index(last), segment.arrival(last)),
        records: segment.len() as u64,
        bytes: segment.bytes().len() as u64,
    }
}

fn run(log: LogId, packed: &[u8]) -> Option<Stretch> {
    let mut ends = None;
    let mut records = 0;
    for record in unpack(packed) {
        let here = (record.index, record.arrival);
        ends = Some(ends.map_or((here, here), |(first, _)| (first, here)));
        records += 1;
    }
    ends.map(|(first, last)| Stretch {
        log,
        first,
        last,
        records,
        bytes: packed.len() as u64,
    })
}

/// The number of the generation that was set aside at `path`.
fn number_aside(path: &Path) -> Option<u64> {
    generation::set_aside_number(path.file_name()?.to_str()?)
}
