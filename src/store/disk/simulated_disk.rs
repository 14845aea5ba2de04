//! A simulated disk in memory, for tests. After a power cut, the disk has all flushed writes and a
//! random part of the unflushed writes.
//!
//! The simulated disk fulfils the contract of `seam.rs` in the same way as sled:
//! - A written value can be read immediately. The value is durable after the next flush, or after
//!   the last handle of the database is dropped.
//! - In the database `meta`, a flush that a power cut interrupts takes effect completely or not at
//!   all, and a power cut loses all unflushed values. The store relies on this behaviour of sled.
//! - In generations, the simulated disk is worse than sled, because after a power cut it may have
//!   any part of the unflushed values. The store can work with any part, because segments and
//!   frames have checksums.
//! - An open database cannot be opened a second time. The first handle of the database creates
//!   further handles.
//! - The names of databases are durable after a sync. After a power cut, any number of the earliest
//!   changes of names since the last sync may have survived, as with a journaling file system.

use super::seam::{Claim, Disk, GenerationHandle, MetadataHandle, Stored};
use crate::lock::Lock;
use crate::store::error::{OpenError, Problem};
use crate::store::format::key::{self, Pair};
use crate::world::Random;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A simulated disk in memory whose power a test can cut. All clones refer to the same disk.
#[derive(Debug, Clone, Default)]
pub struct SimulatedDisk(Arc<Lock<State>>);

#[derive(Debug, Default)]
struct State {
    databases: Vec<Content>,
    names: Names,
    durable_names: Names,
    /// All names after each change of a name since the last sync, one element for each change. The
    /// oldest change comes first.
    later_names: Vec<Names>,
    /// Content of the file `marks`, which is never synced.
    marks: Vec<u8>,
    /// Number of power cuts so far. Handles that were opened before the last power cut are
    /// unusable.
    power_cuts: u64,
    is_claimed: bool,
    /// Number of further writes until the power is cut. `None` if no power cut is planned.
    writes_left: Option<u64>,
    writes: u64,
    /// Number of syncs and flushes so far.
    syncs: u64,
    is_dark: bool,
    /// Maximum number of open databases. `None` if any number may be open.
    permitted: Option<usize>,
    /// Number of database openings so far.
    openings: usize,
}

/// The name of a database on the simulated disk. As on a real disk, a generation is renamed before
/// its removal, and a damaged generation is renamed when it is set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DatabaseName {
    Metadata,
    Generation(u64),
    Dead(u64),
    SetAside(u64),
}

/// The index of each database in `State::databases`, by the name of the database.
type Names = BTreeMap<DatabaseName, usize>;

/// Key of a value in a database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Segment(u32),
    Frame(u64, u32),
    Metadata(Vec<u8>),
    Saves,
}

type Values = BTreeMap<Key, Bytes>;

#[derive(Debug, Default)]
struct Content {
    durable: Values,
    now: Values,
    unflushed: Vec<Write>,
    handles: usize,
    is_metadata: bool,
    /// True if the power was cut during a flush of this database.
    is_flushing: bool,
}

#[derive(Debug, Clone)]
struct Write {
    key: Key,
    value: Option<Bytes>,
}

impl Write {
    fn apply(self, values: &mut Values) {
        match self.value {
            Some(value) => values.insert(self.key, value),
            None => values.remove(&self.key),
        };
    }
}

impl Content {
    fn flush(&mut self) {
        for write in self.unflushed.drain(..) {
            write.apply(&mut self.durable);
        }
    }

    /// Reduces the content of the database to the writes that survive a power cut. `chance` selects
    /// the unflushed writes that survive. Afterwards the database has no open handles.
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

/// Returns a random number less than `limit`. Returns 0 if `limit` is 0.
fn below(chance: &Random, limit: usize) -> usize {
    let limit = u64::try_from(limit.max(1)).unwrap_or(u64::MAX);
    usize::try_from(chance.number() % limit).unwrap_or_default()
}

impl SimulatedDisk {
    /// Creates an empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Plans a power cut. The next `writes` writes succeed. The write after them cuts the power,
    /// and from then on every call fails.
    pub fn cut_power_after(&self, writes: u64) {
        self.0.lock().writes_left = Some(writes);
    }

    /// Sets the maximum number of open databases to `permitted`. The opening of a further database
    /// fails with the same error as under a limit of open files.
    #[cfg(test)]
    pub(crate) fn permit_databases(&self, permitted: usize) {
        self.0.lock().permitted = Some(permitted);
    }

    /// Returns the number of database openings so far.
    #[cfg(test)]
    pub(crate) fn openings(&self) -> usize {
        self.0.lock().openings
    }

    /// Returns true while the power is cut.
    pub fn is_dark(&self) -> bool {
        self.0.lock().is_dark
    }

    /// Returns the number of writes so far. Insertions, removals, flushes, syncs and changes of
    /// names are writes.
    pub fn writes(&self) -> u64 {
        self.0.lock().writes
    }

