//! The traits between the store and a disk: a handle of a generation, a handle of the database
//! `meta`, the claim of a directory, and the disk itself.

use crate::store::error::OpenError;
use crate::store::format::key::Pair;
use bytes::Bytes;
use std::io;

/// A value that is stored in a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stored {
    /// A segment, with the number of the segment.
    Segment(u32, Bytes),
    /// One frame of a commit, with the number of the commit.
    Frame(u64, Bytes),
}

/// A handle of an open generation. A generation may have several handles. Only one thread at a time
/// may use a handle.
pub(crate) trait GenerationHandle: Send {
    /// Appends a segment with its number as the key. The segment is durable after the next commit.
    fn append(&self, number: u32, segment: &[u8]) -> io::Result<()>;
    /// Appends one frame of a commit. The frame is durable after the next commit.
    fn append_frame(&self, commit: u64, part: u32, frame: &[u8]) -> io::Result<()>;
    /// Makes all appends since the last commit durable, atomically.
    fn commit(&self) -> io::Result<()>;
    /// Reads the segment with this number. None if the generation has no such segment.
    fn read(&self, number: u32) -> io::Result<Option<Bytes>>;
    /// Visits every segment in the order of the numbers, and then every commit frame in the order
    /// of the commits. Must not be called after an append, because sled flushes when it drops a
    /// cursor. The flush would make a part of a commit durable.
    fn scan(&self, visit: &mut dyn FnMut(Stored)) -> io::Result<()>;
    /// Returns a second handle of the same generation.
    fn another(&self) -> Box<dyn GenerationHandle>;
}

/// A handle of the database `meta`. Only one thread at a time may use it.
pub(crate) trait MetadataHandle: Send {
    /// Makes the changes durable, atomically. Returns the number of saves since the database was
    /// created, including this one.
    fn save(&self, changes: &[Pair]) -> io::Result<u64>;
    /// Number of saves since the database was created.
    fn saves(&self) -> io::Result<u64>;
    /// Visits every key and value in the order of the keys. Must not be called after a save.
    fn scan(&self, visit: &mut dyn FnMut(&[u8], Bytes)) -> io::Result<()>;
}

/// Reserves a data directory for this process until this value is dropped.
pub(crate) trait Claim: Send {
    /// Checks that the path of the directory still leads to the directory that was claimed.
    ///
    /// # Errors
    /// Returns an error if the directory was removed or replaced.
    fn verify(&self) -> io::Result<()>;
}

/// A data directory or a substitute: temporary files, a simulated disk, or a directory that is only
/// read. A substitute ignores the calls that make no sense for it.
pub(crate) trait Disk: Send + Sync {
    /// Reserves the directory for this process.
    fn claim(&self) -> Result<Box<dyn Claim>, OpenError>;
    /// Opens the database `meta`. Creates the database if it does not exist.
    fn open_metadata(&self) -> io::Result<Box<dyn MetadataHandle>>;
    /// Opens a generation. Creates it if it does not exist.
    fn open(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>>;
    /// Opens a copy of a generation in the machine's temporary directory. A reader uses the copy
    /// when the data directory cannot be written, because sled writes when it opens a database.
    fn open_copy(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>>;
    /// Numbers of the generations in ascending order. Removes generations that are marked as dead.
    fn generations(&self) -> io::Result<Vec<u64>>;
    /// True if a generation with this number exists.
    fn holds(&self, number: u64) -> bool;
    /// Renames a damaged generation so that it is set aside, and returns its new name.
    fn set_aside(&self, number: u64) -> io::Result<String>;
    /// Marks a generation as dead by renaming it. The rename is atomic, but the later removal of
    /// the files takes many steps.
    fn bury(&self, _number: u64) -> io::Result<()> {
        Ok(())
    }
    /// Removes the files of a generation that is marked as dead.
    fn remove_buried(&self, _number: u64) -> io::Result<()> {
        Ok(())
    }
    /// Removes a generation that nothing was written to.
    fn remove(&self, _number: u64) -> io::Result<()> {
        Ok(())
    }
    /// Makes the names in the directory durable. sled syncs only the names in the directories of
    /// its databases.
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
    /// Writes the file of marks, without syncing it.
    fn write_marks(&self, _marks: &[u8]) -> io::Result<()> {
        Ok(())
    }
    /// Content of the file of marks. Empty if the file does not exist.
    fn marks(&self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
    /// Name of the database `meta`, for messages.
    fn metadata_name(&self) -> String;
    /// Name of a generation, for messages.
    fn name(&self, number: u64) -> String;
    /// True if no call of the disk takes real time. For such a disk the store does all work in the
    /// calling thread, so that a test always sees the same order of events.
    fn is_instant(&self) -> bool {
        false
    }
}
