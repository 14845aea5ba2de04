//! Where records go that do not fit in memory, when nothing has to survive: files without a name.
//!
//! A segment is copied to the kernel's cache once, and that is all: there is no log, no order on
//! the disk and no flush, and the kernel writes it out when it wants the memory. Such a file is
//! gone with the process, however that ends, and what is removed before it was written out never
//! reaches the disk. A database keeps promises that are not wanted here and syncs whatever it
//! flushes: with one in this place PutRecords took 250,000 records a second where it takes 390,000
//! (measured: `tests/benches/README.md`).

use super::disk::{Database, Disk, Tree};
use super::key;
use crate::lock::Lock;
use bytes::Bytes;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Keeps generations in files of the temporary directory, under names that no file has.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    generations: Lock<HashMap<PathBuf, Arc<ScratchFile>>>,
}

/// A file and what is where in it.
#[derive(Debug)]
struct ScratchFile {
    file: File,
    contents: Lock<Contents>,
}

/// The values of a file, in the order of their keys, and its end.
#[derive(Debug, Default)]
struct Contents {
    places: Vec<Place>,
    end: u64,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    number: u64,
    start: u64,
    length: usize,
}

impl Disk for Scratch {
    fn open(&self, path: &Path, _cache_bytes: usize) -> io::Result<Box<dyn Database>> {
        let mut generations = self.generations.lock();
        let generation = match generations.get(path) {
            Some(known) => known.clone(),
            None => {
                let file = tempfile::tempfile()?;
                let contents = Lock::default();
                let new = Arc::new(ScratchFile { file, contents });
                generations.insert(path.to_path_buf(), new.clone());
                new
            }
        };
        Ok(Box::new(ScratchDatabase(generation)))
    }

    fn open_copy(&self, path: &Path, _cache_bytes: usize) -> io::Result<Box<dyn Database>> {
        let generations = self.generations.lock();
        let known = generations.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(ScratchDatabase(known.clone())))
    }

    fn holds(&self, path: &Path) -> bool {
        self.generations.lock().contains_key(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut generations = self.generations.lock();
        let generation = generations.remove(from).ok_or(io::ErrorKind::NotFound)?;
        generations.insert(to.to_path_buf(), generation);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.generations.lock().remove(path);
        Ok(())
    }
}

/// A handle on a generation, for segments alone: where nothing survives there are no commits.
struct ScratchDatabase(Arc<ScratchFile>);

impl ScratchDatabase {
    fn read(&self, place: Place) -> io::Result<Bytes> {
        let mut value = vec![0; place.length];
        self.0.file.read_exact_at(&mut value, place.start)?;
        Ok(value.into())
    }
}

impl Contents {
    /// Where `number` is, or belongs.
    fn find(&self, number: u64) -> Result<usize, usize> {
        self.places
            .binary_search_by_key(&number, |place| place.number)
    }
}

impl Database for ScratchDatabase {
    fn get(&self, tree: Tree, key: &[u8]) -> io::Result<Option<Bytes>> {
        let number = number(tree, key)?;
        let place = {
            let contents = self.0.contents.lock();
            contents.find(number).ok().map(|at| contents.places[at])
        };
        place.map(|place| self.read(place)).transpose()
    }

    fn insert(&self, tree: Tree, key: &[u8], value: &[u8]) -> io::Result<()> {
        let number = number(tree, key)?;
        // There is one writer: what it writes is not read before it is noted.
        let start = self.0.contents.lock().end;
        self.0.file.write_all_at(value, start)?;
        let mut contents = self.0.contents.lock();
        contents.end = start + value.len() as u64;
        let length = value.len();
        let place = Place {
            number,
            start,
            length,
        };
        match contents.find(number) {
            Ok(at) => contents.places[at] = place,
            Err(at) => contents.places.insert(at, place),
        }
        Ok(())
    }

    fn remove(&self, tree: Tree, key: &[u8]) -> io::Result<()> {
        let number = number(tree, key)?;
        let mut contents = self.0.contents.lock();
        if let Ok(at) = contents.find(number) {
            contents.places.remove(at);
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }

    fn each(&self, tree: Tree, visit: &mut dyn FnMut(&[u8], Bytes)) -> io::Result<()> {
        if tree == Tree::Commits {
            return Ok(());
        }
        let places = self.0.contents.lock().places.clone();
        for place in places {
            visit(&key::segment(place.number), self.read(place)?);
        }
        Ok(())
    }

    fn another(&self) -> Box<dyn Database> {
        Box::new(Self(self.0.clone()))
    }
}

/// The number of the segment that a key names.
fn number(tree: Tree, key: &[u8]) -> io::Result<u64> {
    let number = key::number(key).filter(|_| tree == Tree::Main);
    number.ok_or_else(|| io::Error::other("only segments are kept here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(scratch: &Scratch, path: &str) -> Box<dyn Database> {
        scratch.open(Path::new(path), 0).unwrap()
    }

    fn get(database: &dyn Database, number: u64) -> Option<Bytes> {
        database.get(Tree::Main, &key::segment(number)).unwrap()
    }

    #[test]
    fn what_was_inserted_is_there_through_every_handle_until_it_is_removed() {
        let scratch = Scratch::default();
        let (writer, other) = (open(&scratch, "one"), open(&scratch, "two"));
        let reader = writer.another();
        for number in [3, 1, 2, 3] {
            let value = vec![u8::try_from(number).unwrap(); 100 * number as usize];
            writer
                .insert(Tree::Main, &key::segment(number), &value)
                .unwrap();
        }
        for database in [&reader, &open(&scratch, "one")] {
            assert_eq!(get(&**database, 3).unwrap(), vec![3; 300]);
            assert_eq!(get(&**database, 4), None);
        }
        assert_eq!(get(&*other, 1), None);
        let mut all = Vec::new();
        let mut visit = |key: &[u8], value: Bytes| all.push((key::number(key), value.len()));
        reader.each(Tree::Main, &mut visit).unwrap();
        assert_eq!(all, [(Some(1), 100), (Some(2), 200), (Some(3), 300)]);
        writer.remove(Tree::Main, &key::segment(3)).unwrap();
        assert_eq!(get(&*reader, 3), None);
    }

    #[test]
    fn a_generation_goes_by_its_name() {
        let scratch = Scratch::default();
        let (one, dead) = (Path::new("one"), Path::new("one.dead"));
        let insert = || open(&scratch, "one").insert(Tree::Main, &key::segment(1), b"1");
        insert().unwrap();
        assert!(scratch.holds(one));
        scratch.rename(one, dead).unwrap();
        assert!(!scratch.holds(one) && scratch.open_copy(one, 0).is_err());
        let read = scratch.open_copy(dead, 0).unwrap();
        assert_eq!(get(&*read, 1).unwrap(), b"1".as_slice());
        scratch.remove(dead).unwrap();
        assert!(!scratch.holds(dead));
        assert_eq!(get(&*open(&scratch, "one"), 1), None, "it is another one");
    }
}