    /// Returns the number of syncs and flushes so far.
    pub fn syncs(&self) -> u64 {
        self.0.lock().syncs
    }

    /// Cuts the power unless the power is already cut. Then turns the power on again. `chance`
    /// selects the unflushed writes that survive. All existing handles become unusable.
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
        state.power_cuts += 1;
        state.writes_left = None;
        state.is_dark = false;
        state.is_claimed = false;
    }

    /// Returns the names of all databases on the disk.
    #[cfg(test)]
    pub(crate) fn names(&self) -> Vec<DatabaseName> {
        self.0.lock().names.keys().copied().collect()
    }

    fn open_database(&self, name: DatabaseName) -> io::Result<Handle> {
        let mut state = self.0.lock();
        state.check_power()?;
        state.check_permitted()?;
        state.openings += 1;
        let database = match state.names.get(&name).copied() {
            Some(database) if state.databases[database].handles > 0 => {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Some(database) => database,
            None => {
                let new = state.databases.len();
                state.rename(|names| {
                    names.insert(name, new);
                    Ok(())
                })?;
                state.databases.push(Content {
                    is_metadata: name == DatabaseName::Metadata,
                    ..Content::default()
                });
                new
            }
        };
        state.databases[database].handles += 1;
        let (disk, power_cuts) = (self.clone(), state.power_cuts);
        Ok(Handle {
            disk,
            database,
            power_cuts,
        })
    }

    fn rename(&self, from: DatabaseName, to: DatabaseName) -> io::Result<()> {
        self.0.lock().rename(|names| {
            let database = names.remove(&from).ok_or(io::ErrorKind::NotFound)?;
            names.insert(to, database);
            Ok(())
        })
    }

    fn remove_name(&self, name: DatabaseName) -> io::Result<()> {
        self.0.lock().rename(|names| {
            let removed = names.remove(&name).map(drop);
            Ok(removed.ok_or(io::ErrorKind::NotFound)?)
        })
    }
}

impl State {
    /// Counts one write. If the planned power cut is due, cuts the power and returns an error
    /// instead.
    fn write(&mut self) -> io::Result<()> {
        if self.writes_left == Some(0) {
            self.is_dark = true;
        }
        self.check_power()?;
        self.writes_left = self.writes_left.map(|left| left - 1);
        self.writes += 1;
        Ok(())
    }

    fn check_power(&self) -> io::Result<()> {
        match self.is_dark {
            true => Err(no_power()),
            false => Ok(()),
        }
    }

    fn check_permitted(&self) -> io::Result<()> {
        let open = self.databases.iter().filter(|of| of.handles > 0).count();
        match self.permitted.is_some_and(|permitted| open >= permitted) {
            true => Err(io::Error::from_raw_os_error(TOO_MANY_OPEN_FILES)),
            false => Ok(()),
        }
    }

    fn rename(&mut self, change: impl FnOnce(&mut Names) -> io::Result<()>) -> io::Result<()> {
        self.write()?;
        change(&mut self.names)?;
        self.later_names.push(self.names.clone());
        Ok(())
    }
}

/// Error number of Unix for too many open files in this process (`EMFILE`).
const TOO_MANY_OPEN_FILES: i32 = 24;

fn no_power() -> io::Error {
    io::Error::other("the power is gone")
}

impl Disk for SimulatedDisk {
    fn claim(&self) -> Result<Box<dyn Claim>, OpenError> {
        let mut state = self.0.lock();
        if std::mem::replace(&mut state.is_claimed, true) {
            return Err(OpenError::of(Path::new("simulated"), Problem::InUse));
        }
        Ok(Box::new(Hold(self.clone(), state.power_cuts)))
    }

    fn open_metadata(&self) -> io::Result<Box<dyn MetadataHandle>> {
        Ok(Box::new(self.open_database(DatabaseName::Metadata)?))
    }

