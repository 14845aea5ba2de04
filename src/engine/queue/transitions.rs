//! The task that handles the deadlines of queues. The task ends statuses. It also ends visibility
//! timeouts, but only in queues with a waiting receive request. In every other queue, the next
//! request that uses the queue ends the visibility timeout. Therefore an idle queue causes no work.

use super::item::Queue;
use super::journal::CommitPriority;
use super::registry::Due;
use super::view::StreamView;
use crate::engine::Engine;
use crate::model::StreamStatus;
use crate::world::{Alarm, Timestamp};
use std::sync::Arc;

/// Handles the deadlines of queues, until the engine stops.
pub(in crate::engine) async fn run(engine: Arc<Engine>, mut alarm: Alarm) {
    while engine
        .wait(&mut alarm, engine.queues.deadlines.next())
        .await
    {
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
        // A later deadline applies if the queue was changed after this deadline was registered, for
        // instance by a deletion during CREATING.
        if due.is_none_or(|due| due > now) {
            return;
        }
        // No request waits until this change is durable. The next start makes the change again if a
        // crash loses it.
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
            // Some records may have become dead-letter records. The next journal document saves
            // this change.
            let _unkept = state.finish_pass(self, queue, None, now, CommitPriority::Deferred);
        });
    }

    /// Removes expired records from the memory of all queues.
    pub(in crate::engine) async fn trim_queues(&self, now: Timestamp) {
        for queue in self.queues.all() {
            let Ok(reservation) = queue.reserve(self, 64).await else {
                return;
            };
            let view = StreamView::of(&queue.stream, now);
            queue.with_state(|state| {
                state.refresh(&view, now);
                view.expire_ahead(&mut state.records);
                let _deferred =
                    state.finish_pass(self, &queue, reservation, now, CommitPriority::Deferred);
            });
        }
    }
}
