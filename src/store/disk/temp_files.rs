//! Generations in temporary files without names, for records that do not fit in memory and need not
//! survive the process.
//!
//! A segment is copied once, to the kernel's cache of the file. There are no write-ahead logs and
//! no flushes. The kernel writes the cache to disk only when it needs the memory, so a segment that
//! is deleted early never reaches the disk. A file without a name disappears with the process,
//! however the process ends. In a measurement, PutRecords stored 390,000 records a second with
//! these files, and 250,000 records a second with sled databases (`tests/benches/README.md`).

use super::seam::{Claim, Disk, GenerationHandle, MetadataHandle, Stored};
use crate::lock::Lock;
use crate::store::error::OpenError;
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A disk that has one file in the temporary directory for each generation.
#[derive(Debug, Default)]
pub(crate) struct TempFiles {
    generations: Lock<HashMap<u64, Arc<TempFile>>>,
}

#[derive(Debug)]
struct TempFile {
    file: File,
    contents: Lock<Contents>,
}

/// The offset and length of each segment in a file, by the number of the segment. Also the offset
/// of the end of the file.
#[derive(Debug, Default)]
struct Contents {
    segments: BTreeMap<u32, (u64, usize)>,
    end: u64,
}

impl Disk for TempFiles {
    fn claim(&self) -> Result<Box<dyn Claim>, OpenError> {
        unreachable!("temporary files have no directory to claim")
    }

    fn open_metadata(&self) -> io::Result<Box<dyn MetadataHandle>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn open(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>> {
        let mut generations = self.generations.lock();
        let file = match generations.get(&number) {
            Some(known) => known.clone(),
            None => {
                let (file, contents) = (tempfile::tempfile()?, Lock::default());
                let new = Arc::new(TempFile { file, contents });
                generations.insert(number, new.clone());
                new
            }
        };
        Ok(Box::new(TempHandle(file)))
    }

    fn open_copy(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>> {
        match self.holds(number) {
            true => self.open(number),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn generations(&self) -> io::Result<Vec<u64>> {
        Ok(Vec::new())
    }

    fn holds(&self, number: u64) -> bool {
        self.generations.lock().contains_key(&number)
    }

    fn set_aside(&self, number: u64) -> io::Result<String> {
        self.remove(number)?;
        Ok("a removed temporary file".to_owned())
    }

    fn bury(&self, number: u64) -> io::Result<()> {
        self.remove(number)
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        self.generations.lock().remove(&number);
        Ok(())
    }

    fn metadata_name(&self) -> String {
        String::new()
    }

    fn name(&self, number: u64) -> String {
        format!("temporary file {number}")
    }
}

struct TempHandle(Arc<TempFile>);

impl TempHandle {
    fn value(&self, (start, length): (u64, usize)) -> io::Result<Bytes> {
        let mut value = vec![0; length];
        self.0.file.read_exact_at(&mut value, start)?;
        Ok(value.into())
    }
}

impl GenerationHandle for TempHandle {
    fn append(&self, number: u32, segment: &[u8]) -> io::Result<()> {
        // The lock need not be held during the write. The generation has only one writer, and no
        // reader asks for the segment before the code below adds it to `contents`.
        let start = self.0.contents.lock().end;
        self.0.file.write_all_at(segment, start)?;
        let mut contents = self.0.contents.lock();
        contents.end = start + segment.len() as u64;
        contents.segments.insert(number, (start, segment.len()));
        Ok(())
    }

    fn append_frame(&self, _commit: u64, _part: u32, _frame: &[u8]) -> io::Result<()> {
        Err(io::Error::other("temporary files hold segments only"))
    }

    fn commit(&self) -> io::Result<()> {
        Ok(())
    }

    fn read(&self, number: u32) -> io::Result<Option<Bytes>> {
        let found = self.0.contents.lock().segments.get(&number).copied();
        found.map(|found| self.value(found)).transpose()
    }

    fn scan(&self, visit: &mut dyn FnMut(Stored)) -> io::Result<()> {
        let segments = self.0.contents.lock().segments.clone();
        for (number, found) in segments {
            visit(Stored::Segment(number, self.value(found)?));
        }
        Ok(())
    }

    fn another(&self) -> Box<dyn GenerationHandle> {
        Box::new(Self(self.0.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_there_through_every_handle() {
        let disk = TempFiles::default();
        let (writer, other) = (disk.open(1).unwrap(), disk.open(2).unwrap());
        let reader = writer.another();
        for number in [3, 1, 2, 3] {
            let value = vec![u8::try_from(number).unwrap(); 100 * number as usize];
            writer.append(number, &value).unwrap();
        }
        for handle in [&reader, &disk.open(1).unwrap()] {
            assert_eq!(handle.read(3).unwrap().unwrap(), vec![3; 300]);
            assert_eq!(handle.read(4).unwrap(), None);
        }
        assert_eq!(other.read(1).unwrap(), None);
        let mut all = Vec::new();
        let mut visit = |stored| {
            if let Stored::Segment(number, value) = stored {
                all.push((number, value.len()));
            }
        };
        reader.scan(&mut visit).unwrap();
        assert_eq!(all, [(1, 100), (2, 200), (3, 300)]);
    }

    #[test]
    fn a_removed_generation_is_read_by_its_open_handles_only() {
        let disk = TempFiles::default();
        let handle = disk.open(1).unwrap();
        handle.append(1, b"1").unwrap();
        assert!(disk.holds(1));
        disk.bury(1).unwrap();
        assert!(!disk.holds(1) && disk.open_copy(1).is_err());
        assert_eq!(handle.read(1).unwrap().unwrap(), b"1".as_slice());
        assert_eq!(disk.open(1).unwrap().read(1).unwrap(), None, "another one");
    }
}
