//! States that end by themselves: one ordered queue of deadlines and one task that meets them.
//!
//! | from | when due | to |
//! |---|---|---|
//! | CREATING | the stream is ready | ACTIVE |
//! | UPDATING | the change is made | ACTIVE |
//! | DELETING | the stream is gone | none |
//!
//! A deadline is kept with its stream, so a restart goes on where the last run ended.

use super::{Engine, Stream, restore};
use crate::lock::Lock;
use crate::model::StreamStatus;
use crate::world::{Alarm, Bell, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Streams whose state ends at a moment to come.
#[derive(Debug)]
pub(super) struct Deadlines {
    queue: Lock<BTreeMap<(Timestamp, u64), Arc<Stream>>>,
    bell: Bell,
}

impl Deadlines {
    /// An empty queue, whose task `bell` wakes.
    pub(super) fn new(bell: Bell) -> Self {
        Self {
            queue: Lock::default(),
            bell,
        }
    }

    /// Adds a stream and wakes the task, whose next deadline this may be.
    pub(super) fn add(&self, due: Timestamp, stream: Arc<Stream>) {
        self.queue.lock().insert((due, stream.incarnation), stream);
        self.bell.ring();
    }

    fn next(&self) -> Option<Timestamp> {
        self.queue
            .lock()
            .first_key_value()
            .map(|((due, _), _)| *due)
    }

    fn take_due(&self, now: Timestamp) -> Option<Arc<Stream>> {
        let mut queue = self.queue.lock();
        let first = queue.first_entry().filter(|first| first.key().0 <= now)?;
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
        while let Some(stream) = engine.deadlines.take_due(now) {
            engine.meet(&stream, now).await;
        }
    }
}

impl Engine {
    /// Ends the state that a stream was to leave by now.
    async fn meet(self: &Arc<Self>, stream: &Arc<Stream>, now: Timestamp) {
        let (status, due) = stream.with_state(|state| (state.status, state.due));
        // A deadline that was replaced meanwhile, as by a deletion during CREATING.
        if due.is_none_or(|due| due > now) {
            return;
        }
        let changes = stream.with_state(|state| match status {
            StreamStatus::Deleting => restore::removed(stream, state),
            _ => {
                let mut active = state.clone();
                active.due = None;
                restore::saved(stream, &active, StreamStatus::Active, false)
            }
        });
        if self.store.save(changes).durable().await.is_err() {
            tracing::error!(stream = %stream.arn, %status, "the end of a state could not be kept");
        }
        match status {
            StreamStatus::Deleting => self.forget(stream),
            _ => self.activate(stream),
        }
    }
}
