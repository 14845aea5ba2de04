//! Sweeps. A sweep removes generations without live segments. If live segments have less than half
//! of the bytes of a generation, the sweep copies these segments to the current generation, and
//! then removes the old generation.

use super::committer::Commit;
use super::generation_writer::GenerationWriter;
use crate::store::generations::{Generation, Unread};
use crate::store::logs::Logs;
use std::io;
use std::sync::Arc;

/// A committer that can sweep its generations.
pub(super) trait Sweep: Commit {
    fn logs(&self) -> &Arc<Logs>;
    fn writer(&mut self) -> &mut GenerationWriter;
    /// Returns true if the current generation may end when none of its segments is live.
    fn may_end_current(&self) -> bool;
    /// Starts a new generation if there is no current generation.
    fn begin_generation(&mut self) -> io::Result<()>;
    /// Ends the current generation.
    fn end_generation(&mut self) -> io::Result<()>;
    /// Removes the metadata of the generation `number` if the committer has saved any. The sweep
    /// calls this function after it removed the generation.
    fn removed(&mut self, number: u64) -> io::Result<()>;

    /// Removes each generation without live segments. If live segments have less than half of the
    /// bytes of a generation, copies these segments to the current generation, and then removes the
    /// old generation.
    fn sweep(&mut self) -> io::Result<()> {
        if self.writer().is_dead() && self.may_end_current() {
            self.end_generation()?;
        }
        let all = self.shared().generations.all.lock().clone();
        for generation in all.iter().filter(|generation| generation.is_sealed()) {
            if generation.is_gone() {
                self.logs().lose_generation(generation);
            } else if generation.live() > 0 && generation.is_half_dead() {
                self.rewrite(generation)?;
                if self.writer().is_full() {
                    self.end_generation()?;
                }
            }
            if generation.live() == 0 {
                self.writer().remove(generation)?;
                self.removed(generation.number)?;
            }
        }
        Ok(())
    }

    /// Copies the live segments of `generation` to the current generation.
    fn rewrite(&mut self, generation: &Arc<Generation>) -> io::Result<()> {
        let mut copied = Vec::new();
        for log in self.logs().all() {
            for mut entry in log.segments_in(generation) {
                let segment = match self.shared().generations.read(generation, &entry) {
                    Ok(segment) => segment,
                    Err(Unread::Failed(error)) => return Err(io::Error::other(error.to_string())),
                    Err(Unread::Lost(problem)) => {
                        log.drop_lost_segment(&(generation.clone(), entry), &problem);
                        continue;
                    }
                };
                self.begin_generation()?;
                self.writer().append(&mut entry, &segment)?;
                copied.push((log.clone(), entry));
            }
        }
        self.writer().flush()?;
        if let Some(current) = self.writer().generation() {
            for (log, entry) in copied {
                log.note_copy(&entry, &current);
            }
        }
        Ok(())
    }
}
