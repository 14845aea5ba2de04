//! The disk of a data directory, with sled databases. No other file uses sled.
//!
//! The code works around seven faults of sled:
//! - sled flushes when a handle of a database or an iterator over its keys is dropped. After a
//!   failed flush, the next flush blocks for ever. After a failure, the code therefore never drops
//!   the handles.
//! - sled panics where other libraries return errors. `guard.rs` turns each panic into an error.
//! - If the disk is full, sled's flusher thread aborts the process. The code never starts this
//!   thread.
//! - A panic during the opening of a damaged database never unwinds, because sled's clean-up waits
//!   for the flusher thread. A panic hook reports the panic immediately, and openings have a time
//!   limit.
//! - With damaged metadata, sled searches for ever for a leaf that does not exist. Reading a whole
//!   database therefore has a time limit.
//! - A kill of the process during an opening can lose data. `repair.rs` prevents the loss.
//! - Behind a damaged part of its log, sled silently drops the rest of the log. The file `marks`
//!   and the summaries of generations reveal the loss.

mod guard;
mod repair;

use super::directory;
use super::layout::{Layout, Name};
use super::seam::{Claim, Disk, GenerationHandle, MetadataHandle, Stored};
use crate::limits::{
    DATABASE_CACHE_BYTES, LOCK_TRIES, SLED_LEAF_FANOUT, SLED_READ_AHEAD, SLED_READ_LIMIT,
};
use crate::store::error::OpenError;
use crate::store::format::key::{self, Pair};
use ::sled as engine;
use bytes::Bytes;
use guard::{guarded, limited, retry_while_locked};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, OnceLock};

type Tree = engine::Tree<SLED_LEAF_FANOUT>;

/// The compression level of sled: the lowest one. Records are then stored uncompressed, nearly at
/// the speed of a copy.
const COMPRESSION: i32 = -131_072;

/// The smallest fraction of a file of sled that must be in use. sled rewrites a file of which a
/// smaller fraction is in use.
const FILL_RATIO: f32 = 0.3;

/// A data directory with sled databases.
#[derive(Debug)]
pub(crate) struct SledDisk {
    pub(super) layout: Layout,
    lock_tries: u32,
    /// The file `marks`. The first commit opens the file, and it stays open for later commits.
    marks: OnceLock<File>,
}

impl SledDisk {
    pub(crate) fn new(layout: Layout) -> Self {
        Self::trying(layout, LOCK_TRIES)
    }

    /// Creates the disk of a data directory. It tries up to `lock_tries` times to lock the
    /// directory.
    pub(crate) fn trying(layout: Layout, lock_tries: u32) -> Self {
        Self {
            layout,
            lock_tries,
            marks: OnceLock::new(),
        }
    }
}

impl Disk for SledDisk {
    fn claim(&self) -> Result<Box<dyn Claim>, OpenError> {
        Ok(Box::new(directory::claim(&self.layout, self.lock_tries)?))
    }

    fn open_metadata(&self) -> io::Result<Box<dyn MetadataHandle>> {
        Ok(Box::new(SledDatabase::open(&self.layout.metadata())?))
    }

