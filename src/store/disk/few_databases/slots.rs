//! The slots for open databases, and the line of threads that wait for a database.
//!
//! Only one thread at a time uses a database. To use a closed database, a thread opens the database
//! in a free slot. If no slot is free, the thread first closes another database. These rules select
//! the database to close:
//! - A database with uncommitted appends is never closed. The closing of a sled database flushes
//!   it, and this flush would make a part of a commit durable.
//! - A generation that a thread has written is closed only if there is no other database to close.
//!   Readers therefore do not close the generation that is being written. Among the other
//!   databases, the least recently used database is closed.
//! - A database stays open for a minimum time, the lease, so that one opening serves many reads.
//!
//! Only the first thread of the line opens a database, so no thread waits for ever. After the lease
//! of the database that is to be closed, no other thread may use this database. A writer whose
//! database is closed enters the line at the front. A writer whose database is open enters the line
//! behind the first thread, because the first thread may be waiting for the closing of this
//! database.

use crate::limits::{DESCRIPTOR_PAUSE, DESCRIPTOR_TRIES};
use crate::lock::Lock;
use crate::store::disk::seam::{Disk, GenerationHandle, MetadataHandle};
use crate::store::error::is_out_of_descriptors;
use crate::world::Stopwatch;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// The name of a database on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Metadata,
    Generation(u64),
    /// A copy of the generation with the given number.
    Copy(u64),
}

/// The handle of an open database.
pub(super) enum Database {
    Metadata(Box<dyn MetadataHandle>),
    Generation(Box<dyn GenerationHandle>),
}

/// The purpose for which a thread takes a database from the slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The thread creates the database of a generation that is not on the disk yet.
    Create,
    /// The thread opens the database for the first time.
    Open,
    Read,
    Append,
    /// The thread commits earlier appends, or writes and commits in one call.
    Commit,
}

impl Purpose {
    fn is_write(self) -> bool {
        matches!(self, Self::Create | Self::Append | Self::Commit)
    }

    /// Returns the number of further attempts to open a database after an attempt fails because the
    /// process has too many open files. Returns zero for the first opening of a database, because
    /// the caller repeats such an opening.
    fn tries(self) -> u32 {
        match self {
            Self::Create | Self::Open => 0,
            Self::Read | Self::Append | Self::Commit => DESCRIPTOR_TRIES,
        }
    }
}

/// The slots for the open databases of one disk.
pub(super) struct Slots {
    disk: Arc<dyn Disk>,
    /// Minimum time for which a database stays open.
    lease: Duration,
    state: Lock<State>,
}

struct State {
    /// Maximum number of databases that may be open at the same time.
    most: usize,
    slots: Vec<Slot>,
    /// Databases that are being closed. No thread may open such a database before it is closed.
    closing: Vec<Name>,
    /// Threads that wait for a database. These threads may open databases in the order of this
    /// line.
    line: VecDeque<Waiter>,
    /// Senders that wake the threads that wait until they can close a database.
    closers: Vec<SyncSender<()>>,
    /// Number of uses of all databases so far. `Slot::last_use` is this number at the last use of
    /// the slot.
    uses: u64,
    /// Number of threads that have joined the line so far. Each thread gets the number that
    /// includes itself.
    lined_up: u64,
}

/// The slot of one open database.
struct Slot {
    name: Name,
    /// The open database. `None` while a thread opens or uses the database.
    database: Option<Database>,
    opened: Stopwatch,
    last_use: u64,
    written: bool,
    /// True if the database has uncommitted appends.
    uncommitted: bool,
    /// True if a write to the database failed. The file descriptors of such a database stay
    /// occupied after its closing. The closing therefore reduces the maximum number of open
    /// databases by one.
    failed: bool,
}

struct Waiter {
    number: u64,
    name: Name,
    wake: SyncSender<()>,
}

/// The next step of a thread that has to use a database.
enum Step {
    Use(Database),
    /// The thread opens the database. If the field has a slot, the thread first closes the database
    /// of this slot.
    Open(Option<Slot>),
    /// The thread waits until another thread wakes it. If the field has a time, the thread waits at
    /// most for this time.
    Wait(Option<Duration>),
}

impl Slots {
    pub(super) fn new(disk: Arc<dyn Disk>, most: usize, lease: Duration) -> Self {
        Self {
            disk,
            lease,
            state: Lock::new(State {
                most: most.max(2),
                slots: Vec::new(),
                closing: Vec::new(),
                line: VecDeque::new(),
                closers: Vec::new(),
                uses: 0,
                lined_up: 0,
            }),
        }
    }

