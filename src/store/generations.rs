//! Generations: the databases of records. The store writes one generation after another.
//!
//! An open sled database keeps all written data in memory, and never releases disk space. Therefore
//! the store closes a generation that has reached a certain size, and opens the generation again to
//! read one of its segments. The store releases the disk space of deleted records when all segments
//! of their generation are dead. It then removes the generation's folder.

use super::disk::seam::{Disk, GenerationHandle};
use super::error::{StoreError, is_of_the_machine, is_out_of_descriptors};
use super::format::segment::Segment;
use super::format::summary::SegmentEntry;
use crate::limits::{DESCRIPTOR_PAUSE, DESCRIPTOR_TRIES, OPEN_GENERATIONS};
use crate::lock::Lock;
use bytes::Bytes;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The state of one generation. A generation is a database of records.
pub(crate) struct Generation {
    pub(crate) number: u64,
    /// The handle for reads. Only one thread at a time uses the handle. `None` while the database
    /// is closed.
    reader: Lock<Option<Box<dyn GenerationHandle>>>,
    /// Number of bytes of the live segments in the generation. A segment is live while a log refers
    /// to it.
    live: AtomicU64,
    /// Number of bytes of all segments that were written to the generation. Both live and dead
    /// segments count.
    total: AtomicU64,
    sealed: AtomicBool,
    /// True if the generation was removed because it had no live segments, or was set aside because
    /// it is damaged.
    gone: AtomicBool,
}

impl Generation {
    /// Creates the state of the generation `number`. `reader` is the open handle of a generation
    /// that is being written. If `reader` is `None`, the generation is complete and its database is
    /// closed.
    pub(crate) fn new(number: u64, reader: Option<Box<dyn GenerationHandle>>) -> Arc<Self> {
        Arc::new(Self {
            number,
            sealed: AtomicBool::new(reader.is_none()),
            reader: Lock::new(reader),
            live: AtomicU64::new(0),
            total: AtomicU64::new(0),
            gone: AtomicBool::new(false),
        })
    }

    /// Counts a stored segment of `bytes` bytes among the generation's live segments.
    pub(crate) fn add(&self, bytes: u64) {
        self.live.fetch_add(bytes, Ordering::Relaxed);
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts a segment of `bytes` bytes among the generation's dead segments. Returns true if live
    /// segments have less than half of the generation's bytes now.
    pub(crate) fn release(&self, bytes: u64) -> bool {
        self.live.fetch_sub(bytes, Ordering::Relaxed);
        self.is_half_dead()
    }

    /// Returns true if live segments have less than half of the bytes that were written to the
    /// generation.
    pub(crate) fn is_half_dead(&self) -> bool {
        self.live() < self.total.load(Ordering::Relaxed) / 2
    }

    pub(crate) fn live(&self) -> u64 {
        self.live.load(Ordering::Relaxed)
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Acquire)
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Marks the generation as removed or set aside. Returns true if it was already marked.
    pub(crate) fn set_gone(&self) -> bool {
        self.gone.swap(true, Ordering::AcqRel)
    }

    /// Closes the database of the generation. For this purpose the function drops the handle for
    /// reads, and `writer`, the handle for writes. The database must not be opened again before the
    /// function has returned.
    pub(crate) fn close(&self, writer: Option<Box<dyn GenerationHandle>>) {
        let mut reader = self.reader.lock();
        drop(writer);
        reader.take();
        self.sealed.store(true, Ordering::Release);
    }
}

opaque!(Generation);

/// The reason why a segment could not be read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// The segment is damaged or missing. The text describes the problem.
    Lost(String),
    /// The disk cannot be read at the moment.
    Failed(StoreError),
}

/// All generations of one store.
pub(crate) struct Generations {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) all: Lock<Vec<Arc<Generation>>>,
    /// Complete generations that are open for reads, the least recently used first.
    opened: Lock<VecDeque<Arc<Generation>>>,
    /// Number of generations that were set aside because of damage since the store was opened.
    pub(crate) set_aside: AtomicU64,
}

impl Generations {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Self {
        Self {
            disk,
            all: Lock::default(),
            opened: Lock::default(),
            set_aside: AtomicU64::new(0),
        }
    }

    /// Reads the segment that `entry` describes from `generation`. Blocks the thread.
    pub(crate) fn read(
        &self,
        generation: &Arc<Generation>,
        entry: &SegmentEntry,
    ) -> Result<Segment, Unread> {
        let value = self.value(generation, entry.number);
        let value = value.map_err(|error| self.failed(generation, error))?;
        let Some(value) = value else {
            let problem = format!("it lacks segment {}", entry.number);
            return Err(self.failed(generation, invalid(problem)));
        };
        let segment = Segment::parse(value).map_err(|problem| Unread::Lost(problem.to_owned()))?;
        if SegmentEntry::of(&segment, entry.number) != *entry {
            let problem = format!("its segment {} is not the expected one", entry.number);
            return Err(self.failed(generation, invalid(problem)));
        }
        Ok(segment)
    }

