//! A database that is only read, where the engine cannot be used because it would write.

use super::{Leaf, Offline, Slot, leaf};
use crate::store::disk::{Database, Tree};
use bytes::Bytes;
use std::io;
use std::path::Path;

/// A database nobody writes to.
#[derive(Debug)]
pub(crate) struct Lookup {
    database: Offline,
    /// The lowest key of each leaf, in order, and where the leaf is.
    lows: Vec<(Vec<u8>, Slot)>,
}

impl Lookup {
    /// Opens the database at `path`, all of which has to be whole.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Offline::verify(path)?;
        let database = Offline::open(path)?;
        let leaves = database.leaves.iter();
        let mut lows: Vec<_> = leaves.map(|(slot, low)| (low.clone(), *slot)).collect();
        lows.sort_unstable();
        Ok(Self { database, lows })
    }

    fn leaf(&self, slot: Slot) -> io::Result<Leaf> {
        let file = std::fs::File::open(self.database.slab_path(slot.slab))?;
        leaf::read(&file, slot.slab, slot.number)?.map_err(io::Error::other)
    }
}

fn refused<T>() -> io::Result<T> {
    Err(io::Error::other("the database is only read"))
}

impl Database for Lookup {
    fn get(&self, _tree: Tree, key: &[u8]) -> io::Result<Option<Bytes>> {
        // In each tree there is one leaf where the key would be, and it has the highest of the lows
        // that are not above the key. The trees themselves have keys of different lengths.
        let below = self.lows.partition_point(|(low, _)| low.as_slice() <= key);
        for (_, slot) in self.lows[..below].iter().rev() {
            let leaf = self.leaf(*slot)?;
            let found = leaf.pairs.into_iter().find(|(other, _)| other == key);
            if let Some((_, value)) = found {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn insert(&self, _tree: Tree, _key: &[u8], _value: &[u8]) -> io::Result<()> {
        refused()
    }

    fn remove(&self, _tree: Tree, _key: &[u8]) -> io::Result<()> {
        refused()
    }

    fn flush(&self) -> io::Result<()> {
        refused()
    }

    fn each(&self, _tree: Tree, _visit: &mut dyn FnMut(&[u8], Bytes)) -> io::Result<()> {
        refused()
    }

    fn another(&self) -> Box<dyn Database> {
        let lows = self.lows.clone();
        let database = Offline {
            leaves: self.database.leaves.clone(),
            path: self.database.path.clone(),
            flaws: Vec::new(),
            cut: None,
        };
        Box::new(Self { database, lows })
    }
}