    /// Takes the database `name` for one use, and opens the database if it is closed. Blocks the
    /// thread until no other thread uses the database.
    pub(super) fn take(&self, name: Name, purpose: Purpose) -> io::Result<Taken<'_>> {
        let mut place: Option<(u64, Receiver<()>)> = None;
        loop {
            let mut state = self.state.lock();
            let number = place.as_ref().map(|(number, _)| *number);
            let step = state.step(name, purpose, number, self.lease);
            let limit = match step {
                Step::Wait(limit) => limit,
                Step::Use(_) | Step::Open(_) => {
                    state.leave(number);
                    drop(state);
                    return self.taken(name, purpose, step);
                }
            };
            let (_, woken) = place.get_or_insert_with(|| state.line_up(name, purpose));
            drop(state);
            let _time_is_over = match limit {
                Some(limit) => woken.recv_timeout(limit).is_err(),
                None => woken.recv().is_err(),
            };
        }
    }

    fn taken(&self, name: Name, purpose: Purpose, step: Step) -> io::Result<Taken<'_>> {
        let mut taken = Taken {
            slots: self,
            name,
            purpose,
            database: None,
        };
        match step {
            Step::Use(database) => taken.database = Some(database),
            Step::Open(leaving) => {
                if let Some(leaving) = leaving {
                    self.finish_closing(leaving);
                }
                taken.database = Some(self.open(name, purpose.tries())?);
                let mut state = self.state.lock();
                if let Some(slot) = state.slot(name) {
                    slot.opened = Stopwatch::start();
                }
            }
            Step::Wait(_) => {}
        }
        Ok(taken)
    }

    fn open(&self, name: Name, tries: u32) -> io::Result<Database> {
        let open = || match name {
            Name::Metadata => self.disk.open_metadata().map(Database::Metadata),
            Name::Generation(number) => self.disk.open(number).map(Database::Generation),
            Name::Copy(number) => self.disk.open_copy(number).map(Database::Generation),
        };
        for _ in 0..tries {
            match open() {
                Err(error) if is_out_of_descriptors(&error) => {
                    std::thread::sleep(DESCRIPTOR_PAUSE);
                }
                opened => return opened,
            }
        }
        open()
    }

    /// Closes the database `name` if it is open. Blocks the thread while another thread uses the
    /// database.
    pub(super) fn close(&self, name: Name) {
        loop {
            let mut state = self.state.lock();
            let at = state.position(name);
            let idle = at.filter(|at| state.slots[*at].database.is_some());
            if let Some(at) = idle {
                let slot = state.slots.swap_remove(at);
                state.closing.push(name);
                drop(state);
                return self.finish_closing(slot);
            }
            if at.is_none() && !state.closing.contains(&name) {
                return;
            }
            let (wake, woken) = sync_channel(1);
            state.closers.push(wake);
            drop(state);
            let _woken = woken.recv();
        }
    }

    /// Closes the database of `slot`. The caller has already removed the slot from the list of
    /// slots.
    fn finish_closing(&self, slot: Slot) {
        let Slot {
            name,
            database,
            failed,
            ..
        } = slot;
        drop(database);
        let mut state = self.state.lock();
        state.closing.retain(|closing| *closing != name);
        if failed {
            state.most = (state.most - 1).max(1);
        }
        state.wake();
    }
}

impl State {
    fn position(&self, name: Name) -> Option<usize> {
        self.slots.iter().position(|slot| slot.name == name)
    }

    fn slot(&mut self, name: Name) -> Option<&mut Slot> {
        self.slots.iter_mut().find(|slot| slot.name == name)
    }

    /// Decides the next step of a thread that has to use the database `name`. `number` is the
    /// number of the thread in the line, or `None` if the thread is not in the line.
    fn step(&mut self, name: Name, purpose: Purpose, number: Option<u64>, lease: Duration) -> Step {
        self.uses += 1;
        let first = self.line.front();
        let is_first = first.is_none_or(|first| Some(first.number) == number);
        if let Some(at) = self.position(name) {
            let for_other = !is_first && first.is_some_and(|first| first.name != name);
            return self.step_open(at, for_other && self.must_leave(at, lease));
        }
        let has_turn = is_first || purpose.is_write() && number.is_none();
        match has_turn && !self.closing.contains(&name) {
            true => self.step_closed(name, lease),
            false => Step::Wait(None),
        }
    }

    /// Decides the next step of a thread whose database is open in slot `at`. If `must_leave` is
    /// true, the thread may not use the database, because another thread is about to close it.
    fn step_open(&mut self, at: usize, must_leave: bool) -> Step {
        let slot = &mut self.slots[at];
        match slot.database.take_if(|_| !must_leave) {
            Some(database) => {
                slot.last_use = self.uses;
                Step::Use(database)
            }
            None => Step::Wait(None),
        }
    }

