//! What can be read of a damaged database, wherever in its files it lies.
//!
//! A segment and a commit frame say whose records they hold and have checksums of their own, so
//! they are good wherever they are found, also in slots that the engine calls free. A record's
//! index says whether it is there already.

use crate::limits;
use crate::store::check::Survey;
use crate::store::offline::{Leaf, Offline, Standing};
use crate::store::remains;
use crate::store::segment::{Records, Segment, Tail, unpack};
use crate::store::spare::Pairs;
use crate::store::{Append, LogId, check, frame, key};
use crate::world::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

/// Which records are there, as ranges of indexes that do not touch.
#[derive(Debug, Default)]
pub(super) struct Coverage(HashMap<LogId, BTreeMap<u64, u64>>);

impl Coverage {
    /// What is in the generations that are sound.
    pub(super) fn of(survey: &Survey) -> Self {
        let mut coverage = Self::default();
        let sound = survey.generations.values().filter(|found| !found.damaged);
        for found in sound.flat_map(|found| &found.stretches) {
            coverage.add(found.log, found.first.0, found.last.0);
        }
        coverage
    }

    pub(super) fn extend<'a>(&mut self, segments: impl Iterator<Item = &'a Segment>) {
        for segment in segments {
            let last = segment.index(segment.len() - 1);
            self.add(segment.log(), segment.index(0), last);
        }
    }

    fn add(&mut self, log: LogId, first: u64, last: u64) {
        let ranges = self.0.entry(log).or_default();
        let (mut first, mut last) = (first, last);
        while let Some((start, end)) = ranges.range(..=last).next_back()
            && *end >= first
        {
            let start = *start;
            last = last.max(*end);
            first = first.min(start);
            ranges.remove(&start);
        }
        ranges.insert(first, last);
    }

    /// Whether any of the records from `first` to `last` are there.
    fn touches(&self, log: LogId, first: u64, last: u64) -> bool {
        let before = self
            .0
            .get(&log)
            .and_then(|ranges| ranges.range(..=last).next_back());
        before.is_some_and(|(_, end)| *end >= first)
    }
}

/// A record that is to be packed again.
struct Loose {
    arrival: Timestamp,
    partition_key: Option<String>,
    data: Vec<u8>,
    encrypted: bool,
}

/// What is worth keeping of a generation.
#[derive(Default)]
pub(super) struct Salvage {
    /// Whole segments by log and first index.
    segments: BTreeMap<(LogId, u64), Segment>,
    loose: BTreeMap<(LogId, u64), Loose>,
}

impl Salvage {
    /// Reads the generation at `path` for what is not there yet.
    pub(super) fn of(path: &Path, coverage: &Coverage) -> io::Result<Self> {
        let mut salvage = Self::default();
        let mut database = Offline::open(path)?;
        database.each(&mut |leaf, _| salvage.add_segments(leaf))?;
        salvage.drop_doubles(coverage);
        let mut own = Coverage::default();
        own.extend(salvage.segments.values());
        let mut database = Offline::open(path)?;
        database.each(&mut |leaf, _| salvage.add_frames(leaf, &[coverage, &own]))?;
        Ok(salvage)
    }

    fn add_segments(&mut self, leaf: Leaf) {
        for (key, value) in leaf.pairs.into_iter().filter(|(key, _)| key.len() == 8) {
            let Some(segment) = key::number(&key).and_then(|_| Segment::parse(value).ok()) else {
                continue;
            };
            let place = (segment.log(), segment.index(0));
            let known = self.segments.get(&place).map_or(0, Records::len);
            if segment.len() > known {
                self.segments.insert(place, segment);
            }
        }
    }

    /// Takes segments apart of which something is there already.
    fn drop_doubles(&mut self, coverage: &Coverage) {
        let mut own = Coverage::default();
        for ((log, first), segment) in std::mem::take(&mut self.segments) {
            let last = segment.index(segment.len() - 1);
            let known = [coverage, &own];
            if known.iter().any(|known| known.touches(log, first, last)) {
                let run = segment.slice(0..segment.len());
                for record in run.iter() {
                    self.add_record(log, record, &known);
                }
            } else {
                own.add(log, first, last);
                self.segments.insert((log, first), segment);
            }
        }
    }

    fn add_frames(&mut self, leaf: Leaf, known: &[&Coverage]) {
        for (_, value) in leaf.pairs.iter().filter(|(key, _)| key.len() == 12) {
            for (log, packed) in frame::runs(value).unwrap_or_default() {
                for record in unpack(packed) {
                    self.add_record(log, record, known);
                }
            }
        }
    }

