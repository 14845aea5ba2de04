//! A disk that keeps only a few databases open at the same time.
//!
//! An open sled database holds about 80 file descriptors. Under a low limit of open files, only two
//! databases can be open: the generation that is being written, and either `meta` or a generation
//! that is read. [`FewDatabases`] wraps another disk and obeys the limit. The handles of its
//! databases can be used at any time. If the database of a handle is closed, the use of the handle
//! opens the database again, and may close another database (`few_databases/slots.rs`). The rest of
//! the store does not know of the limit.

mod slots;

use super::seam::{Claim, Disk, GenerationHandle, MetadataHandle, Stored};
use crate::limits::DATABASE_LEASE;
use crate::store::error::OpenError;
use crate::store::format::key::Pair;
use bytes::Bytes;
use slots::{Database, Name, Purpose, Slots};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A disk that keeps at most a given number of its databases open.
pub(crate) struct FewDatabases {
    disk: Arc<dyn Disk>,
    slots: Arc<Slots>,
}

impl FewDatabases {
    /// Wraps `disk` so that at most `most` of its databases are open. `most` must be at least 2,
    /// because the generation that is being written stays open from its first uncommitted append to
    /// the commit.
    pub(crate) fn new(disk: Arc<dyn Disk>, most: usize) -> Self {
        // On a simulated disk, one thread does all work, so no two uses of databases overlap. A
        // minimum time for an open database is therefore unnecessary.
        let lease = match disk.is_instant() {
            true => Duration::ZERO,
            false => DATABASE_LEASE,
        };
        Self::leasing(disk, most, lease)
    }

    /// Wraps `disk` so that at most `most` of its databases are open, and each open database stays
    /// open for at least the time `lease`.
    pub(crate) fn leasing(disk: Arc<dyn Disk>, most: usize, lease: Duration) -> Self {
        Self {
            slots: Arc::new(Slots::new(disk.clone(), most, lease)),
            disk,
        }
    }

    /// Opens the database `name` immediately, so that the caller gets the error of a failed
    /// opening.
    fn open_now(&self, name: Name) -> io::Result<Handle> {
        let is_new = matches!(name, Name::Generation(number) if !self.disk.holds(number));
        let purpose = match is_new {
            true => Purpose::Create,
            false => Purpose::Open,
        };
        drop(self.slots.take(name, purpose)?);
        Ok(Handle(Arc::new(Member {
            slots: self.slots.clone(),
            name,
        })))
    }
}

impl Disk for FewDatabases {
    fn claim(&self) -> Result<Box<dyn Claim>, OpenError> {
        self.disk.claim()
    }

    fn open_metadata(&self) -> io::Result<Box<dyn MetadataHandle>> {
        Ok(Box::new(self.open_now(Name::Metadata)?))
    }

    fn open(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>> {
        Ok(Box::new(self.open_now(Name::Generation(number))?))
    }

    fn open_copy(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>> {
        Ok(Box::new(self.open_now(Name::Copy(number))?))
    }

    fn generations(&self) -> io::Result<Vec<u64>> {
        self.disk.generations()
    }

    fn holds(&self, number: u64) -> bool {
        self.disk.holds(number)
    }

    fn set_aside(&self, number: u64) -> io::Result<String> {
        self.disk.set_aside(number)
    }

    fn bury(&self, number: u64) -> io::Result<()> {
        self.disk.bury(number)
    }

    fn remove_buried(&self, number: u64) -> io::Result<()> {
        self.disk.remove_buried(number)
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        self.disk.remove(number)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.sync()
    }

    fn write_marks(&self, marks: &[u8]) -> io::Result<()> {
        self.disk.write_marks(marks)
    }

    fn marks(&self) -> io::Result<Vec<u8>> {
        self.disk.marks()
    }

    fn metadata_name(&self) -> String {
        self.disk.metadata_name()
    }

    fn name(&self, number: u64) -> String {
        self.disk.name(number)
    }

    fn is_instant(&self) -> bool {
        self.disk.is_instant()
    }
}

/// A handle of a database, which may be open or closed. The drop of the last handle of a database
/// closes the database.
struct Handle(Arc<Member>);

/// The state that all handles of one database share.
struct Member {
    slots: Arc<Slots>,
    name: Name,
}

impl Drop for Member {
    fn drop(&mut self) {
        self.slots.close(self.name);
    }
}

impl Handle {
    fn generation<T>(
        &self,
        purpose: Purpose,
        act: impl FnOnce(&dyn GenerationHandle) -> io::Result<T>,
    ) -> io::Result<T> {
        let taken = self.0.slots.take(self.0.name, purpose)?;
        taken.run(|database| match database {
            Database::Generation(handle) => act(&**handle),
            Database::Metadata(_) => Err(io::ErrorKind::InvalidInput.into()),
        })
    }

    fn metadata<T>(
        &self,
        purpose: Purpose,
        act: impl FnOnce(&dyn MetadataHandle) -> io::Result<T>,
    ) -> io::Result<T> {
        let taken = self.0.slots.take(self.0.name, purpose)?;
        taken.run(|database| match database {
            Database::Metadata(handle) => act(&**handle),
            Database::Generation(_) => Err(io::ErrorKind::InvalidInput.into()),
        })
    }
}

impl GenerationHandle for Handle {
    fn append(&self, number: u32, segment: &[u8]) -> io::Result<()> {
        self.generation(Purpose::Append, |handle| handle.append(number, segment))
    }

    fn append_frame(&self, commit: u64, part: u32, frame: &[u8]) -> io::Result<()> {
        let append = |handle: &dyn GenerationHandle| handle.append_frame(commit, part, frame);
        self.generation(Purpose::Append, append)
    }

    fn commit(&self) -> io::Result<()> {
        self.generation(Purpose::Commit, |handle| handle.commit())
    }

    fn read(&self, number: u32) -> io::Result<Option<Bytes>> {
        self.generation(Purpose::Read, |handle| handle.read(number))
    }

    fn scan(&self, visit: &mut dyn FnMut(Stored)) -> io::Result<()> {
        self.generation(Purpose::Read, |handle| handle.scan(visit))
    }

    fn another(&self) -> Box<dyn GenerationHandle> {
        Box::new(Self(self.0.clone()))
    }
}

impl MetadataHandle for Handle {
    fn save(&self, changes: &[Pair]) -> io::Result<u64> {
        self.metadata(Purpose::Commit, |handle| handle.save(changes))
    }

    fn saves(&self) -> io::Result<u64> {
        self.metadata(Purpose::Read, |handle| handle.saves())
    }

    fn scan(&self, visit: &mut dyn FnMut(&[u8], Bytes)) -> io::Result<()> {
        self.metadata(Purpose::Read, |handle| handle.scan(visit))
    }
}
