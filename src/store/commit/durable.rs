//! The durable committer, which makes appends and catalog changes durable in groups.
//!
//! A commit takes the new records from every log. It writes each new segment as a value of its own,
//! and all other new records together as commit frames. Then it flushes the generation once, saves
//! the metadata, and publishes the records. During a commit, the writes for the next commit
//! accumulate, so on a slow disk the commits become fewer and larger.

use super::committer::Commit;
use super::generation_writer::GenerationWriter;
use super::sweep::Sweep;
use crate::store::disk::seam::{Claim, MetadataHandle};
use crate::store::format::frame::Frames;
use crate::store::format::key::{self, Pair};
use crate::store::format::marks::Marks;
use crate::store::format::record::LogId;
use crate::store::format::summary;
use crate::store::log::shard_log::Log;
use crate::store::log::upkeep::CommitBatch;
use crate::store::logs::Logs;
use crate::store::shared::state::Shared;
use crate::world::{Fault, Point, Stopwatch};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Makes the appended records and the catalog changes durable in a data directory.
pub(crate) struct DurableCommitter {
    pub(crate) shared: Arc<Shared>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) writer: GenerationWriter,
    pub(crate) metadata: Box<dyn MetadataHandle>,
    /// Number of writes to the database `meta` since the data directory was created.
    pub(crate) saves: u64,
    /// Metadata changes that the next commit must save only after its flush.
    pub(crate) late: Vec<Pair>,
    /// Logs with records that are stored in commit frames of the current generation, but in no
    /// segment.
    pub(crate) framed: HashMap<LogId, Arc<Log>>,
    /// The lock on the data directory. The field is declared last, so that the lock is released
    /// last.
    pub(crate) claim: Box<dyn Claim>,
}

impl Commit for DurableCommitter {
    fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn work(&mut self) -> io::Result<()> {
        self.commit(self.writer.is_full())?;
        self.evict();
        if self.shared.signal.sweep.swap(false, Ordering::AcqRel) {
            self.sweep()?;
        }
        Ok(())
    }

    fn fail(&mut self, error: &io::Error) {
        tracing::error!(
            %error,
            "the data directory cannot be written: reads go on, writes are refused; \
             free space or mend the disk, then restart"
        );
        self.shared.set_failed(error);
        for log in self.logs.all() {
            log.drop_invisible();
        }
        self.shared.wake_waiters();
    }

    fn close(mut self: Box<Self>) {
        self.writer.close();
    }
}

impl Sweep for DurableCommitter {
    fn logs(&self) -> &Arc<Logs> {
        &self.logs
    }

    fn writer(&mut self) -> &mut GenerationWriter {
        &mut self.writer
    }

    fn may_end_current(&self) -> bool {
        !self.framed.values().any(|log| log.has_tail())
    }

    /// Starts a new generation if there is no current generation. For a new generation, the
    /// function checks that this process still has the lock on the data directory, and makes the
    /// names of the new files durable. It also saves the number of the generation in the database
    /// `meta`, so that a later start notices if the generation is lost.
    fn begin_generation(&mut self) -> io::Result<()> {
        if let Some(number) = self.writer.begin()? {
            self.claim.verify()?;
            self.shared.generations.disk.sync()?;
            self.save(vec![(key::begun(number), Some(Vec::new()))])?;
        }
        Ok(())
    }

    fn end_generation(&mut self) -> io::Result<()> {
        self.commit(true)
    }

    fn removed(&mut self, number: u64) -> io::Result<()> {
        // The summary is removed after its generation, because recovery would treat an existing
        // generation without a summary as one that was still being written.
        self.save(vec![(key::summary(number), None)])
    }
}

impl DurableCommitter {
    /// Makes one commit. If `seal` is true, this is the last commit to the current generation.
    fn commit(&mut self, seal: bool) -> io::Result<()> {
        let served = self.shared.pacer.take();
        // The commit takes the catalog changes before it takes the records. Therefore a commit with
        // a catalog change also has all records that were appended before the change.
        let (changes, saved) = self.shared.take_saves();
        let mut frames = Frames::default();
        let logs = self.take_logs(seal);
        let batches = logs.values().map(|log| log.take(seal, &mut frames));
        let mut batches: Vec<CommitBatch> = batches.collect();
        let idle = batches.is_empty() && changes.is_empty();
        self.write(&mut batches, &frames.finish(), idle)?;
        let generation = self.writer.generation();
        self.save_changes(changes, seal)?;
        // At the end of a generation, the file `marks` is written without a generation, because a
        // later generation may get the same number.
        if !idle || seal {
            self.write_marks();
        }
        if !idle && self.fault(Point::Publish).is_some() {
            return Err(injected());
        }
        if let Some(generation) = generation {
            for batch in &batches {
                batch.log.publish(batch, &generation);
            }
        }
        self.note(batches);
        self.shared.note_saved(saved);
        self.shared.pacer.served(served);
        self.shared.note_progress();
        Ok(())
    }

