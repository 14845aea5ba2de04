//! Writes the current generation, and lets the housekeeping thread open the next generation before
//! it is needed.

use super::housekeeping::{Housekeeping, Opened};
use crate::store::disk::seam::GenerationHandle;
use crate::store::error::is_out_of_descriptors;
use crate::store::format::segment::Segment;
use crate::store::format::summary::SegmentEntry;
use crate::store::generations::Generation;
use crate::store::shared::state::Shared;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

/// The current generation, to which commits write.
pub(crate) struct Current {
    pub(crate) generation: Arc<Generation>,
    pub(crate) handle: Box<dyn GenerationHandle>,
    pub(crate) next_segment: u32,
    pub(crate) next_commit: u64,
    /// Number of bytes written to the generation, including commit frames.
    pub(crate) written: u64,
    /// The description of each segment in the generation.
    pub(crate) entries: Vec<SegmentEntry>,
    pub(crate) unflushed: bool,
}

impl Current {
    pub(crate) fn new(number: u64, handle: Box<dyn GenerationHandle>) -> Self {
        Self {
            generation: Generation::new(number, Some(handle.another())),
            handle,
            next_segment: 0,
            next_commit: 0,
            written: 0,
            entries: Vec::new(),
            unflushed: false,
        }
    }

    /// Appends `segment` to the generation, and sets the segment's number in `entry`.
    pub(crate) fn append(&mut self, entry: &mut SegmentEntry, segment: &Segment) -> io::Result<()> {
        entry.number = self.next_segment;
        self.handle.append(entry.number, segment.bytes())?;
        self.next_segment += 1;
        self.written += u64::from(entry.bytes);
        self.entries.push(*entry);
        self.unflushed = true;
        Ok(())
    }
}

/// Writes generations one after another.
pub(crate) struct GenerationWriter {
    shared: Arc<Shared>,
    housekeeping: Housekeeping,
    current: Option<Current>,
    next_generation: u64,
    opening: Option<(u64, Receiver<Opened>)>,
}

impl GenerationWriter {
    pub(crate) fn new(
        shared: Arc<Shared>,
        current: Option<Current>,
        next_generation: u64,
    ) -> io::Result<Self> {
        Ok(Self {
            housekeeping: Housekeeping::start(shared.clone())?,
            shared,
            current,
            next_generation,
            opening: None,
        })
    }

    pub(crate) fn current(&self) -> Option<&Current> {
        self.current.as_ref()
    }

    pub(crate) fn generation(&self) -> Option<Arc<Generation>> {
        let current = self.current.as_ref();
        current.map(|current| current.generation.clone())
    }

    /// Returns true if the current generation has reached the size at which a generation ends.
    pub(crate) fn is_full(&self) -> bool {
        self.has_written(self.shared.settings.generation_bytes)
    }

    /// Returns true if no segment in the current generation is live, and the generation has reached
    /// a sixteenth of the size at which a generation ends.
    pub(crate) fn is_dead(&self) -> bool {
        let worthwhile = self.shared.settings.generation_bytes / 16;
        let live = self.generation().map(|generation| generation.live());
        self.has_written(worthwhile) && live == Some(0)
    }

    fn has_written(&self, bytes: u64) -> bool {
        let current = self.current.as_ref();
        current.is_some_and(|current| current.written >= bytes)
    }

    /// Starts a new generation, unless there is a current generation already. Returns the number of
    /// the new generation, or `None` if no generation was started.
    pub(crate) fn begin(&mut self) -> io::Result<Option<u64>> {
        if self.current.is_some() {
            return Ok(None);
        }
        let (number, handle) = match self.opening.take() {
            Some((number, opening)) => {
                let ended = |_| io::Error::other("the thread that opens generations ended");
                let handle = match opening.recv().map_err(ended)? {
                    // Open the generation again. The previous generation has been closed in the
                    // meantime, and its closing released many file descriptors.
                    Err(error) if is_out_of_descriptors(&error) => {
                        self.shared.generations.open(number)?
                    }
                    opened => opened?,
                };
                (number, handle)
            }
            None => {
                let number = self.next_generation;
                let handle = self.shared.generations.open(number)?;
                self.next_generation += 1;
                (number, handle)
            }
        };
        let current = Current::new(number, handle);
        let generation = current.generation.clone();
        self.shared.generations.all.lock().push(generation);
        self.current = Some(current);
        Ok(Some(number))
    }

    /// Appends `segment` to the current generation, and sets the segment's number in `entry`.
    pub(crate) fn append(&mut self, entry: &mut SegmentEntry, segment: &Segment) -> io::Result<()> {
        self.begun()?.append(entry, segment)?;
        self.open_next();
        Ok(())
    }

    /// Appends the commit frames of one commit to the current generation.
    pub(crate) fn append_frames(&mut self, frames: &[Vec<u8>]) -> io::Result<()> {
        if frames.is_empty() {
            return Ok(());
        }
        let current = self.begun()?;
        for (part, frame) in (0..).zip(frames) {
            let commit = current.next_commit;
            current.handle.append_frame(commit, part, frame)?;
            current.written += frame.len() as u64;
        }
        current.next_commit += 1;
        current.unflushed = true;
        self.open_next();
        Ok(())
    }

    fn begun(&mut self) -> io::Result<&mut Current> {
        let none = || io::Error::other("no generation was begun");
        self.current.as_mut().ok_or_else(none)
    }

    /// Lets the housekeeping thread open the next generation if the current generation is half
    /// full.
    fn open_next(&mut self) {
        let half = self.shared.settings.generation_bytes / 2;
        if self.opening.is_none() && self.has_written(half) {
            let number = self.next_generation;
            self.next_generation += 1;
            self.opening = Some((number, self.housekeeping.open(number)));
        }
    }

    /// Makes the appended segments and frames durable.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if let Some(current) = self.current.as_mut().filter(|current| current.unflushed) {
            current.handle.commit()?;
            current.unflushed = false;
        }
        Ok(())
    }

    /// Ends the current generation, which must have been flushed. Returns the number of the
    /// generation and the entries of its segments. Returns `None` if there is no current
    /// generation.
    pub(crate) fn seal(&mut self) -> Option<(u64, Vec<SegmentEntry>)> {
        let current = self.current.take()?;
        let number = current.generation.number;
        self.housekeeping
            .close_generation(current.generation, current.handle);
        Some((number, current.entries))
    }

    /// Removes a complete generation. Also removes the files of the generation, unless it was set
    /// aside because of damage.
    pub(crate) fn remove(&self, generation: &Arc<Generation>) -> io::Result<()> {
        let was_gone = generation.set_gone();
        generation.close(None);
        let generations = &self.shared.generations;
        let is_other = |other: &Arc<Generation>| other.number != generation.number;
        generations.all.lock().retain(is_other);
        if !was_gone {
            generations.disk.bury(generation.number)?;
            self.housekeeping.remove_buried(generation.number);
        }
        Ok(())
    }

    /// Closes the databases of all generations.
    pub(crate) fn close(&mut self) {
        let _entries = self.seal();
        self.housekeeping.close();
        self.shared.generations.close();
        if let Some((number, opening)) = self.opening.take()
            && let Ok(Ok(handle)) = opening.recv()
        {
            drop(handle);
            // The next generation is empty, so its files are removed.
            let _left_over = self.shared.generations.disk.remove(number);
        }
    }
}
