//! The task that meets the deadlines of queues: the ends of statuses, and of visibility timeouts
//! that a receive waits for. Other timeouts end when the queue is next looked at, so an idle queue
//! wakes no task.

use super::item::Queue;
use super::journal::CommitPriority;
use super::registry::Due;
use super::view::StreamView;
use crate::engine::Engine;
use crate::model::StreamStatus;
use crate::world::{Alarm, Timestamp};
use std::sync::Arc;

/// Meets the deadlines of queues until the engine stops.
pub(in crate::engine) async fn run(engine: Arc<Engine>, mut alarm: Alarm) {
    let mut stop = engine.stop.subscribe();
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            () = alarm.wait(engine.queues.deadlines.next()) => {}
        }
        let now = engine.world.clock.now();
        while let Some((queue, due)) = engine.queues.deadlines.take_due(now) {
            match due {
                Due::Status => engine.end_status(&queue, now),
                Due::Visibility => engine.end_visibility(&queue, now),
            }
        }
    }
}

impl Engine {
    fn end_status(&self, queue: &Arc<Queue>, now: Timestamp) {
        let (status, due) = queue.with_state(|state| (state.status, state.due));
        // A deadline that was replaced meanwhile, as by a deletion during CREATING.
        if due.is_none_or(|due| due > now) {
            return;
        }
        // No request waits for the save: a change that is not saved is made again after a restart.
        match status {
            StreamStatus::Creating | StreamStatus::Updating => {
                self.activate_queue(queue);
                let _kept = queue.with_state(|state| self.save_queue(queue, state, state.status));
            }
            StreamStatus::Deleting => {
                let _kept = queue.with_state(|state| self.save_end(queue, state));
                self.forget_queue(queue);
            }
            StreamStatus::Active => {}
        }
    }

    fn end_visibility(&self, queue: &Arc<Queue>, now: Timestamp) {
        let view = StreamView::of(&queue.stream, now);
        queue.with_state(|state| {
            state.armed = state.armed.filter(|armed| *armed > now);
            state.refresh(&view, now);
            // What became dead-letter is kept with the next pass.
            let _unkept = state.settle_up(self, queue, None, now, CommitPriority::Deferred);
        });
    }

    /// Gives the memory of expired records back.
    pub(in crate::engine) async fn trim_queues(&self, now: Timestamp) {
        for queue in self.queues.all() {
            let Ok(reservation) = queue.reserve(self, 64).await else {
                return;
            };
            let view = StreamView::of(&queue.stream, now);
            queue.with_state(|state| {
                state.refresh(&view, now);
                let _deferred =
                    state.settle_up(self, &queue, reservation, now, CommitPriority::Deferred);
            });
        }
    }
}