    /// Decides the next step of a thread that may open its closed database now.
    fn step_closed(&mut self, name: Name, lease: Duration) -> Step {
        if self.slots.len() < self.most {
            self.slots.push(Slot::of(name, self.uses));
            return Step::Open(None);
        }
        let Some(at) = self.leaving() else {
            return Step::Wait(None);
        };
        let left = lease.saturating_sub(self.slots[at].opened.elapsed());
        if !left.is_zero() {
            return Step::Wait(Some(left));
        }
        if self.slots[at].database.is_none() {
            return Step::Wait(None);
        }
        let slot = std::mem::replace(&mut self.slots[at], Slot::of(name, self.uses));
        self.closing.push(slot.name);
        Step::Open(Some(slot))
    }

    /// Returns true if the first thread of the line waits for the closing of the database in slot
    /// `at`.
    fn must_leave(&self, at: usize, lease: Duration) -> bool {
        self.slots.len() >= self.most
            && self.leaving() == Some(at)
            && self.slots[at].opened.elapsed() >= lease
    }

    /// Returns the position of the slot whose database is to be closed next. Returns `None` if no
    /// database may be closed.
    fn leaving(&self) -> Option<usize> {
        let slots = self.slots.iter().enumerate();
        let may_leave = slots.filter(|(_, slot)| !slot.uncommitted);
        let leaving = may_leave.min_by_key(|(_, slot)| (slot.written, slot.last_use));
        leaving.map(|(at, _)| at)
    }

    /// Adds the calling thread to the line. Returns the number of the thread in the line, and the
    /// receiver that wakes the thread.
    fn line_up(&mut self, name: Name, purpose: Purpose) -> (u64, Receiver<()>) {
        let (wake, woken) = sync_channel(1);
        self.lined_up += 1;
        let number = self.lined_up;
        let waiter = Waiter { number, name, wake };
        let at = match (purpose.is_write(), self.position(name)) {
            (true, None) => 0,
            (true, Some(_)) => 1.min(self.line.len()),
            (false, _) => self.line.len(),
        };
        self.line.insert(at, waiter);
        (number, woken)
    }

    fn leave(&mut self, number: Option<u64>) {
        if number.is_some() {
            self.line.retain(|waiter| Some(waiter.number) != number);
            self.wake();
        }
    }

    /// Wakes each thread that may be able to continue. These are the first thread of the line, the
    /// first thread that waits for each open and unused database, and all threads that wait until
    /// they can close a database.
    fn wake(&mut self) {
        let idle = self.slots.iter().filter(|slot| slot.database.is_some());
        let users = idle.filter_map(|slot| self.line.iter().find(|of| of.name == slot.name));
        for waiter in self.line.front().into_iter().chain(users) {
            // The send fails if the thread was already woken.
            let _woken = waiter.wake.try_send(());
        }
        self.closers.clear();
    }
}

impl Slot {
    fn of(name: Name, last_use: u64) -> Self {
        Self {
            name,
            database: None,
            opened: Stopwatch::start(),
            last_use,
            written: false,
            uncommitted: false,
            failed: false,
        }
    }
}

/// A database that one thread uses. Dropping this value lets other threads use the database.
pub(super) struct Taken<'a> {
    slots: &'a Slots,
    name: Name,
    purpose: Purpose,
    /// The database in use. `None` if its opening failed.
    database: Option<Database>,
}

impl Taken<'_> {
    /// Runs `act` on the database, and returns the result. Afterwards other threads may use the
    /// database.
    pub(super) fn run<T>(self, act: impl FnOnce(&Database) -> io::Result<T>) -> io::Result<T> {
        let database = self.database.as_ref();
        let result = act(database.expect("the opening succeeded"));
        let is_generation = matches!(database, Some(Database::Generation(_)));
        if let Some(slot) = self.slots.state.lock().slot(self.name) {
            match self.purpose {
                Purpose::Append => slot.uncommitted = true,
                Purpose::Commit => slot.uncommitted &= result.is_err(),
                Purpose::Create | Purpose::Open | Purpose::Read => {}
            }
            slot.written |= self.purpose.is_write() && is_generation;
            slot.failed |= self.purpose.is_write() && result.is_err();
        }
        result
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut state = self.slots.state.lock();
        let Some(at) = state.position(self.name) else {
            return;
        };
        match self.database.take() {
            None => drop(state.slots.swap_remove(at)),
            database => state.slots[at].database = database,
        }
        state.wake();
    }
}
