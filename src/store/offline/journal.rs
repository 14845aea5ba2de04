//! The metadata of a database: a snapshot of where its leaves lie, and logs of what came later.
//!
//! Both are frames: `length u48 | checksum of the length u16`, the compressed places, and a
//! checksum of both. A snapshot is one frame. A log may end inside one, for a kill or a power cut
//! in a commit leaves that; but the engine takes every frame it cannot read for such an end.

use super::{Flaw, Slot, checksum_of, is_absence, not_a_folder};
use crate::store::remains::{LOG, SNAPSHOT, name, numbered};
use crate::store::segment::u64_at;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Places larger than this are not ours: a database has some hundred leaves, and some thousand
/// when every commit is of one record.
const LARGEST: u64 = 256 << 20;

#[derive(Debug, Default)]
pub(super) struct Journal {
    pub(super) leaves: BTreeMap<Slot, Vec<u8>>,
    pub(super) flaws: Vec<Flaw>,
    /// The log that ends within a frame.
    pub(super) cut: Option<PathBuf>,
}

/// Where an object lies and its lowest key; `None` when it was removed.
type Place = Option<(Slot, Vec<u8>)>;
type Objects = HashMap<u64, Place>;

/// Reads the metadata in `folder`; `expected` when there has to be some.
pub(super) fn read(folder: &Path, expected: bool) -> io::Result<Journal> {
    let mut journal = Journal::default();
    if let Some(problem) = not_a_folder(folder)? {
        if expected || problem != "it is missing" {
            journal.flaws.push(Flaw::new(folder.to_path_buf(), problem));
        }
        return Ok(journal);
    }
    let found = numbered(folder)?;
    let of_kind = |kind: &'static str| {
        let numbers = found.iter().filter(move |(of, _)| *of == kind);
        numbers.map(|(_, number)| *number)
    };
    let newest = of_kind(SNAPSHOT).max();
    let mut logs: Vec<u64> = of_kind(LOG)
        .filter(|log| newest.is_none_or(|newest| *log > newest))
        .collect();
    logs.sort_unstable();
    let Some(newest) = newest else {
        if expected || !logs.is_empty() {
            let problem = "its snapshot is missing";
            journal.flaws.push(Flaw::new(folder.to_path_buf(), problem));
        }
        return Ok(journal);
    };
    let mut objects = Objects::new();
    let path = folder.join(name(SNAPSHOT, newest));
    match bytes(&path)?.and_then(|bytes| Frame::first(&bytes)?.places(&mut objects)) {
        Ok(()) => {}
        Err(problem) => journal.flaws.push(Flaw::new(path, problem)),
    }
    for (log, due) in logs.iter().zip(newest + 1..) {
        let path = folder.join(name(LOG, *log));
        if *log != due {
            let missing = folder.join(name(LOG, due));
            journal.flaws.push(Flaw::new(missing, "it is missing"));
            break;
        }
        match bytes(&path)?.and_then(|bytes| read_log(&bytes, &mut objects)) {
            Ok(true) => {}
            Ok(false) if logs.last() == Some(log) => journal.cut = Some(path),
            // The engine begins the next log only when the last commit of this one is whole.
            Ok(false) => journal
                .flaws
                .push(Flaw::new(path, "it ends within a commit")),
            Err(problem) => journal.flaws.push(Flaw::new(path, problem)),
        }
    }
    journal.leaves = objects.into_values().flatten().collect();
    Ok(journal)
}

fn bytes(path: &Path) -> io::Result<Result<Vec<u8>, String>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Ok(bytes)),
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
            Ok(Err("it is a folder".to_owned()))
        }
        Err(error) if is_absence(&error) => Ok(Err("it is missing".to_owned())),
        Err(error) => Err(error),
    }
}

/// Reads the frames of a log; false when it ends within one.
fn read_log(bytes: &[u8], objects: &mut Objects) -> Result<bool, String> {
    let mut at = 0;
    while at < bytes.len() {
        let Ok(frame) = Frame::first(&bytes[at..]) else {
            // What was written later is there, so it is not a torn end.
            let later = (at + 1..bytes.len()).any(|later| Frame::first(&bytes[later..]).is_ok());
            let torn = Frame::is_cut(&bytes[at..]) || bytes[at..].iter().all(|byte| *byte == 0);
            if later || !torn {
                return Err(format!("a checksum is wrong at byte {at}"));
            }
            return Ok(false);
        };
        frame.places(objects)?;
        at += frame.length;
    }
    Ok(true)
}

/// A frame that is whole.
struct Frame<'a> {
    places: &'a [u8],
    /// Bytes of all of it.
    length: usize,
}

impl<'a> Frame<'a> {
    fn first(bytes: &'a [u8]) -> Result<Self, String> {
        let wrong = || "its checksum is wrong".to_owned();
        let length = Self::declared(bytes).ok_or_else(wrong)?;
        let whole = bytes.get(..length + 12).ok_or("it is too short")?;
        let (rest, checksum) = whole.split_at(length + 8);
        if checksum != checksum_of(rest) {
            return Err(wrong());
        }
        Ok(Self {
            places: &rest[8..],
            length: length + 12,
        })
    }

    /// The length of the places in the frame that begins here, if one does.
    fn declared(bytes: &[u8]) -> Option<usize> {
        let (length, checksum) = bytes.get(..8)?.split_at(6);
        let found = u64_at(&[length, &[0, 0]].concat(), 0);
        let right = &crc32fast::hash(length).to_le_bytes()[..2];
        (checksum == right && found <= LARGEST)
            .then(|| usize::try_from(found).ok())
            .flatten()
    }

    /// True when a frame begins here and the file ends before it does.
    fn is_cut(bytes: &[u8]) -> bool {
        bytes.len() < 8 || Self::declared(bytes).is_some_and(|length| bytes.len() < length + 12)
    }

    fn places(&self, objects: &mut Objects) -> Result<(), String> {
        let broken = |_| "its places cannot be read".to_owned();
        let mut plain = Vec::new();
        zstd::stream::read::Decoder::with_buffer(self.places)
            .and_then(|decoder| decoder.take(LARGEST).read_to_end(&mut plain))
            .map_err(broken)?;
        let mut rest = plain.as_slice();
        while let Some((header, after)) = rest.split_first_chunk::<32>() {
            let [object, _tree, location, length] =
                std::array::from_fn(|at| u64_at(header, 8 * at));
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let (low, after) = after
                .split_at_checked(length)
                .ok_or("its places cannot be read")?;
            objects.insert(object, slot(location).map(|slot| (slot, low.to_vec())));
            rest = after;
        }
        Ok(())
    }
}

/// The slot that a location names: the slab, counted from one, and in seven bytes its slot.
fn slot(location: u64) -> Option<Slot> {
    let slab = u8::try_from(location >> 56).ok()?.checked_sub(1)?;
    let number = location & (u64::MAX >> 8);
    Some(Slot { slab, number })
}
