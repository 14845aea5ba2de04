//! A simulated disk: it keeps what was flushed, and of the rest what a seed decides.
//!
//! It does what `disk.rs` asks of an engine, in memory, as the engine in use does it:
//! - what is written is seen at once, and is durable after the next flush or when the last handle
//!   is dropped, whichever comes first;
//! - a flush that the power interrupts is done or not; what nobody flushed is gone. So it is for
//!   the database of streams (`meta`), for the engine promises that and nothing else holds changes
//!   together. For those of records this disk is worse than the promise: it keeps any part of what
//!   was not flushed, since records come with checksums and are to stand it;
//! - a database has one opener at a time; further handles come from the first;
//! - names of directories are durable after a sync; of those that changed since, any first part
//!   is, as a journal keeps it.

use super::disk::{Claim, Database, Disk, Tree};
use super::open::OpenError;
use crate::lock::Lock;
use crate::world::Random;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A disk in memory, whose power can be cut. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct SimulatedDisk(Arc<Lock<State>>);

#[derive(Debug, Default)]
struct State {
    databases: Vec<Content>,
    names: Names,
    /// What is durable of the names, and how they were after each change since.
    durable_names: Names,
    later_names: Vec<Names>,
    /// The file of marks, which is never synced.
    marks: Vec<u8>,
    /// Counts the power cuts: handles from before one are dead.
    boot: u64,
    is_claimed: bool,
    /// Writes until the power goes.
    writes_left: Option<u64>,
    writes: u64,
    is_dark: bool,
}

/// Directories, and the number of the database in each.
type Names = BTreeMap<PathBuf, usize>;
type Pairs = BTreeMap<(Tree, Vec<u8>), Bytes>;

#[derive(Debug, Default)]
struct Content {
    durable: Pairs,
    now: Pairs,
    unflushed: Vec<Write>,
    handles: usize,
    is_metadata: bool,
    /// The power went in the middle of its flush.
    is_flushing: bool,
}

#[derive(Debug, Clone)]
struct Write {
    key: (Tree, Vec<u8>),
    value: Option<Bytes>,
}

impl Write {
    fn apply(self, pairs: &mut Pairs) {
        match self.value {
            Some(value) => pairs.insert(self.key, value),
            None => pairs.remove(&self.key),
        };
    }
}

impl Content {
    fn flush(&mut self) {
        for write in self.unflushed.drain(..) {
            write.apply(&mut self.durable);
        }
    }

    /// What is left of it without power.
    fn crash(&mut self, chance: &Random) {
        let mut unflushed = std::mem::take(&mut self.unflushed);
        let flushing = std::mem::take(&mut self.is_flushing);
        let fate = match (self.is_metadata, flushing) {
            (true, false) => 0,
            (true, true) => chance.number() % 2,
            (false, _) => chance.number() % 4,
        };
        match fate {
            0 => unflushed.clear(),
            1 => {}
            2 => unflushed.truncate(below(chance, unflushed.len())),
            _ => unflushed.retain(|_| chance.number() & 1 == 0),
        }
        for write in unflushed {
            write.apply(&mut self.durable);
        }
        self.now.clone_from(&self.durable);
        self.handles = 0;
    }
}

/// A number below `limit`, or zero.
fn below(chance: &Random, limit: usize) -> usize {
    let limit = u64::try_from(limit.max(1)).unwrap_or(u64::MAX);
    usize::try_from(chance.number() % limit).unwrap_or_default()
}

impl SimulatedDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// The power goes before the write after the next `writes`: from then on everything fails.
    pub fn cut_power_after(&self, writes: u64) {
        self.0.lock().writes_left = Some(writes);
    }

    /// Whether the power is gone.
    pub fn is_dark(&self) -> bool {
        self.0.lock().is_dark
    }

    /// How many writes there have been: insertions, removals, flushes and changes of names.
    pub fn writes(&self) -> u64 {
        self.0.lock().writes
    }

    /// Cuts the power if it is not gone yet and brings it back. What was not flushed is there in
    /// part, as `chance` decides; who used the disk before can use it no more.
    pub fn crash(&self, chance: &Random) {
        let mut state = self.0.lock();
        let State {
            databases,
            names,
            durable_names,
            later_names,
            ..
        } = &mut *state;
        for database in databases {
            database.crash(chance);
        }
        let kept = below(chance, later_names.len() + 1);
        if let Some(last) = kept.checked_sub(1) {
            *durable_names = later_names.swap_remove(last);
        }
        names.clone_from(durable_names);
        later_names.clear();
        if chance.number() & 1 == 0 {
            state.marks.clear();
        }
        state.boot += 1;
        state.writes_left = None;
        state.is_dark = false;
        state.is_claimed = false;
    }

    fn handle(&self, database: usize) -> Box<dyn Database> {
        let mut state = self.0.lock();
        state.databases[database].handles += 1;
        Box::new(Handle {
            disk: self.clone(),
            database,
            boot: state.boot,
        })
    }
}

impl State {
    /// One more write, or the end.
    fn write(&mut self) -> io::Result<()> {
        if self.writes_left == Some(0) {
            self.is_dark = true;
        }
        self.look()?;
        self.writes_left = self.writes_left.map(|left| left - 1);
        self.writes += 1;
        Ok(())
    }

    fn look(&self) -> io::Result<()> {
        if self.is_dark {
            return Err(no_power());
        }
        Ok(())
    }