    fn value(&self, generation: &Arc<Generation>, number: u32) -> io::Result<Option<Bytes>> {
        let mut reader = generation.reader.lock();
        if generation.is_gone() {
            // Do not open the removed generation, because the opening would create it again.
            return Ok(None);
        }
        let newly = reader.is_none();
        if newly {
            *reader = Some(self.open_reader(generation.number)?);
        }
        let handle = reader.as_ref().expect("opened above");
        let mut value = handle.read(number);
        if value.is_err()
            && let Ok(copy) = self.disk.open_copy(generation.number)
        {
            // After a failed write, sled also refuses reads. The segment is therefore read from a
            // copy of the database.
            value = copy.read(number);
            // The old handle is never dropped, because the drop would make sled flush.
            std::mem::forget(reader.replace(copy));
        }
        drop(reader);
        if generation.is_sealed() {
            self.note_used(generation, newly);
        }
        value
    }

    /// Opens the generation `number` for reads. Opens a copy if the disk is full or read-only,
    /// because sled writes to the disk when it opens a database.
    fn open_reader(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>> {
        if !self.disk.holds(number) {
            return Err(io::Error::new(io::ErrorKind::NotFound, "it is missing"));
        }
        let opened = self.open(number);
        opened.or_else(|error| {
            if !is_of_the_machine(&error) || is_out_of_descriptors(&error) {
                return Err(error);
            }
            let copy = self.disk.open_copy(number).map_err(|_| error)?;
            let name = self.disk.name(number);
            tracing::warn!("reading a copy of {name}, because the disk cannot be written");
            Ok(copy)
        })
    }

    /// Opens the generation `number`. While the process has too many open files, closes generations
    /// that are open for reads, and repeats the opening. Blocks the thread.
    pub(crate) fn open(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>> {
        for _ in 0..DESCRIPTOR_TRIES {
            match self.disk.open(number) {
                Err(error) if is_out_of_descriptors(&error) => {
                    self.close_oldest();
                    std::thread::sleep(DESCRIPTOR_PAUSE);
                }
                opened => return opened,
            }
        }
        self.disk.open(number)
    }

    fn close_oldest(&self) {
        let oldest = self.opened.lock().pop_front();
        if let Some(oldest) = oldest {
            oldest.close(None);
        }
    }

    /// Makes `generation` the most recently used generation of those that are open for reads.
    /// Closes the least recently used generation if too many are open. `newly` is true if the
    /// generation has just been opened.
    fn note_used(&self, generation: &Arc<Generation>, newly: bool) {
        let mut opened = self.opened.lock();
        let at = opened
            .iter()
            .position(|other| Arc::ptr_eq(other, generation));
        let known = at.and_then(|at| opened.remove(at)).is_some();
        if known || newly {
            opened.push_back(generation.clone());
        }
        let is_one_too_many = opened.len() > OPEN_GENERATIONS;
        drop(opened);
        if is_one_too_many {
            self.close_oldest();
        }
    }

    /// Handles the error `error` of a read from `generation`. Sets the generation aside if it is
    /// damaged and was not removed in the meantime. Returns the reason why the segment could not be
    /// read.
    fn failed(&self, generation: &Arc<Generation>, error: io::Error) -> Unread {
        let gone = || Unread::Lost("its generation is gone".to_owned());
        if generation.is_gone() {
            return gone();
        }
        if !generation.is_sealed() || is_of_the_machine(&error) {
            return Unread::Failed(StoreError::Unreadable(error.to_string().into()));
        }
        if generation.set_gone() {
            return gone();
        }
        generation.close(None);
        self.set_aside.fetch_add(1, Ordering::Relaxed);
        set_aside(&*self.disk, generation.number, &error);
        Unread::Lost("its generation is damaged and was set aside".to_owned())
    }

    /// Closes all generations that are open for reads.
    pub(crate) fn close(&self) {
        let opened = std::mem::take(&mut *self.opened.lock());
        for generation in opened {
            generation.close(None);
        }
    }
}

fn invalid(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// Sets the damaged generation `number` aside, and logs its damage `error`.
pub(crate) fn set_aside(disk: &dyn Disk, number: u64, error: &dyn std::fmt::Display) {
    let name = disk.name(number);
    match disk.set_aside(number) {
        Ok(aside) => tracing::error!(
            %error,
            "{name} is damaged and set aside as {aside}; the records in it are not served"
        ),
        Err(rename) => tracing::error!(
            %error,
            %rename,
            "{name} is damaged; the records in it are not served"
        ),
    }
}
