//! The disk of the command `minikin check`, which only reads a data directory. It opens all
//! databases as copies.

use super::directory::{self, Lock};
use super::layout::{Layout, Name};
use super::seam::{Claim, Disk, GenerationHandle, MetadataHandle};
use super::sled::{SledDatabase, SledDisk};
use crate::store::error::OpenError;
use std::io;

/// A disk that changes nothing in the data directory. Calls that would change the directory have no
/// effect.
pub(crate) struct ReadOnlyDisk(SledDisk);

/// The lock on a data directory that is only read. `None` stands for a directory without a lock
/// file. No process uses such a directory.
impl Claim for Option<Lock> {
    fn verify(&self) -> io::Result<()> {
        self.as_ref().map_or(Ok(()), Claim::verify)
    }
}

impl ReadOnlyDisk {
    pub(crate) fn new(layout: Layout) -> Self {
        Self(SledDisk::new(layout))
    }

    /// Returns the names of the damaged generations that were set aside, in ascending order.
    pub(crate) fn set_aside_names(&self) -> io::Result<Vec<String>> {
        let mut names = directory::names(&self.0.layout)?;
        names.retain(|name| Layout::parse(name) == Name::SetAside);
        names.sort();
        Ok(names)
    }
}

impl Disk for ReadOnlyDisk {
    fn claim(&self) -> Result<Box<dyn Claim>, OpenError> {
        Ok(Box::new(directory::visit(&self.0.layout)?))
    }

    fn open_metadata(&self) -> io::Result<Box<dyn MetadataHandle>> {
        Ok(Box::new(SledDatabase::open_copy(
            &self.0.layout.metadata(),
        )?))
    }

    fn open(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>> {
        self.0.open_copy(number)
    }

    fn open_copy(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>> {
        self.0.open_copy(number)
    }

    fn generations(&self) -> io::Result<Vec<u64>> {
        Ok(directory::generations(&directory::names(&self.0.layout)?))
    }

    fn holds(&self, number: u64) -> bool {
        self.0.holds(number)
    }

    fn set_aside(&self, number: u64) -> io::Result<String> {
        Ok(self.name(number))
    }

    fn marks(&self) -> io::Result<Vec<u8>> {
        self.0.marks()
    }

    fn metadata_name(&self) -> String {
        self.0.metadata_name()
    }

    fn name(&self, number: u64) -> String {
        self.0.name(number)
    }
}