    /// Returns the logs with records that this commit has to write. The logs are sorted by their
    /// ids, so that the same appends always cause the same writes.
    fn take_logs(&mut self, seal: bool) -> BTreeMap<LogId, Arc<Log>> {
        let dirty = std::mem::take(&mut *self.shared.dirty.lock());
        let dirty = dirty.into_iter();
        let mut logs: BTreeMap<_, _> = dirty
            .filter_map(|id| Some((id, self.logs.get(id)?)))
            .collect();
        if seal {
            // The last commit to a generation also takes the logs with records that are stored only
            // in commit frames of this generation, and writes these records to segments.
            logs.extend(self.framed.drain());
        }
        logs
    }

    /// Writes the segments and the commit frames of one commit, and flushes the generation.
    fn write(
        &mut self,
        batches: &mut [CommitBatch],
        frames: &[Vec<u8>],
        idle: bool,
    ) -> io::Result<()> {
        let fault = match idle {
            true => None,
            false => self.fault(Point::Flush),
        };
        if !frames.is_empty() || batches.iter().any(|batch| !batch.segments.is_empty()) {
            self.begin_generation()?;
        }
        for batch in batches {
            for (entry, segment) in &mut batch.segments {
                self.writer.append(entry, segment)?;
            }
        }
        self.writer.append_frames(frames)?;
        if fault == Some(Fault::Error) {
            return Err(injected());
        }
        let flushing = Stopwatch::start();
        self.writer.flush()?;
        self.shared.commits.add(flushing.elapsed());
        if !idle {
            self.claim.verify()?;
        }
        match fault {
            // After the fault `Tear`, the records of the commit are durable, but its metadata
            // changes are not.
            Some(_) => Err(injected()),
            None => Ok(()),
        }
    }

    /// Saves the metadata changes of one commit. If `seal` is true, also ends the current
    /// generation.
    fn save_changes(&mut self, mut changes: Vec<Pair>, seal: bool) -> io::Result<()> {
        if seal && let Some((number, entries)) = self.writer.seal() {
            let summary = summary::summary(&entries);
            self.save(vec![
                (key::summary(number), Some(summary)),
                (key::begun(number), None),
            ])?;
        }
        changes.append(&mut self.late);
        self.save(changes)
    }

    fn save(&mut self, changes: Vec<Pair>) -> io::Result<()> {
        if !changes.is_empty() {
            self.saves = self.metadata.save(&changes)?;
        }
        Ok(())
    }

    /// Writes the file `marks`, which says how much was written to the databases. A failure is only
    /// logged, because the file only helps a later start to detect damage.
    fn write_marks(&self) {
        let mut marks = Marks {
            saves: self.saves,
            ..Marks::default()
        };
        if let Some(current) = self.writer.current() {
            marks.generation = current.generation.number;
            marks.segments = u64::from(current.next_segment);
            marks.commits = current.next_commit;
        }
        let disk = &self.shared.generations.disk;
        if let Err(error) = disk.write_marks(&marks.to_bytes()) {
            tracing::warn!(%error, "the file of marks cannot be written");
        }
    }

    fn fault(&self, point: Point) -> Option<Fault> {
        self.shared.settings.faults.at(point)
    }

    /// Updates the state after a commit: notes the segments that may now be dropped from memory,
    /// and the logs with records that are stored only in commit frames. Gives the committed bytes
    /// back to the budget for writes.
    fn note(&mut self, batches: Vec<CommitBatch>) {
        let mut pending = 0;
        let mut sealed = self.shared.sealed.lock();
        for batch in batches {
            pending += batch.pending;
            let id = batch.log.id();
            sealed.extend(batch.segments.iter().map(|(entry, _)| (id, entry.first)));
            if batch.in_frames {
                self.framed.insert(id, batch.log);
            } else if !batch.segments.is_empty() {
                self.framed.remove(&id);
            }
        }
        drop(sealed);
        self.shared.budget.release(pending);
    }

    /// Drops stored segments from memory, the oldest first, until the records in memory have at
    /// most `memory_bytes` bytes.
    fn evict(&self) {
        while self.shared.memory.load(Ordering::Relaxed) > self.shared.settings.memory_bytes {
            let oldest = self.shared.sealed.lock().pop_front();
            let Some((id, first)) = oldest else { return };
            if let Some(log) = self.logs.get(id) {
                self.shared.note_freed(log.evict(first), false);
            }
        }
        self.logs.forget_evicted();
    }
}

/// Returns the error of a write for which a fault was injected.
fn injected() -> io::Error {
    io::Error::other("a fault was injected")
}
