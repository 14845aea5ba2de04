//! The disk of a data directory, with sled databases. Only `sled/database.rs` uses sled.
//!
//! The code works around seven faults of sled:
//! - sled flushes when a handle of a database or an iterator over its keys is dropped. After a
//!   failed flush, the next flush blocks for ever. Therefore the code never drops the handles of a
//!   database after a failed flush or write.
//! - sled panics where other libraries return errors. `guard.rs` turns each panic into an error.
//! - If the disk is full, the thread of sled that flushes aborts the process. The code never starts
//!   this thread.
//! - After a panic during the opening of a damaged database, the opening never returns, because
//!   sled's clean-up waits for the thread that flushes. Therefore a panic hook reports the panic
//!   immediately, and openings have a time limit.
//! - With damaged metadata, sled searches for ever for a leaf that does not exist. Therefore the
//!   read of a whole database has a time limit.
//! - A kill of the process during an opening can lose data. `repair.rs` prevents the loss.
//! - sled silently drops a damaged part of its log and everything after this part. The file `marks`
//!   and the summaries of generations reveal the loss.

mod database;
mod flusher;
mod guard;
mod repair;
mod wal;

use super::directory;
use super::layout::{Layout, Name};
use super::seam::{Claim, Disk, GenerationHandle, MetadataHandle};
use crate::limits::LOCK_TRIES;
use crate::store::error::OpenError;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

pub(super) use database::SledDatabase;

/// A data directory with sled databases.
#[derive(Debug)]
pub(crate) struct SledDisk {
    pub(super) layout: Layout,
    lock_tries: u32,
    /// The file `marks`. The first commit opens the file, and the file stays open for later
    /// commits.
    marks: OnceLock<File>,
}

impl SledDisk {
    pub(crate) fn new(layout: Layout) -> Self {
        Self::trying(layout, LOCK_TRIES)
    }

    /// Creates the disk of a data directory. `lock_tries` is the maximum number of attempts to lock
    /// the directory.
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
