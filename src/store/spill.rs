//! Without a data directory: what does not fit in memory goes to files without a name.
//!
//! Sealed segments are spilled oldest first, without commit frames: nothing has to survive.

use super::commit::Committer;
use super::log::Log;
use crate::limits;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Committer {
    pub(crate) fn spill_and_sweep(&mut self) -> io::Result<()> {
        while self.excess() > 0 && !self.shared.pressure.is_refusing() {
            if !self.spill()? && !self.seal_tails() {
                break;
            }
        }
        self.shared.forget_trimmed();
        if self.shared.signal.sweep.swap(false, Ordering::AcqRel) {
            self.sweep()?;
        }
        Ok(())
    }

    fn excess(&self) -> u64 {
        let hot = self.shared.hot.load(Ordering::Relaxed);
        hot.saturating_sub(self.shared.settings.memory_bytes)
    }

    /// Spills a chunk; false when there was nothing to spill.
    fn spill(&mut self) -> io::Result<bool> {
        let mut spilled = Vec::new();
        let mut bytes = 0;
        while bytes < limits::SPILL_BYTES {
            let oldest = self.shared.sealed.lock().pop_front();
            let Some((log, first)) = oldest else { break };
            let Some((mut entry, segment)) = log.unstored(first) else {
                continue;
            };
            bytes += u64::from(entry.bytes);
            self.writer.insert(&self.shared, &mut entry, &segment)?;
            spilled.push((log, entry));
        }
        self.writer.flush()?;
        let Some(generation) = self.writer.generation() else {
            return Ok(false);
        };
        for (log, entry) in &spilled {
            self.shared.freed(log.spilled(entry, &generation), false);
        }
        if self.writer.is_full(self.shared.settings.generation_bytes) {
            self.writer.seal()?;
        }
        Ok(!spilled.is_empty())
    }

    /// Closes every open tail, so that it can be spilled; false when there is none.
    fn seal_tails(&self) -> bool {
        let logs: Vec<Arc<Log>> = self.shared.logs.lock().values().cloned().collect();
        for log in logs {
            log.seal_tail();
        }
        !self.shared.sealed.lock().is_empty()
    }

    /// Spilling failed: from now on only what fits in memory is taken.
    pub(crate) fn refuse(&self, error: &io::Error) {
        tracing::warn!(
            %error,
            "records cannot be spilled to the temporary directory: writes beyond the memory \
             budget are refused; set TMPDIR to a writable directory with free space, raise \
             --memory, or give a --data-dir, then restart"
        );
        self.shared
            .pressure
            .refuse_beyond(self.shared.settings.memory_bytes);
    }
}
