//! A database of the storage engine, read without the engine.
//!
//! The engine cannot be asked whether its files are whole: an opening rewrites them, where one of
//! its logs is damaged it forgets everything after the damage without a word, and where it cannot
//! find what its metadata promised it looks for ever. So before an opening, and in a check, its
//! files are read here, and nothing is written.
//!
//! A database is a folder of `metadata` (`journal.rs`), which says in which file and slot every
//! leaf of its trees lies, and of `slabs` (`leaf.rs`), one file for each size of slot.

mod journal;
mod leaf;
mod lookup;

pub(crate) use leaf::Leaf;
pub(crate) use lookup::Lookup;

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// What is wrong with a file of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) file: PathBuf,
    pub(crate) problem: String,
    /// Leaves that cannot be read for that; none where the file holds no leaves.
    pub(crate) leaves: u64,
}

impl Flaw {
    fn new(file: PathBuf, problem: impl Into<String>) -> Self {
        Self {
            file,
            problem: problem.into(),
            leaves: 0,
        }
    }
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().display().to_string();
        let folder = name(self.file.parent().and_then(Path::file_name));
        let file = name(self.file.file_name());
        write!(formatter, "{folder}/{file} is damaged: {}", self.problem)
    }
}

/// Where a leaf lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Slot {
    /// Which of the slab files, from the smallest slots on.
    slab: u8,
    number: u64,
}

/// What a leaf that was read is to its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is part of it.
    Known,
    /// It is in a slot that is free: an older state, what was removed, or what a commit that did
    /// not end has left.
    Stray,
}

/// A database on its disk.
#[derive(Debug)]
pub(crate) struct Offline {
    path: PathBuf,
    /// The leaves by their slots, each with its lowest key.
    leaves: BTreeMap<Slot, Vec<u8>>,
    pub(crate) flaws: Vec<Flaw>,
    /// The log that ends within a commit, if one does.
    pub(crate) cut: Option<PathBuf>,
}

