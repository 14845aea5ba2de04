//! The committer: one thread owns the databases, and every write to them is a commit of its.
//!
//! A commit takes from every log what is new, writes full segments and, in shared frames, the
//! rest, flushes once, then saves metadata, then lets readers see the records. While it does so
//! the next commit's work gathers, so it paces itself by the disk.

use super::frame::{Entry, Frames};
use super::log::{Log, Taken};
use super::writer::{Writer, injected};
use super::{Durability, LogId, Shared};
use crate::limits;
use crate::world::{Fault, Point, Stopwatch};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use tokio::sync::Notify;

/// Wakes the committer.
#[derive(Debug)]
pub(crate) struct Signal {
    waker: Waker,
    /// 0: asleep; 1: told that there is work; 2: told that it is urgent.
    told: AtomicU8,
    pub(crate) sweep: AtomicBool,
    pub(crate) closing: AtomicBool,
}

/// What the committer sleeps on.
#[derive(Debug)]
enum Waker {
    Thread(Sender<()>),
    Task(Notify),
}

impl Signal {
    /// A signal, and what a thread sleeps on; a task sleeps in [`Signal::woken`].
    pub(crate) fn new(of_task: bool) -> (Self, Receiver<()>) {
        let (sender, receiver) = channel();
        let waker = match of_task {
            true => Waker::Task(Notify::new()),
            false => Waker::Thread(sender),
        };
        let (told, sweep, closing) = (AtomicU8::new(0), false.into(), false.into());
        (
            Self {
                waker,
                told,
                sweep,
                closing,
            },
            receiver,
        )
    }

    /// There is work.
    pub(crate) fn tell(&self) {
        self.say(1);
    }

    /// There is work that does not wait for its time.
    pub(crate) fn urge(&self) {
        self.say(2);
    }

    fn say(&self, level: u8) {
        if self.told.load(Ordering::Relaxed) < level
            && self.told.fetch_max(level, Ordering::AcqRel) < level
        {
            match &self.waker {
                // Without a committer there is nobody to wake.
                Waker::Thread(sender) => drop(sender.send(())),
                Waker::Task(task) => task.notify_one(),
            }
        }
    }

    /// Returns when a task that commits is to look.
    pub(crate) async fn woken(&self) {
        match &self.waker {
            Waker::Task(task) => task.notified().await,
            Waker::Thread(_) => std::future::pending().await,
        }
    }
}

/// Who is likely to write next, when every write is waited for: those whom the last commit
/// served, who will have their answer and come again, and those who came too late for it. A lone
/// writer waits for nobody.
#[derive(Debug, Default)]
pub(crate) struct Company {
    expected: AtomicU64,
    /// Appends since the last commit took what there was.
    came: AtomicU64,
}

impl Company {
    /// Counts an append; true when nobody else is expected.
    pub(crate) fn is_complete_with_one_more(&self) -> bool {
        let came = self.came.fetch_add(1, Ordering::Relaxed) + 1;
        came >= self.expected.load(Ordering::Relaxed)
    }

    /// A commit takes what came: how many that are.
    fn take(&self) -> u64 {
        self.came.swap(0, Ordering::Relaxed)
    }

    /// A commit served so many.
    fn expect(&self, served: u64) {
        let late = self.came.load(Ordering::Relaxed);
        self.expected.store(served + late, Ordering::Relaxed);
    }

    fn is_complete(&self) -> bool {
        self.came.load(Ordering::Relaxed) >= self.expected.load(Ordering::Relaxed)
    }
}

/// What the committer thread holds.
pub(crate) struct Committer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) receiver: Receiver<()>,
    pub(crate) writer: Writer,
    /// Logs with records that are only in the current generation's commit frames.
    pub(crate) framed: HashMap<LogId, Arc<Log>>,
}

impl Committer {
    /// Runs until the store is closed.
    pub(crate) fn run(mut self) {
        loop {
            self.wait();
            let closing = self.shared.signal.closing.load(Ordering::Acquire);
            self.turn();
            if closing {
                break;
            }
        }
        self.close();
    }

