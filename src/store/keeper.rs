//! A thread for what takes long and nobody waits for: opening the next generation, closing the
//! last, removing the files of dead ones.

use super::Shared;
use super::disk::Database;
use super::generation::Generation;
use crate::limits;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// A database, or why it could not be opened.
pub(crate) type Opened = io::Result<Box<dyn Database>>;

enum Job {
    Open(PathBuf, Sender<Opened>),
    Close(Arc<Generation>, Box<dyn Database>),
    Remove(PathBuf),
}

/// The thread; it ends, its work done, when this is closed.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    /// Where there is no thread what is asked for is done at once.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    pub(crate) fn start(shared: Arc<Shared>) -> io::Result<Self> {
        let (jobs, receiver) = channel();
        let theirs = shared.clone();
        let work = move || {
            for job in receiver {
                run(&theirs, job);
            }
        };
        let thread = std::thread::Builder::new()
            .name("generations".into())
            .spawn(work)?;
        Ok(Self {
            shared,
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// One without a thread, which does at once what it is asked for.
    pub(crate) fn of_none(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            jobs: None,
            thread: None,
        }
    }

    pub(crate) fn open(&self, path: PathBuf) -> Receiver<Opened> {
        let (sender, receiver) = channel();
        self.send(Job::Open(path, sender));
        receiver
    }

    pub(crate) fn close_generation(&self, generation: Arc<Generation>, writer: Box<dyn Database>) {
        self.send(Job::Close(generation, writer));
    }

    pub(crate) fn remove(&self, path: PathBuf) {
        self.send(Job::Remove(path));
    }

    fn send(&self, job: Job) {
        match &self.jobs {
            None => run(&self.shared, job),
            Some(jobs) if jobs.send(job).is_err() => {
                tracing::error!("the thread that opens and closes generations has ended");
            }
            Some(_) => {}
        }
    }

    /// Waits for all that was asked for.
    pub(crate) fn close(&mut self) {
        self.jobs.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that opens and closes generations panicked");
        }
    }
}

fn run(shared: &Shared, job: Job) {
    let disk = &shared.generations.disk;
    match job {
        Job::Open(path, opened) => {
            // Nobody may want it any more: then it is closed again.
            let _unwanted = opened.send(disk.open(&path, limits::DATABASE_CACHE_BYTES));
        }
        Job::Close(generation, writer) => {
            generation.close(Some(writer));
            // What died while it was written to was left alone until now.
            if generation.is_half_dead() {
                shared.ask_for_sweep();
            }
        }
        Job::Remove(path) => {
            if let Err(error) = disk.remove(&path) {
                tracing::warn!(%error, "{} cannot be removed: remove it by hand", path.display());
            }
        }
    }
}