    fn rename(&mut self, change: impl FnOnce(&mut Names) -> io::Result<()>) -> io::Result<()> {
        self.write()?;
        change(&mut self.names)?;
        self.later_names.push(self.names.clone());
        Ok(())
    }
}

fn no_power() -> io::Error {
    io::Error::other("the power is gone")
}

fn missing() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

impl Disk for SimulatedDisk {
    fn open_copy(&self, _path: &Path, _cache_bytes: usize) -> io::Result<Box<dyn Database>> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    fn mark(&self, _directory: &Path, marks: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock();
        state.look()?;
        state.marks = marks.to_vec();
        Ok(())
    }

    fn marks(&self, _directory: &Path) -> io::Result<Vec<u8>> {
        Ok(self.0.lock().marks.clone())
    }

    fn open(&self, path: &Path, _cache_bytes: usize) -> io::Result<Box<dyn Database>> {
        let mut state = self.0.lock();
        state.look()?;
        let known = state.names.get(path).copied();
        let database = match known {
            Some(database) if state.databases[database].handles > 0 => {
                return Err(io::Error::from(io::ErrorKind::WouldBlock));
            }
            Some(database) => database,
            None => {
                let new = state.databases.len();
                state.rename(|names| {
                    names.insert(path.to_path_buf(), new);
                    Ok(())
                })?;
                state.databases.push(Content {
                    is_metadata: path.ends_with("meta"),
                    ..Content::default()
                });
                new
            }
        };
        drop(state);
        Ok(self.handle(database))
    }

    fn claim(&self, directory: &Path, _tries: u32) -> Result<Claim, OpenError> {
        let mut state = self.0.lock();
        if std::mem::replace(&mut state.is_claimed, true) {
            let error = io::Error::from(io::ErrorKind::WouldBlock);
            return Err(OpenError::new(directory, error));
        }
        Ok(Box::new(Hold(self.clone(), state.boot)))
    }

    fn names(&self, directory: &Path) -> io::Result<Vec<String>> {
        let state = self.0.lock();
        state.look()?;
        let inside = state.names.keys();
        let inside = inside.filter(|path| path.parent() == Some(directory));
        let name = |path: &PathBuf| Some(path.file_name()?.to_string_lossy().into());
        Ok(inside.filter_map(name).collect())
    }

    fn holds(&self, path: &Path) -> bool {
        self.0.lock().names.contains_key(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.lock().rename(|names| {
            let database = names.remove(from).ok_or_else(missing)?;
            names.insert(to.to_path_buf(), database);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let removed = |names: &mut Names| names.remove(path).map(drop).ok_or_else(missing);
        self.0.lock().rename(removed)
    }

    fn sync(&self, _directory: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.write()?;
        state.durable_names = state.names.clone();
        state.later_names.clear();
        Ok(())
    }
}

/// The hold on the data directory, of which a disk has one.
struct Hold(SimulatedDisk, u64);

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = self.0.0.lock();
        if state.boot == self.1 {
            state.is_claimed = false;
        }
    }
}

/// A handle on one database.
struct Handle {
    disk: SimulatedDisk,
    database: usize,
    boot: u64,
}

impl Handle {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.disk.0.lock();
        if state.boot != self.boot {
            return Err(no_power());
        }
        act(&mut state)
    }

    fn write(&self, write: Write) -> io::Result<()> {
        self.with(|state| {
            state.write()?;
            let content = &mut state.databases[self.database];
            write.clone().apply(&mut content.now);
            content.unflushed.push(write);
            Ok(())
        })
    }
}

impl Database for Handle {
    fn get(&self, tree: Tree, key: &[u8]) -> io::Result<Option<Bytes>> {
        self.with(|state| {
            state.look()?;
            let now = &state.databases[self.database].now;
            Ok(now.get(&(tree, key.to_vec())).cloned())
        })
    }

    fn insert(&self, tree: Tree, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.write(Write {
            key: (tree, key.to_vec()),
            value: Some(Bytes::copy_from_slice(value)),
        })
    }

    fn remove(&self, tree: Tree, key: &[u8]) -> io::Result<()> {
        self.write(Write {
            key: (tree, key.to_vec()),
            value: None,
        })
    }

    fn flush(&self) -> io::Result<()> {
        self.with(|state| {
            let was_dark = state.is_dark;
            let written = state.write();
            let content = &mut state.databases[self.database];
            match written {
                Ok(()) => content.flush(),
                Err(_) => content.is_flushing |= !was_dark,
            }
            written
        })
    }

    fn each(&self, tree: Tree, visit: &mut dyn FnMut(&[u8], Bytes)) -> io::Result<()> {
        let pairs = self.with(|state| {
            state.look()?;
            Ok(state.databases[self.database].now.clone())
        })?;
        for ((_, key), value) in pairs.into_iter().filter(|((of, _), _)| *of == tree) {
            visit(&key, value);
        }
        Ok(())
    }

    fn another(&self) -> Box<dyn Database> {
        let mut state = self.disk.0.lock();
        if state.boot == self.boot {
            state.databases[self.database].handles += 1;
        }
        Box::new(Self {
            disk: self.disk.clone(),
            database: self.database,
            boot: self.boot,
        })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // As the engine in use does: whoever closes a database flushes it.
        let closed = self.with(|state| {
            let content = &mut state.databases[self.database];
            content.handles -= 1;
            if !content.unflushed.is_empty() {
                state.write()?;
                state.databases[self.database].flush();
            }
            Ok(())
        });
        if let Err(error) = closed {
            tracing::debug!(%error, "a simulated database is closed");
        }
    }
}