    fn open(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>> {
        Ok(Box::new(SledDatabase::open(
            &self.layout.generation(number),
        )?))
    }

    fn open_copy(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>> {
        let path = self.layout.generation(number);
        Ok(Box::new(SledDatabase::open_copy(&path)?))
    }

    fn generations(&self) -> io::Result<Vec<u64>> {
        let names = directory::names(&self.layout)?;
        for name in &names {
            if Layout::parse(name) == Name::Dead {
                std::fs::remove_dir_all(self.layout.directory().join(name))?;
            }
        }
        Ok(directory::generations(&names))
    }

    fn holds(&self, number: u64) -> bool {
        self.layout.generation(number).is_dir()
    }

    fn set_aside(&self, number: u64) -> io::Result<String> {
        let aside = self.layout.set_aside(number);
        std::fs::rename(self.layout.generation(number), &aside)?;
        Ok(aside.display().to_string())
    }

    fn bury(&self, number: u64) -> io::Result<()> {
        std::fs::rename(self.layout.generation(number), self.layout.dead(number))
    }

    fn remove_buried(&self, number: u64) -> io::Result<()> {
        std::fs::remove_dir_all(self.layout.dead(number))
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        std::fs::remove_dir_all(self.layout.generation(number))
    }

    fn sync(&self) -> io::Result<()> {
        directory::sync_names(self.layout.directory())
    }

    fn write_marks(&self, marks: &[u8]) -> io::Result<()> {
        let file = match self.marks.get() {
            Some(file) => file,
            None => {
                let file = directory::open_marks(&self.layout)?;
                self.marks.get_or_init(|| file)
            }
        };
        file.write_all_at(marks, 0)
    }

    fn marks(&self) -> io::Result<Vec<u8>> {
        directory::read_marks(&self.layout)
    }

    fn metadata_name(&self) -> String {
        self.layout.metadata().display().to_string()
    }

    fn name(&self, number: u64) -> String {
        self.layout.generation(number).display().to_string()
    }
}

/// A handle of an open sled database: a generation or the database `meta`.
pub(super) struct SledDatabase {
    /// The handles of sled. `None` only while this value is dropped.
    handles: Option<Handles>,
    /// True if a write failed through any handle of this database.
    failed: Arc<AtomicBool>,
    /// The temporary folder of a database that is a copy. The last handle of the database removes
    /// the folder.
    copy: Option<Arc<tempfile::TempDir>>,
}

struct Handles {
    _database: Option<engine::Db<SLED_LEAF_FANOUT>>,
    main: Tree,
    commits: Tree,
}

impl SledDatabase {
    /// Opens the database at `path`. Creates the database if it does not exist.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let config = engine::Config {
            target_heap_file_fill_ratio: FILL_RATIO,
            ..engine::Config::new()
                .path(path)
                .cache_capacity_bytes(DATABASE_CACHE_BYTES)
                .flush_every_ms(None)
                .zstd_compression_level(COMPRESSION)
        };
        let path = path.to_path_buf();
        limited(move || {
            repair::repair(&path)?;
            let database = retry_while_locked(|| config.open::<SLED_LEAF_FANOUT>())?;
            let commits = database.open_tree("commits")?;
            let main = (*database).clone();
            let handles = Handles {
                _database: Some(database),
                main,
                commits,
            };
            Ok(Self {
                handles: Some(handles),
                failed: Arc::default(),
                copy: None,
            })
        })
    }

    /// Opens a copy of the database at `path`. The copy is empty if no database exists at `path`.
    pub(super) fn open_copy(path: &Path) -> io::Result<Self> {
        let copy = tempfile::Builder::new().prefix("minikin-").tempdir()?;
        if path.exists() {
            copy_folder(path, copy.path())?;
        }
        let mut database = Self::open(copy.path())?;
        database.copy = Some(Arc::new(copy));
        Ok(database)
    }

    fn handles(&self) -> &Handles {
        let handles = self.handles.as_ref();
        handles.expect("handles are there until the drop")
    }

