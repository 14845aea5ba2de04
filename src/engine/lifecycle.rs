//! States that end by themselves: one ordered queue of deadlines and one task that meets them.
//!
//! | from | when due | to |
//! |---|---|---|
//! | CREATING | the stream is ready | ACTIVE |
//! | UPDATING | the change is made | ACTIVE |
//! | DELETING | the stream is gone | none |
//!
//! Consumers likewise.
//!
//! A deadline is kept with its stream, so a restart goes on where the last run ended.

use super::state::State;
use super::{Engine, Stream, saved};
use crate::lock::Lock;
use crate::model::StreamStatus;
use crate::world::{Alarm, Bell, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whose state ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Due {
    /// The stream's own.
    Stream,
    /// That of its consumer of this name.
    Consumer(String),
}

/// States that end at a moment to come.
#[derive(Debug)]
pub(super) struct Deadlines {
    queue: Lock<Queue>,
    bell: Bell,
}

#[derive(Debug, Default)]
struct Queue {
    /// In the order of the moments, then of the asking.
    entries: BTreeMap<(Timestamp, u64), (Arc<Stream>, Due)>,
    asked: u64,
}

impl Deadlines {
    /// An empty queue, whose task `bell` wakes.
    pub(super) fn new(bell: Bell) -> Self {
        Self {
            queue: Lock::default(),
            bell,
        }
    }

    /// Adds a deadline and wakes the task, whose next one this may be.
    pub(super) fn add(&self, moment: Timestamp, stream: Arc<Stream>, due: Due) {
        let mut queue = self.queue.lock();
        queue.asked += 1;
        let asked = queue.asked;
        queue.entries.insert((moment, asked), (stream, due));
        drop(queue);
        self.bell.ring();
    }

    fn next(&self) -> Option<Timestamp> {
        self.queue
            .lock()
            .entries
            .first_key_value()
            .map(|((moment, _), _)| *moment)
    }

    fn take_due(&self, now: Timestamp) -> Option<(Arc<Stream>, Due)> {
        let mut queue = self.queue.lock();
        let first = queue
            .entries
            .first_entry()
            .filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }
}

/// Meets deadlines until the engine stops.
pub(super) async fn run(engine: Arc<Engine>, mut alarm: Alarm) {
    let mut stop = engine.stop.subscribe();
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            () = alarm.wait(engine.deadlines.next()) => {}
        }
        let now = engine.world.clock.now();
        while let Some((stream, due)) = engine.deadlines.take_due(now) {
            match due {
                Due::Stream => engine.meet(&stream, now),
                Due::Consumer(name) => engine.finish_consumer(&stream, &name, now),
            }
        }
    }
}

impl Engine {
    /// Ends the state that a stream was to leave by now.
    fn meet(&self, stream: &Arc<Stream>, now: Timestamp) {
        let (status, due) = stream.look(|state| (state.status, state.due));
        // A deadline that was replaced meanwhile, as by a deletion during CREATING.
        if due.is_none_or(|due| due > now) {
            return;
        }
        // Nobody waits for these to be kept: what is not kept is done again after a restart.
        match status {
            StreamStatus::Creating => {
                self.activate(stream);
                let save = |state: &mut State| saved::saved(stream, state, state.status, &[]);
                let _kept = self.store.save(stream.with_state(save));
            }
            StreamStatus::Updating => self.finish_update(stream, now),
            StreamStatus::Deleting => {
                let removed = stream.with_state(|state| saved::removed(stream, state));
                let _kept = self.store.save(removed);
                self.forget(stream);
            }
            StreamStatus::Active => {}
        }
    }
}
