//! The committer's hold on the databases: the current generation and `meta`.

use super::disk::{Database, Tree};
use super::frame::{self, Entry};
use super::generation::{self, Generation, dead_path};
use super::keeper::{Keeper, Opened};
use super::marks::Marks;
use super::segment::Segment;
use super::{Shared, key};
use crate::limits;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

/// A change of metadata: a key and what it is set to; `None` removes it.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

/// The generation that is written.
pub(crate) struct Current {
    pub(crate) generation: Arc<Generation>,
    pub(crate) database: Box<dyn Database>,
    pub(crate) next_segment: u32,
    pub(crate) next_commit: u64,
    /// Bytes written to it, commit frames included.
    pub(crate) written: u64,
    pub(crate) entries: Vec<Entry>,
    pub(crate) unflushed: bool,
}

impl Current {
    pub(crate) fn new(number: u64, path: PathBuf, database: Box<dyn Database>) -> Self {
        let generation = Generation::new(number, path, Some(database.another()));
        Self {
            generation,
            database,
            next_segment: 0,
            next_commit: 0,
            written: 0,
            entries: Vec::new(),
            unflushed: false,
        }
    }
}

/// The error of a fault that a test wants.
pub(crate) fn injected() -> io::Error {
    io::Error::other("a test wants it to fail")
}

/// Everything that is written to.
pub(crate) struct Writer {
    /// Where generations are; without a data directory they have names only.
    pub(crate) directory: Option<PathBuf>,
    pub(crate) current: Option<Current>,
    pub(crate) meta: Option<Box<dyn Database>>,
    /// Saves of metadata since the directory was made.
    pub(crate) saves: u64,
    pub(crate) next_generation: u64,
    pub(crate) opening: Option<(u64, Receiver<Opened>)>,
    /// Changes that are due with the next commit, not before.
    pub(crate) late: Vec<Change>,
    pub(crate) keeper: Keeper,
}

impl Writer {
    pub(crate) fn generation(&self) -> Option<Arc<Generation>> {
        self.current
            .as_ref()
            .map(|current| current.generation.clone())
    }

    pub(crate) fn is_full(&self, bytes: u64) -> bool {
        self.current
            .as_ref()
            .is_some_and(|current| current.written >= bytes)
    }

    /// True when much was written to the current generation and nothing of it is wanted.
    pub(crate) fn is_dead(&self, worthwhile: u64) -> bool {
        self.current
            .as_ref()
            .is_some_and(|current| current.written >= worthwhile && current.generation.live() == 0)
    }

    fn path(&self, number: u64) -> PathBuf {
        let directory = self.directory.as_deref().unwrap_or(Path::new(""));
        generation::path(directory, number)
    }

    /// The current generation, made when there is none.
    fn current(&mut self, shared: &Shared) -> io::Result<&mut Current> {
        if self.current.is_none() {
            let (number, database) = match self.opening.take() {
                Some((number, opening)) => {
                    let ended = |_| io::Error::other("the thread that opens generations ended");
                    (number, opening.recv().map_err(ended)??)
                }
                None => {
                    let number = self.next_generation;
                    self.next_generation += 1;
                    (
                        number,
                        shared
                            .generations
                            .disk
                            .open(&self.path(number), limits::DATABASE_CACHE_BYTES)?,
                    )
                }
            };
            if shared.on_disk {
                let disk = &shared.generations.disk;
                self.directory
                    .as_deref()
                    .map_or(Ok(()), |of| disk.sync(of))?;
            }
            let current = Current::new(number, self.path(number), database);
            shared
                .generations
                .all
                .lock()
                .push(current.generation.clone());
            self.current = Some(current);
            // Its name is durable: from now on it is missed when it is gone.
            self.save(&[(key::begun(number), Some(Vec::new()))])?;
        }
        Ok(self.current.as_mut().expect("made above"))
    }

    /// Inserts a segment and notes its number in `entry`.
    pub(crate) fn insert(
        &mut self,
        shared: &Shared,
        entry: &mut Entry,
        segment: &Segment,
    ) -> io::Result<()> {
        let current = self.current(shared)?;
        entry.number = current.next_segment;
        let bytes = segment.bytes();
        let key = key::segment(u64::from(current.next_segment));
        current.database.insert(Tree::Main, &key, bytes)?;
        current.next_segment += 1;
        current.written += bytes.len() as u64;
        current.entries.push(*entry);
        current.unflushed = true;
        self.open_next(shared.settings.generation_bytes);
        Ok(())
    }

