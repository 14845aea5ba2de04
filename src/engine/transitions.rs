//! Ends the temporary statuses of streams and consumers, such as CREATING.
//!
//! | from | event at the deadline | to |
//! |---|---|---|
//! | CREATING | the stream can be used | ACTIVE |
//! | UPDATING | the pending change takes effect | ACTIVE |
//! | DELETING | the stream is removed | none |
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

/// Ends the status of a stream if the deadline of the status has passed.
fn end_status(engine: &Engine, stream: &Arc<Stream>, now: Timestamp) {
    let (status, due) = stream.look(|state| (state.status, state.due));
    // A later deadline applies if the stream was changed after this deadline was registered, for
    // instance by a deletion during CREATING.
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