impl Offline {
    /// Reads the metadata of the database at `path`.
    ///
    /// # Errors
    /// When a file cannot be read at all, which says nothing about what is in it.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut database = Self {
            path: path.to_path_buf(),
            leaves: BTreeMap::new(),
            flaws: Vec::new(),
            cut: None,
        };
        if let Some(problem) = not_a_folder(path)? {
            database.flaws.push(Flaw::new(path.to_path_buf(), problem));
            return Ok(database);
        }
        database
            .flaws
            .extend(cookie(&path.join("durability_cookie"))?);
        let holds_leaves = database.holds_leaves()?;
        let journal = journal::read(&path.join("metadata"), holds_leaves)?;
        database.leaves = journal.leaves;
        database.flaws.extend(journal.flaws);
        database.cut = journal.cut;
        Ok(database)
    }

    /// The first flaw of the whole database, as an error.
    ///
    /// # Errors
    /// That flaw, or why a file cannot be read.
    pub(crate) fn verify(path: &Path) -> io::Result<()> {
        if !path.exists() {
            return Ok(());
        }
        let mut database = Self::open(path)?;
        if database.flaws.is_empty() {
            database.each_known(&mut |_| {})?;
        }
        if let Some(log) = &database.cut {
            tracing::warn!(
                "{} ends within a commit, as a power cut leaves it: that commit was not \
                 acknowledged, and is left out",
                log.display()
            );
        }
        database.flaws.first().map_or(Ok(()), |flaw| {
            Err(io::Error::new(io::ErrorKind::InvalidData, flaw.to_string()))
        })
    }

    /// True when something was written to a slab, so that there has to be metadata. What is no
    /// file at all is a flaw, also where no leaf lies in it: the engine opens them all.
    fn holds_leaves(&mut self) -> io::Result<bool> {
        let mut holds = false;
        for slab in 0..leaf::SLABS {
            let path = self.slab_path(slab);
            match std::fs::metadata(&path) {
                Ok(found) if found.is_dir() => {
                    self.flaws.push(Flaw::new(path, "it is a folder"));
                }
                Ok(file) => holds |= file.len() > 0,
                Err(error) if is_absence(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(holds)
    }

    /// Whether a file is named among the flaws already.
    fn is_flawed(&self, path: &Path) -> bool {
        self.flaws.iter().any(|flaw| flaw.file == path)
    }

    fn slab_path(&self, slab: u8) -> PathBuf {
        self.path
            .join("slabs")
            .join(leaf::slot_size(slab).to_string())
    }

    /// Reads every leaf of the database; those that cannot be are noted as flaws.
    ///
    /// # Errors
    /// When a file cannot be read at all.
    pub(crate) fn each_known(&mut self, visit: &mut dyn FnMut(Leaf)) -> io::Result<()> {
        let leaves = std::mem::take(&mut self.leaves);
        for slab in 0..leaf::SLABS {
            let of_slab = |number| Slot { slab, number };
            let mut slots = leaves.range(of_slab(0)..=of_slab(u64::MAX)).peekable();
            if slots.peek().is_none() {
                continue;
            }
            let path = self.slab_path(slab);
            let file = open_file(&path)?;
            let (mut damaged, mut first) = (0, None);
            for (slot, low) in slots {
                let read = match &file {
                    Ok(file) => leaf::read(file, slot.slab, slot.number)?,
                    Err(problem) => Err(*problem),
                };
                match read {
                    Ok(leaf) if leaf.low == *low => visit(leaf),
                    Ok(_) => {
                        (damaged, first) = (
                            damaged + 1,
                            first.or(Some("it holds another leaf than the metadata says")),
                        )
                    }
                    Err(problem) => (damaged, first) = (damaged + 1, first.or(Some(problem))),
                }
            }
            if let Some(problem) = first.filter(|_| !self.is_flawed(&path)) {
                let mut flaw = Flaw::new(path, problem);
                flaw.leaves = damaged;
                self.flaws.push(flaw);
            }
        }
        self.leaves = leaves;
        Ok(())
    }

    /// Reads every leaf that is whole, wherever it lies: first those of the database, then those
    /// in free slots.
    ///
    /// # Errors
    /// When a file cannot be read at all.
    pub(crate) fn each(&mut self, visit: &mut dyn FnMut(Leaf, Standing)) -> io::Result<()> {
        self.each_known(&mut |leaf| visit(leaf, Standing::Known))?;
        let known: HashSet<Slot> = self.leaves.keys().copied().collect();
        for slab in 0..leaf::SLABS {
            let Ok(file) = open_file(&self.slab_path(slab))? else {
                continue;
            };
            for number in 0..file.metadata()?.len() / leaf::slot_size(slab) {
                let slot = Slot { slab, number };
                let lists = known.get(&slot).and_then(|slot| self.leaves.get(slot));
                if let Ok(leaf) = leaf::read(&file, slab, number)?
                    && lists != Some(&leaf.low)
                {
                    visit(leaf, Standing::Stray);
                }
            }
        }
        Ok(())
    }

    /// How many leaves the metadata knows.
    pub(crate) fn len(&self) -> usize {
        self.leaves.len()
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// What is wrong with a path that should be a folder, if anything.
fn not_a_folder(path: &Path) -> io::Result<Option<&'static str>> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(None),
        Ok(_) => Ok(Some("it is not a folder")),
        Err(error) if is_absence(&error) => Ok(Some("it is missing")),
        Err(error) => Err(error),
    }
}

/// Opens a file, or says why it is none.
fn open_file(path: &Path) -> io::Result<Result<File, &'static str>> {
    match File::open(path) {
        Ok(file) if file.metadata()?.is_dir() => Ok(Err("it is a folder")),
        Ok(file) => Ok(Ok(file)),
        Err(error) if is_absence(&error) => Ok(Err("it is missing")),
        Err(error) => Err(error),
    }
}

/// The engine's file of settings: sixty bytes and a checksum. A new database has none yet.
fn cookie(path: &Path) -> io::Result<Option<Flaw>> {
    let flaw = |problem: &str| Some(Flaw::new(path.to_path_buf(), problem));
    match std::fs::read(path) {
        Ok(bytes) => Ok(match bytes.split_first_chunk::<60>() {
            Some((settings, checksum)) if checksum.get(..4) == Some(&checksum_of(settings)) => None,
            _ => flaw("its checksum is wrong"),
        }),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => Ok(flaw("it is a folder")),
        Err(error) => Err(error),
    }
}

/// The engine's checksum.
fn checksum_of(bytes: &[u8]) -> [u8; 4] {
    (crc32fast::hash(bytes) ^ 0xAF).to_le_bytes()
}