    /// Does what there is to do now.
    pub(crate) fn turn(&mut self) {
        self.shared.signal.told.store(0, Ordering::Release);
        let work = catch_unwind(AssertUnwindSafe(|| self.work()));
        let work = work.unwrap_or_else(|_| Err(io::Error::other("the committer panicked")));
        if let Err(error) = work {
            self.fail(&error);
        }
    }

    /// Closes the databases.
    pub(crate) fn close(mut self) {
        self.writer.close(&self.shared);
    }

    /// Sleeps until there is work and its time has come.
    fn wait(&self) {
        let told = || self.shared.signal.told.load(Ordering::Acquire);
        if told() == 0 && self.receiver.recv().is_err() {
            return;
        }
        let pause = match self.shared.settings.durability {
            Durability::Always => limits::COMMIT_GAP,
            Durability::Interval(pause) => pause,
            Durability::None => limits::COMMIT_PAUSE,
        };
        let always = matches!(self.shared.settings.durability, Durability::Always);
        let began = Stopwatch::start();
        while told() < 2 && !(always && self.shared.company.is_complete()) {
            let left = pause.saturating_sub(began.elapsed());
            match self.receiver.recv_timeout(left) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn work(&mut self) -> io::Result<()> {
        if self.shared.check().is_err() {
            return Ok(());
        }
        if !self.shared.on_disk {
            return self.spill_and_sweep();
        }
        self.commit(self.writer.is_full(self.shared.settings.generation_bytes))?;
        self.evict();
        if self.shared.signal.sweep.swap(false, Ordering::AcqRel) {
            self.sweep()?;
        }
        Ok(())
    }

    /// One commit; the last into its generation when that is to be `sealed`.
    pub(crate) fn commit(&mut self, sealed: bool) -> io::Result<()> {
        let served = self.shared.company.take();
        // Changes first: records that were appended before a change was saved go with it.
        let (mut changes, saved) = self.shared.take_saves();
        let dirty = std::mem::take(&mut *self.shared.dirty.lock());
        // In the order of their ids: what is written is the same whenever the same was appended.
        let mut logs: BTreeMap<LogId, Arc<Log>> =
            dirty.into_iter().map(|log| (log.id(), log)).collect();
        if sealed {
            // Also one that has just become dirty again: what of it is in frames must not stay.
            logs.extend(self.framed.drain());
        }
        let mut frames = Frames::default();
        let mut taken: Vec<Taken> = logs
            .values()
            .map(|log| log.take(sealed, &mut frames))
            .collect();
        let idle = taken.is_empty() && changes.is_empty();
        let fault = (!idle).then(|| self.fault(Point::Flush)).flatten();
        self.write(&mut taken, frames, fault == Some(Fault::Error))?;
        if fault.is_some() {
            // Half of it: the records are there, the changes are not.
            return Err(injected());
        }
        let generation = self.writer.generation();
        if sealed {
            self.writer.seal()?;
        }
        changes.append(&mut self.writer.late);
        self.writer.save(&changes)?;
        self.writer.mark(&self.shared);
        if !idle && self.fault(Point::Publish).is_some() {
            return Err(injected());
        }
        if let Some(generation) = generation {
            for taken in &taken {
                taken.log.publish(taken, &generation);
            }
        }
        self.note(taken);
        self.shared.saved.fetch_max(saved, Ordering::AcqRel);
        self.shared.company.expect(served);
        self.shared.progress.send_modify(|number| *number += 1);
        Ok(())
    }

    fn fault(&self, point: Point) -> Option<Fault> {
        self.shared.settings.faults.at(point)
    }

    /// Writes what was taken; `fails` when a test wants that it is not flushed.
    fn write(&mut self, taken: &mut [Taken], frames: Frames, fails: bool) -> io::Result<()> {
        for taken in taken {
            for (entry, segment) in &mut taken.segments {
                self.writer.insert(&self.shared, entry, segment)?;
            }
        }
        self.writer.insert_frames(&self.shared, &frames.finish())?;
        if fails {
            return Err(injected());
        }
        let flushing = Stopwatch::start();
        self.writer.flush()?;
        self.shared.commits.add(flushing.elapsed());
        Ok(())
    }

    /// After a commit: what may be evicted, and what is only in frames.
    fn note(&mut self, taken: Vec<Taken>) {
        let mut pending = 0;
        let mut sealed = self.shared.sealed.lock();
        for Taken {
            log,
            segments,
            in_frames,
            pending: bytes,
            ..
        } in taken
        {
            pending += bytes;
            sealed.extend(segments.iter().map(|(entry, _)| (log.clone(), entry.first)));
            if in_frames {
                self.framed.insert(log.id(), log);
            } else if !segments.is_empty() {
                self.framed.remove(&log.id());
            }
        }
        drop(sealed);
        self.shared.pressure.release(pending);
    }

    /// Drops stored segments from memory, oldest first, until the rest fits the budget.
    fn evict(&self) {
        while self.shared.hot.load(Ordering::Relaxed) > self.shared.settings.memory_bytes {
            let oldest = self.shared.sealed.lock().pop_front();
            let Some((log, first)) = oldest else { return };
            self.shared.freed(log.evict(first), false);
        }
        self.shared.forget_trimmed();
    }

    fn fail(&mut self, error: &io::Error) {
        if !self.shared.on_disk {
            self.refuse(error);
            return;
        }
        tracing::error!(
            %error,
            "the data directory cannot be written: reads go on, writes are refused; \
             free space or mend the disk, then restart"
        );
        self.shared.set_failed(error);
        let logs: Vec<_> = self.shared.logs.lock().values().cloned().collect();
        for log in logs {
            log.drop_invisible();
        }
        self.shared.pressure.wake();
        self.shared.progress.send_modify(|number| *number += 1);
    }

    /// Removes generations in which nothing is wanted and rewrites those in which little is.
    pub(crate) fn sweep(&mut self) -> io::Result<()> {
        let worthwhile = self.shared.settings.generation_bytes / 16;
        let framed = self
            .framed
            .values()
            .any(|log| !log.state.lock().tail.is_empty());
        if self.writer.is_dead(worthwhile) && !framed {
            self.finish_generation()?;
        }
        let sealed: Vec<_> = self.shared.generations.all.lock().clone();
        for generation in sealed
            .into_iter()
            .filter(|generation| generation.is_sealed())
        {
            if generation.live() > 0 && generation.is_half_dead() {
                self.rewrite(&generation)?;
                if self.writer.is_full(self.shared.settings.generation_bytes) {
                    self.finish_generation()?;
                }
            }
            if generation.live() == 0 {
                self.writer.remove(&self.shared, &generation)?;
            }
        }
        Ok(())
    }

    fn finish_generation(&mut self) -> io::Result<()> {
        if self.shared.on_disk {
            self.commit(true)
        } else {
            self.writer.seal()
        }
    }

    /// Copies what is wanted in a generation to the current one.
    fn rewrite(&mut self, generation: &Arc<super::generation::Generation>) -> io::Result<()> {
        let mut logs: Vec<_> = self.shared.logs.lock().values().cloned().collect();
        logs.sort_by_key(|log| log.id());
        let mut moved: Vec<(Arc<Log>, Entry)> = Vec::new();
        for log in logs {
            for (place, mut entry) in log.pieces_in(generation) {
                let read = self.shared.generations.read(generation, place.number);
                let segment = read.map_err(|error| io::Error::other(error.to_string()))?;
                let Some(segment) = segment else {
                    log.lose(entry.first);
                    continue;
                };
                self.writer.insert(&self.shared, &mut entry, &segment)?;
                moved.push((log.clone(), entry));
            }
        }
        self.writer.flush()?;
        let Some(current) = self.writer.generation() else {
            return Ok(());
        };
        for (log, entry) in moved {
            log.moved(&entry, &current);
        }
        Ok(())
    }
}