    fn open(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>> {
        Ok(Box::new(
            self.open_database(DatabaseName::Generation(number))?,
        ))
    }

    fn open_copy(&self, _number: u64) -> io::Result<Box<dyn GenerationHandle>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn generations(&self) -> io::Result<Vec<u64>> {
        let names = {
            let state = self.0.lock();
            state.check_power()?;
            state.names.clone()
        };
        let mut numbers = Vec::new();
        for name in names.into_keys() {
            match name {
                DatabaseName::Generation(number) => numbers.push(number),
                DatabaseName::Dead(_) => self.remove_name(name)?,
                DatabaseName::Metadata | DatabaseName::SetAside(_) => {}
            }
        }
        Ok(numbers)
    }

    fn holds(&self, number: u64) -> bool {
        let name = DatabaseName::Generation(number);
        self.0.lock().names.contains_key(&name)
    }

    fn set_aside(&self, number: u64) -> io::Result<String> {
        let aside = DatabaseName::SetAside(number);
        self.rename(DatabaseName::Generation(number), aside)?;
        Ok(format!("{aside:?}"))
    }

    fn bury(&self, number: u64) -> io::Result<()> {
        self.rename(DatabaseName::Generation(number), DatabaseName::Dead(number))
    }

    fn remove_buried(&self, number: u64) -> io::Result<()> {
        self.remove_name(DatabaseName::Dead(number))
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        self.remove_name(DatabaseName::Generation(number))
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.0.lock();
        state.write()?;
        state.syncs += 1;
        state.durable_names = state.names.clone();
        state.later_names.clear();
        Ok(())
    }

    fn write_marks(&self, marks: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock();
        state.check_power()?;
        state.marks = marks.to_vec();
        Ok(())
    }

    fn marks(&self) -> io::Result<Vec<u8>> {
        Ok(self.0.lock().marks.clone())
    }

    fn metadata_name(&self) -> String {
        "simulated metadata".to_owned()
    }

    fn name(&self, number: u64) -> String {
        format!("simulated generation {number}")
    }

    fn is_instant(&self) -> bool {
        true
    }
}

/// The lock on the simulated disk, and the number of power cuts before the lock was taken.
struct Hold(SimulatedDisk, u64);

impl Claim for Hold {
    fn verify(&self) -> io::Result<()> {
        self.0.0.lock().check_power()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = self.0.0.lock();
        if state.power_cuts == self.1 {
            state.is_claimed = false;
        }
    }
}

/// A handle of one database on the simulated disk.
struct Handle {
    disk: SimulatedDisk,
    database: usize,
    /// Number of power cuts before the handle was opened.
    power_cuts: u64,
}

impl Handle {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.disk.0.lock();
        if state.power_cuts != self.power_cuts {
            return Err(no_power());
        }
        act(&mut state)
    }

    fn write(&self, key: Key, value: Option<&[u8]>) -> io::Result<()> {
        let value = value.map(Bytes::copy_from_slice);
        let write = Write { key, value };
        self.with(|state| {
            state.write()?;
            let content = &mut state.databases[self.database];
            write.clone().apply(&mut content.now);
            content.unflushed.push(write);
            Ok(())
        })
    }

    fn get(&self, key: &Key) -> io::Result<Option<Bytes>> {
        self.with(|state| {
            state.check_power()?;
            Ok(state.databases[self.database].now.get(key).cloned())
        })
    }

    fn flush(&self) -> io::Result<()> {
        self.with(|state| {
            let was_dark = state.is_dark;
            let written = state.write();
            state.syncs += 1;
            let content = &mut state.databases[self.database];
            match written {
                Ok(()) => content.flush(),
                Err(_) => content.is_flushing |= !was_dark,
            }
            written
        })
    }

    fn values(&self) -> io::Result<Values> {
        self.with(|state| {
            state.check_power()?;
            Ok(state.databases[self.database].now.clone())
        })
    }
}

impl GenerationHandle for Handle {
    fn append(&self, number: u32, segment: &[u8]) -> io::Result<()> {
        self.write(Key::Segment(number), Some(segment))
    }

    fn append_frame(&self, commit: u64, part: u32, frame: &[u8]) -> io::Result<()> {
        self.write(Key::Frame(commit, part), Some(frame))
    }

    fn commit(&self) -> io::Result<()> {
        self.flush()
    }

    fn read(&self, number: u32) -> io::Result<Option<Bytes>> {
        self.get(&Key::Segment(number))
    }

    fn scan(&self, visit: &mut dyn FnMut(Stored)) -> io::Result<()> {
        for (key, value) in self.values()? {
            match key {
                Key::Segment(number) => visit(Stored::Segment(number, value)),
                Key::Frame(commit, _) => visit(Stored::Frame(commit, value)),
                Key::Metadata(_) | Key::Saves => {}
            }
        }
        Ok(())
    }

    fn another(&self) -> Box<dyn GenerationHandle> {
        let mut state = self.disk.0.lock();
        if state.power_cuts == self.power_cuts {
            state.databases[self.database].handles += 1;
        }
        Box::new(Self {
            disk: self.disk.clone(),
            database: self.database,
            power_cuts: self.power_cuts,
        })
    }
}

impl MetadataHandle for Handle {
    fn save(&self, changes: &[Pair]) -> io::Result<u64> {
        let saves = self.saves()? + 1;
        for (key, value) in changes {
            self.write(Key::Metadata(key.clone()), value.as_deref())?;
        }
        self.write(Key::Saves, Some(&saves.to_be_bytes()))?;
        self.flush()?;
        Ok(saves)
    }

    fn saves(&self) -> io::Result<u64> {
        let saves = self.get(&Key::Saves)?;
        Ok(saves.and_then(|saves| key::number(&saves)).unwrap_or(0))
    }

    fn scan(&self, visit: &mut dyn FnMut(&[u8], Bytes)) -> io::Result<()> {
        for (key, value) in self.values()? {
            if let Key::Metadata(key) = key {
                visit(&key, value);
            }
        }
        Ok(())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // The closing of a database flushes the database, as in sled.
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
