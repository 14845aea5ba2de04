//! Ends the temporary statuses of streams and consumers, such as CREATING.
//!
//! | from | when due | to |
//! |---|---|---|
//! | CREATING | the stream is ready | ACTIVE |
//! | UPDATING | the change is made | ACTIVE |
//! | DELETING | the stream is gone | none |
//!
//! Consumers also have the statuses CREATING and DELETING. The catalog contains the deadlines, so
//! that a restarted engine continues the transitions.

use super::core::Engine;
use super::deadlines::Due;
use super::stream::Stream;
use crate::model::StreamStatus;
use crate::world::{Alarm, Timestamp};
use std::sync::Arc;

/// Ends temporary statuses at their deadlines, until the engine stops.
pub(super) async fn run(engine: Arc<Engine>, mut alarm: Alarm) {
    while engine.wait(&mut alarm, engine.deadlines.next()).await {
        let now = engine.world.clock.now();
        while let Some((stream, due)) = engine.deadlines.take_due(now) {
            match due {
                Due::Stream => end_status(&engine, &stream, now),
                Due::Consumer(name) => engine.finish_consumer(&stream, &name, now),
            }
        }
    }
}

/// Ends the status of a stream if its deadline is due.
fn end_status(engine: &Engine, stream: &Arc<Stream>, now: Timestamp) {
    let (status, due) = stream.look(|state| (state.status, state.due));
    // A later deadline applies if the stream was changed since this deadline was registered, for
    // instance deleted during CREATING.
    if due.is_none_or(|due| due > now) {
        return;
    }
    match status {
        StreamStatus::Creating => engine.activate(stream, true),
        StreamStatus::Updating => engine.finish_update(stream, now),
        StreamStatus::Deleting => engine.finish_delete(stream),
        StreamStatus::Active => {}
    }
}
