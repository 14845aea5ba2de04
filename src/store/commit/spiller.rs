//! The spiller. Without a data directory, it moves records that do not fit in memory to temporary
//! files.
//!
//! The spiller moves closed segments, the oldest first. It writes no commit frames, because the
//! records need not survive a restart.

use super::committer::Commit;
use super::generation_writer::GenerationWriter;
use super::sweep::Sweep;
use crate::limits;
use crate::store::format::segment::Segment;
use crate::store::format::summary::SegmentEntry;
use crate::store::log::shard_log::Log;
use crate::store::logs::Logs;
use crate::store::shared::state::Shared;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Moves closed segments from memory to temporary files.
pub(crate) struct Spiller {
    pub(crate) shared: Arc<Shared>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) writer: GenerationWriter,
}

impl Commit for Spiller {
    fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Spills if the records in memory have more than `memory_bytes` bytes. Continues until the
    /// records in memory have `SPILL_BYTES` bytes less than `memory_bytes`, so that the thread
    /// seldom has to wake up.
    fn work(&mut self) -> io::Result<()> {
        let memory = self.shared.settings.memory_bytes;
        // While the store refuses writes, the spiller tries to spill one segment even if memory is
        // not full. This attempt shows if the disk works again.
        let mut is_due = self.shared.budget.is_refusing() || self.exceeds(memory);
        let goal = memory.saturating_sub(limits::SPILL_BYTES);
        while is_due || self.exceeds(memory) {
            if let Some((log, entry, segment)) = self.oldest_segment() {
                self.spill(&log, entry, &segment)?;
                self.accept_again();
                is_due = self.exceeds(goal);
            } else if !((self.exceeds(memory) || self.shared.budget.is_refusing())
                && self.seal_tails())
            {
                break;
            }
        }
        self.logs.forget_evicted();
        if self.shared.signal.sweep.swap(false, Ordering::AcqRel) {
            self.sweep()?;
        }
        Ok(())
    }

    /// Makes the store refuse writes for which the memory has no space, until a spill succeeds.
    /// After each refused write, the committer tries to spill again.
    fn fail(&mut self, error: &io::Error) {
        if self.shared.budget.is_refusing() {
            return;
        }
        tracing::warn!(
            %error,
            "records cannot be spilled to the temporary directory: writes beyond the memory \
             budget are refused until they can; free space there, set TMPDIR to a writable \
             directory, raise --memory, or give a --data-dir"
        );
        let memory = self.shared.settings.memory_bytes;
        self.shared.budget.set_limit(memory, true);
    }

    fn close(mut self: Box<Self>) {
        self.writer.close();
    }
}

impl Sweep for Spiller {
    fn logs(&self) -> &Arc<Logs> {
        &self.logs
    }

    fn writer(&mut self) -> &mut GenerationWriter {
        &mut self.writer
    }

    fn may_end_current(&self) -> bool {
        true
    }

    fn begin_generation(&mut self) -> io::Result<()> {
        self.writer.begin().map(drop)
    }

    fn end_generation(&mut self) -> io::Result<()> {
        self.writer.seal();
        Ok(())
    }

    fn removed(&mut self, _number: u64) -> io::Result<()> {
        Ok(())
    }
}

impl Spiller {
    /// Ends the refusal of writes for which the memory has no space. Such writes wait for a spill
    /// again. Must be called after a successful spill.
    fn accept_again(&self) {
        if self.shared.budget.is_refusing() {
            tracing::info!("records can be spilled to the temporary directory again");
            let limit = self.shared.settings.write_limit();
            self.shared.budget.set_limit(limit, false);
        }
    }

    /// Returns true if the records in memory have more than `bytes` bytes.
    fn exceeds(&self, bytes: u64) -> bool {
        self.shared.memory.load(Ordering::Relaxed) > bytes
    }

    /// Takes the oldest closed segment in memory from the list of segments to spill. Returns `None`
    /// if the list is empty.
    fn oldest_segment(&self) -> Option<(Arc<Log>, SegmentEntry, Segment)> {
        loop {
            let (id, first) = self.shared.sealed.lock().pop_front()?;
            if let Some(log) = self.logs.get(id)
                && let Some((entry, segment)) = log.unstored(first)
            {
                return Some((log, entry, segment));
            }
        }
    }

    /// Writes one segment of `log` to a temporary file and releases the segment's memory. The
    /// memory becomes free immediately, so that waiting writers need not wait for the spill of
    /// further segments. If the segment cannot be written, the function puts the segment back at
    /// the front of the list of segments to spill.
    fn spill(&mut self, log: &Log, mut entry: SegmentEntry, segment: &Segment) -> io::Result<()> {
        let written = self.begin_generation();
        let written = written.and_then(|()| self.writer.append(&mut entry, segment));
        if let Err(error) = written.and_then(|()| self.writer.flush()) {
            let place = (log.id(), entry.first);
            self.shared.sealed.lock().push_front(place);
            return Err(error);
        }
        if let Some(generation) = self.writer.generation() {
            let freed = log.spilled(&entry, &generation);
            self.shared.note_freed(freed, false);
        }
        if self.writer.is_full() {
            self.writer.seal();
        }
        Ok(())
    }

    /// Closes the tails of all logs, so that their records can be spilled. Returns false if no log
    /// has a closed segment to spill.
    fn seal_tails(&self) -> bool {
        for log in self.logs.all() {
            log.seal_tail();
        }
        !self.shared.sealed.lock().is_empty()
    }
}