    fn write<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if self.failed.load(Ordering::Acquire) {
            return Err(io::Error::other("an earlier write failed"));
        }
        let result = guarded(act);
        if result.is_err() {
            self.failed.store(true, Ordering::Release);
        }
        result
    }

    fn insert(&self, tree: &Tree, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.write(|| tree.insert(key, value).map(drop))
    }

    fn flush(&self) -> io::Result<()> {
        self.write(|| self.handles().main.flush().map(drop))
    }

    fn get(&self, tree: &Tree, key: &[u8]) -> io::Result<Option<Bytes>> {
        guarded(|| Ok(tree.get(key)?.map(Bytes::from_owner)))
    }

    /// Calls `visit` for each key and value of `tree` in the order of the keys. A second thread
    /// reads the tree, so that the caller can abandon a read that never ends.
    fn each(&self, tree: &Tree, visit: &mut dyn FnMut(&[u8], Bytes)) -> io::Result<()> {
        let tree = tree.clone();
        let (sender, receiver) = sync_channel(SLED_READ_AHEAD);
        let read = move || {
            let read = guarded(|| {
                for pair in tree.iter() {
                    let (key, value) = pair?;
                    if sender.send(Ok(Some((key, value)))).is_err() {
                        break;
                    }
                }
                Ok(None)
            });
            // The tree is dropped before the end is sent, because the receiver may close the
            // database as soon as it gets the end.
            drop(tree);
            let _given_up = sender.send(read);
        };
        std::thread::Builder::new()
            .name("reading".into())
            .spawn(read)?;
        loop {
            match receiver.recv_timeout(SLED_READ_LIMIT) {
                Ok(Ok(Some((key, value)))) => visit(&key, Bytes::from_owner(value)),
                Ok(end) => return end.map(drop),
                Err(_) => {
                    self.failed.store(true, Ordering::Release);
                    return Err(io::Error::other("sled did not read the database in time"));
                }
            }
        }
    }
}

impl GenerationHandle for SledDatabase {
    fn append(&self, number: u32, segment: &[u8]) -> io::Result<()> {
        self.insert(&self.handles().main, &key::segment(number), segment)
    }

    fn append_frame(&self, commit: u64, part: u32, frame: &[u8]) -> io::Result<()> {
        self.insert(&self.handles().commits, &key::commit(commit, part), frame)
    }

    fn commit(&self) -> io::Result<()> {
        self.flush()
    }

    fn read(&self, number: u32) -> io::Result<Option<Bytes>> {
        self.get(&self.handles().main, &key::segment(number))
    }

    fn scan(&self, visit: &mut dyn FnMut(Stored)) -> io::Result<()> {
        let Handles { main, commits, .. } = self.handles();
        self.each(main, &mut |key, bytes| {
            let number = key::number(key).and_then(|number| u32::try_from(number).ok());
            if let Some(number) = number {
                visit(Stored::Segment(number, bytes));
            }
        })?;
        self.each(commits, &mut |key, bytes| {
            if let Some(commit) = key::number(key) {
                visit(Stored::Frame(commit, bytes));
            }
        })
    }

    fn another(&self) -> Box<dyn GenerationHandle> {
        let Handles { main, commits, .. } = self.handles();
        let handles = Handles {
            _database: None,
            main: main.clone(),
            commits: commits.clone(),
        };
        Box::new(Self {
            handles: Some(handles),
            failed: self.failed.clone(),
            copy: self.copy.clone(),
        })
    }
}

impl MetadataHandle for SledDatabase {
    fn save(&self, changes: &[Pair]) -> io::Result<u64> {
        let saves = self.saves()? + 1;
        let Handles { main, commits, .. } = self.handles();
        for (key, value) in changes {
            match value {
                Some(value) => self.insert(main, key, value)?,
                None => self.write(|| main.remove(key).map(drop))?,
            }
        }
        self.insert(commits, key::SAVES, &saves.to_be_bytes())?;
        self.flush()?;
        Ok(saves)
    }

    fn saves(&self) -> io::Result<u64> {
        let saves = self.get(&self.handles().commits, key::SAVES)?;
        Ok(saves.and_then(|saves| key::number(&saves)).unwrap_or(0))
    }

    fn scan(&self, visit: &mut dyn FnMut(&[u8], Bytes)) -> io::Result<()> {
        self.each(&self.handles().main, visit)
    }
}

impl Drop for SledDatabase {
    fn drop(&mut self) {
        let handles = self.handles.take();
        if self.failed.load(Ordering::Acquire) {
            // The handles are never dropped, because dropping them would start a flush that never
            // returns.
            std::mem::forget(handles);
            return;
        }
        let closed = guarded(|| {
            drop(handles);
            Ok(())
        });
        if let Err(error) = closed {
            tracing::warn!(%error, "closing a database failed");
        }
    }
}

/// Copies the contents of the folder `from` to the folder `to`.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir(&target)?;
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