    fn add_record(
        &mut self,
        log: LogId,
        record: crate::store::RecordView<'_>,
        known: &[&Coverage],
    ) {
        let index = record.index;
        if known.iter().any(|known| known.touches(log, index, index)) {
            return;
        }
        self.loose.entry((log, index)).or_insert_with(|| Loose {
            arrival: record.arrival,
            partition_key: record.partition_key.map(str::to_owned),
            data: record.data.to_vec(),
            encrypted: record.encrypted,
        });
    }

    /// All of it as segments, none with records of another one, here or there already, inside.
    pub(super) fn into_segments(self, coverage: &Coverage) -> Vec<Segment> {
        let mut own = Coverage::default();
        own.extend(self.segments.values());
        let mut segments: Vec<Segment> = self.segments.into_values().collect();
        let mut tail = Tail::default();
        let mut before: Option<(LogId, u64)> = None;
        for ((log, index), record) in self.loose {
            if let Some((last_log, last)) = before {
                let apart = last_log != log
                    || [coverage, &own]
                        .iter()
                        .any(|known| known.touches(log, last, index));
                if apart || tail.size() >= limits::SEGMENT_BYTES {
                    segments.push(tail.seal(last_log));
                }
            }
            let append = Append {
                index,
                arrival: record.arrival,
                partition_key: record.partition_key.as_deref(),
                data: &record.data,
                encrypted: record.encrypted,
            };
            tail.push(&append, record.arrival);
            before = Some((log, index));
        }
        if let Some((log, _)) = before {
            segments.push(tail.seal(log));
        }
        segments
    }
}

/// What can be read of damaged metadata.
pub(super) struct SalvagedMeta {
    pub(super) pairs: Pairs,
    /// Some of it may be older than what is lost.
    pub(super) is_guessed: bool,
    /// The highest number of a file of the engine's metadata.
    pub(super) newest_file: u64,
}

/// Reads the metadata at `path`. What its leaves do not say any more is taken from the second copy
/// of it, `spare`, and where that is damaged, too, from what older leaves said.
pub(super) fn metadata(path: &Path, spare: &(Pairs, bool)) -> io::Result<SalvagedMeta> {
    let newest_file = remains::numbered(&path.join("metadata"))
        .unwrap_or_default()
        .into_iter()
        .map(|(_, number)| number)
        .max()
        .unwrap_or(0);
    let (mut known, mut strays) = (Vec::new(), Vec::new());
    let mut database = Offline::open(path)?;
    database.each(&mut |leaf, standing| match standing {
        Standing::Known => known.push(leaf),
        Standing::Stray => strays.push(leaf),
    })?;
    // Otherwise it is not known which leaves are the last.
    let certain = !database.flaws.is_empty() && database.flaws.iter().all(|flaw| flaw.leaves > 0);
    let copied = spare.1 && spare.0.contains_key(key::EPOCH);
    let mut pairs = spare.0.clone();
    if !copied {
        let leaves = if certain {
            strays
        } else {
            [known.clone(), strays].concat()
        };
        newest(leaves, &mut pairs);
    }
    if certain {
        pairs.retain(|key, _| !known.iter().any(|leaf| covers(leaf, key)));
        pairs.extend(known.into_iter().flat_map(check::metadata));
    }
    Ok(SalvagedMeta {
        pairs,
        is_guessed: !copied,
        newest_file,
    })
}

/// Adds what the leaves say that were changed most often.
fn newest(mut leaves: Vec<Leaf>, pairs: &mut Pairs) {
    leaves.sort_by_key(|leaf| leaf.changes);
    let found: Pairs = leaves.into_iter().flat_map(check::metadata).collect();
    for (key, value) in found {
        pairs.entry(key).or_insert(value);
    }
}

/// Whether a leaf, which has to be of the tree of our metadata, is where the key would be.
fn covers(leaf: &Leaf, key: &[u8]) -> bool {
    let below = leaf.high.as_deref().is_none_or(|high| key < high);
    is_meta(leaf) && leaf.low.as_slice() <= key && below
}

/// Whether a leaf is of the tree of our metadata, not one of the engine's own.
fn is_meta(leaf: &Leaf) -> bool {
    let ours = |key: &[u8]| key::metadata(key) != key::Metadata::Unknown;
    leaf.pairs.iter().any(|(key, _)| ours(key))
}
