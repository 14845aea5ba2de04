//! The seam between the store and a disk: generations, metadata, and the directory of both.

use crate::store::error::OpenError;
use crate::store::format::key::Pair;
use bytes::Bytes;
use std::io;

/// A stored value of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stored {
    /// A segment and its number.
    Segment(u32, Bytes),
    /// A part of a commit frame and the number of its commit.
    Frame(u64, Bytes),
}

/// A handle on an open generation. Several may exist; one thread at a time uses each.
pub(crate) trait GenerationHandle: Send {
    /// Appends a segment under a number; durable after the next commit.
    fn append(&self, number: u32, segment: &[u8]) -> io::Result<()>;
    /// Appends a part of a commit frame; durable after the next commit.
    fn append_frame(&self, commit: u64, part: u32, frame: &[u8]) -> io::Result<()>;
    /// Makes everything since the last commit durable, all of it or nothing.
    fn commit(&self) -> io::Result<()>;
    /// Reads the segment with a number, if it is there.
    fn read(&self, number: u32) -> io::Result<Option<Bytes>>;
    /// Visits every segment in the order of the numbers, and then every commit frame in the order
    /// of the commits. Only before the first append: sled flushes when a cursor is dropped, which
    /// would tear a commit.
    fn scan(&self, visit: &mut dyn FnMut(Stored)) -> io::Result<()>;
    /// A second handle on the same generation.
    fn another(&self) -> Box<dyn GenerationHandle>;
}

/// The metadata. One thread at a time uses it.
pub(crate) trait MetadataHandle: Send {
    /// Makes changes durable, all of them or none, and returns the number of saves.
    fn save(&self, changes: &[Pair]) -> io::Result<u64>;
    /// The number of saves since the metadata was made.
    fn saves(&self) -> io::Result<u64>;
    /// Visits every key in order. Only before the first save.
    fn scan(&self, visit: &mut dyn FnMut(&[u8], Bytes)) -> io::Result<()>;
}

/// A hold on a data directory, given up when it is dropped.
pub(crate) trait Claim: Send {
    /// Checks that the directory is still the one that was claimed.
    ///
    /// # Errors
    /// When the directory was removed or replaced.
    fn verify(&self) -> io::Result<()>;
}

/// A data directory, or a substitute for one: temporary files, a simulated disk, a directory that
/// is only read. A call that a substitute has no use for does nothing.
pub(crate) trait Disk: Send + Sync {
    /// Claims the directory for this process.
    fn claim(&self) -> Result<Box<dyn Claim>, OpenError>;
    /// Opens the metadata, and makes it where there is none.
    fn open_metadata(&self) -> io::Result<Box<dyn MetadataHandle>>;
    /// Opens a generation, and makes it where there is none.
    fn open(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>>;
    /// Opens a copy of a generation, to read it where the disk cannot be written. The copy is in
    /// the machine's temporary directory.
    fn open_copy(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>>;
    /// The numbers of the generations, in order. Removes the buried generations.
    fn generations(&self) -> io::Result<Vec<u64>>;
    /// True when there is a generation of this number.
    fn holds(&self, number: u64) -> bool;
    /// Renames a damaged generation, and returns its new name.
    fn set_aside(&self, number: u64) -> io::Result<String>;
    /// Renames a generation that is to be removed: one step, where removing its files takes many.
    fn bury(&self, _number: u64) -> io::Result<()> {
        Ok(())
    }
    /// Removes a generation that was buried.
    fn remove_buried(&self, _number: u64) -> io::Result<()> {
        Ok(())
    }
    /// Removes a generation that nothing was written to.
    fn remove(&self, _number: u64) -> io::Result<()> {
        Ok(())
    }
    /// Makes the names in the directory durable: sled syncs only names inside its own directories.
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
    /// Writes the file of marks, without syncing it.
    fn write_marks(&self, _marks: &[u8]) -> io::Result<()> {
        Ok(())
    }
    /// The file of marks; empty where there is none.
    fn marks(&self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
    /// The metadata, for messages.
    fn metadata_name(&self) -> String;
    /// A generation, for messages.
    fn name(&self, number: u64) -> String;
    /// True when no call takes real time. Then the store does everything where it is asked for,
    /// without threads, so that a test sees the same order every time.
    fn is_instant(&self) -> bool {
        false
    }
}