    pub(crate) fn insert_frames(&mut self, shared: &Shared, frames: &[Vec<u8>]) -> io::Result<()> {
        if frames.is_empty() {
            return Ok(());
        }
        let current = self.current(shared)?;
        for (part, frame) in (0..).zip(frames) {
            let key = key::commit(current.next_commit, part);
            current.database.insert(Tree::Commits, &key, frame)?;
            current.written += frame.len() as u64;
        }
        current.next_commit += 1;
        current.unflushed = true;
        self.open_next(shared.settings.generation_bytes);
        Ok(())
    }

    /// Has the next generation opened when the current one is more than half full.
    fn open_next(&mut self, generation_bytes: u64) {
        if self.opening.is_none() && self.is_full(generation_bytes / 2) {
            let number = self.next_generation;
            self.next_generation += 1;
            self.opening = Some((number, self.keeper.open(self.path(number))));
        }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match &mut self.current {
            Some(current) if current.unflushed => {
                current.database.flush()?;
                current.unflushed = false;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Ends the current generation, which is flushed: notes what is in it and closes it.
    pub(crate) fn seal(&mut self) -> io::Result<()> {
        let Some(current) = self.current.take() else {
            return Ok(());
        };
        let Current {
            generation,
            database,
            entries,
            ..
        } = current;
        let summary = Some(frame::summary(&entries));
        let number = generation.number;
        let saved = self.save(&[(key::summary(number), summary), (key::begun(number), None)]);
        self.keeper.close_generation(generation, database);
        saved
    }

    /// Makes changes of metadata durable, together.
    pub(crate) fn save(&mut self, changes: &[Change]) -> io::Result<()> {
        let Some(meta) = self.meta.as_ref().filter(|_| !changes.is_empty()) else {
            return Ok(());
        };
        for (key, value) in changes {
            match value {
                Some(value) => meta.insert(Tree::Main, key, value)?,
                None => meta.remove(Tree::Main, key)?,
            }
        }
        self.saves += 1;
        meta.insert(Tree::Commits, key::SAVES, &self.saves.to_be_bytes())?;
        meta.flush()
    }

    /// Notes how far the databases have been written. A failure costs only the notice of damage.
    pub(crate) fn mark(&self, shared: &Shared) {
        let Some(directory) = &self.directory else {
            return;
        };
        let mut marks = Marks {
            saves: self.saves,
            ..Marks::default()
        };
        if let Some(current) = &self.current {
            marks.generation = current.generation.number;
            marks.segments = u64::from(current.next_segment);
            marks.commits = current.next_commit;
        }
        let written = shared.generations.disk.mark(directory, &marks.to_bytes());
        if let Err(error) = written {
            tracing::warn!(%error, "the file of marks cannot be written");
        }
    }

    /// Removes a sealed generation. Its summary goes last: a directory without one is recovered.
    pub(crate) fn remove(
        &mut self,
        shared: &Shared,
        generation: &Arc<Generation>,
    ) -> io::Result<()> {
        let was_gone = generation.is_gone();
        generation.set_gone();
        generation.close(None);
        shared
            .generations
            .all
            .lock()
            .retain(|other| other.number != generation.number);
        if !was_gone {
            let dead = dead_path(&generation.path);
            shared.generations.disk.rename(&generation.path, &dead)?;
            self.keeper.remove(dead);
        }
        self.save(&[(key::summary(generation.number), None)])
    }

    /// Closes everything.
    pub(crate) fn close(&mut self, shared: &Shared) {
        if let Some(Current {
            generation,
            database,
            ..
        }) = self.current.take()
        {
            self.keeper.close_generation(generation, database);
        }
        self.keeper.close();
        shared.generations.close();
        if let Some((number, opening)) = self.opening.take()
            && let Ok(Ok(database)) = opening.recv()
        {
            drop(database);
            // Nothing was written to it.
            let disk = &shared.generations.disk;
            let _kept = disk.remove(&self.path(number));
        }
        self.meta.take();
    }
}
