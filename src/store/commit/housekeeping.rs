//! A thread for slow work that no commit needs to wait for. The thread opens the next generation,
//! closes the previous generation, and removes the files of dead generations.

use crate::store::disk::seam::GenerationHandle;
use crate::store::generations::{Generation, Generations};
use crate::store::shared::state::Shared;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// The handle of a generation that the thread has opened, or the error of the opening.
pub(crate) type Opened = io::Result<Box<dyn GenerationHandle>>;

/// A job for the housekeeping thread.
type Job = Box<dyn FnOnce(&Generations) + Send>;

/// Gives jobs to the housekeeping thread. The thread ends after `close` was called and all jobs are
/// done.
pub(crate) struct Housekeeping {
    shared: Arc<Shared>,
    /// The sender of jobs to the housekeeping thread, and the thread. `None` if the calling thread
    /// does every job immediately.
    thread: Option<(Sender<Job>, JoinHandle<()>)>,
}

impl Housekeeping {
    /// Starts the housekeeping thread. Starts no thread if the disk is instant
    /// (`Disk::is_instant`).
    pub(crate) fn start(shared: Arc<Shared>) -> io::Result<Self> {
        if shared.generations.disk.is_instant() {
            let thread = None;
            return Ok(Self { shared, thread });
        }
        let (jobs, receiver) = channel::<Job>();
        let of_thread = shared.clone();
        let work = move || {
            for job in receiver {
                job(&of_thread.generations);
            }
        };
        let thread = std::thread::Builder::new()
            .name("housekeeping".into())
            .spawn(work)?;
        let thread = Some((jobs, thread));
        Ok(Self { shared, thread })
    }

    pub(crate) fn open(&self, number: u64) -> Receiver<Opened> {
        let (sender, receiver) = channel();
        self.run(move |generations| {
            // The send of the handle fails if the receiver no longer waits. A failed send drops the
            // handle, and the drop closes the generation again.
            let _unwanted = sender.send(generations.open(number));
        });
        receiver
    }

    pub(crate) fn close_generation(
        &self,
        generation: Arc<Generation>,
        writer: Box<dyn GenerationHandle>,
    ) {
        let shared = self.shared.clone();
        self.run(move |_| {
            generation.close(Some(writer));
            // Sweeps ignore the generation that is being written. Therefore this job checks a
            // generation after the last write to the generation.
            if generation.is_half_dead() {
                shared.ask_for_sweep();
            }
        });
    }

    pub(crate) fn remove_buried(&self, number: u64) {
        self.run(move |generations| {
            if let Err(error) = generations.disk.remove_buried(number) {
                let name = generations.disk.name(number);
                tracing::warn!(%error, "{name}.dead cannot be removed: remove it by hand");
            }
        });
    }

    fn run(&self, job: impl FnOnce(&Generations) + Send + 'static) {
        match &self.thread {
            None => job(&self.shared.generations),
            Some((jobs, _)) if jobs.send(Box::new(job)).is_err() => {
                tracing::error!("the thread that opens and closes generations has ended");
            }
            Some(_) => {}
        }
    }

    /// Waits until the housekeeping thread has done all jobs.
    pub(crate) fn close(&mut self) {
        let Some((jobs, thread)) = self.thread.take() else {
            return;
        };
        drop(jobs);
        if thread.join().is_err() {
            tracing::error!("the thread that opens and closes generations panicked");
        }
    }
}
