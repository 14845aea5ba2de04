//! The traits that a disk implements for the store: a handle of a generation, a handle of the
//! database `meta`, the lock on a data directory, and the disk.

use crate::store::error::OpenError;
use crate::store::format::key::Pair;
use bytes::Bytes;
use std::io;

/// A value that is stored in a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stored {
    /// A segment. The number is the segment's key.
    Segment(u32, Bytes),
    /// A frame of the commit with the given number.
    Frame(u64, Bytes),
}

/// A handle of an open generation. A generation may have several handles. Only one thread at a time
/// may use the same handle.
pub(crate) trait GenerationHandle: Send {
    /// Appends `segment` to the generation, under the key `number`. The segment is durable after
    /// the next commit.
    fn append(&self, number: u32, segment: &[u8]) -> io::Result<()>;
    /// Appends a commit frame to the generation. `commit` is the number of the commit, and `part`
    /// is the number of the frame in this commit. The frame is durable after the next call of the
    /// method `commit`.
    fn append_frame(&self, commit: u64, part: u32, frame: &[u8]) -> io::Result<()>;
    /// Makes all appends since the last commit durable. After a power cut, either all or none of
    /// these appends exist.
    fn commit(&self) -> io::Result<()>;
    /// Reads the segment `number`. Returns `None` if the generation has no such segment.
    fn read(&self, number: u32) -> io::Result<Option<Bytes>>;
    /// Calls `visit` for all segments in the order of their numbers, and then for all commit frames
    /// in the order of the commits. Must not be called after an append, because the end of a scan
    /// makes sled flush, and this flush would make a part of a commit durable.
    fn scan(&self, visit: &mut dyn FnMut(Stored)) -> io::Result<()>;
    /// Returns a second handle of the same generation.
    fn another(&self) -> Box<dyn GenerationHandle>;
}

/// A handle of the database `meta`. Only one thread at a time may use the handle.
pub(crate) trait MetadataHandle: Send {
    /// Makes `changes` durable. After a power cut, either all or none of the changes exist. Returns
    /// the number of saves since the database was created, including this save.
    fn save(&self, changes: &[Pair]) -> io::Result<u64>;
    /// Returns the number of saves since the database was created.
    fn saves(&self) -> io::Result<u64>;
    /// Calls `visit` for each key and value in the order of the keys. Must not be called after a
    /// save.
    fn scan(&self, visit: &mut dyn FnMut(&[u8], Bytes)) -> io::Result<()>;
}

/// The lock on a data directory. Dropping this value releases the lock.
pub(crate) trait Claim: Send {
    /// Checks that the locked data directory still exists at its path.
    ///
    /// # Errors
    /// The directory was removed or replaced.
    fn verify(&self) -> io::Result<()>;
}

/// A data directory or a substitute for a data directory. The substitutes are temporary files, a
/// simulated disk, and a directory that is only read. A substitute ignores calls that make no sense
/// for this substitute.
pub(crate) trait Disk: Send + Sync {
    /// Locks the data directory for this process.
    fn claim(&self) -> Result<Box<dyn Claim>, OpenError>;
    /// Opens the database `meta`. Creates the database if it does not exist.
    fn open_metadata(&self) -> io::Result<Box<dyn MetadataHandle>>;
    /// Opens the generation `number`. Creates the generation if it does not exist.
    fn open(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>>;
    /// Copies the generation `number` to the machine's temporary directory and opens the copy. The
    /// store uses such a copy to read from a data directory that cannot be written, because sled
    /// writes when it opens a database.
    fn open_copy(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>>;
    /// Returns the numbers of all generations, in ascending order. Removes the generations that are
    /// marked as dead.
    fn generations(&self) -> io::Result<Vec<u64>>;
    /// Returns true if the generation `number` exists.
    fn holds(&self, number: u64) -> bool;
    /// Renames the damaged generation `number`, so that the store ignores it. Returns the new name.
    fn set_aside(&self, number: u64) -> io::Result<String>;
    /// Renames the generation `number`, to mark it as dead. The rename is atomic, while the later
    /// removal of the files takes many steps.
    fn bury(&self, _number: u64) -> io::Result<()> {
        Ok(())
    }
    /// Removes the files of the generation `number`, which is marked as dead.
    fn remove_buried(&self, _number: u64) -> io::Result<()> {
        Ok(())
    }
    /// Removes the generation `number`, to which nothing was written.
    fn remove(&self, _number: u64) -> io::Result<()> {
        Ok(())
    }
    /// Makes the names of the databases in the data directory durable. sled makes only the names of
    /// the files inside its databases durable.
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
    /// Writes the bytes `marks` to the file `marks`. Does not sync the file.
    fn write_marks(&self, _marks: &[u8]) -> io::Result<()> {
        Ok(())
    }
    /// Returns the content of the file `marks`. Returns no bytes if the file does not exist.
    fn marks(&self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
    /// Returns the name of the database `meta` for messages.
    fn metadata_name(&self) -> String;
    /// Returns the name of the generation `number` for messages.
    fn name(&self, number: u64) -> String;
    /// Returns true if no call of the disk takes real time. The store then does all work in the
    /// calling thread, so that a test always sees the same order of events.
    fn is_instant(&self) -> bool {
        false
    }
}
