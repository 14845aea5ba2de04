//! Checks of the queues in a snapshot. The load of a snapshot refuses a queue that no emulator saves.

use super::item::log_id;
use crate::engine::Engine;
use crate::limits;
use crate::model::{QueueBounds, QueueReplay};
use crate::store::QueueValue;

/// Checks the attributes of a queue.
///
/// # Errors
/// Returns a text that names the first attribute that is impossible.
pub(in crate::engine) fn check_attributes(value: &QueueValue) -> Result<(), &'static str> {
    if value.visibility_timeout_s > limits::QUEUE_MOST_VISIBILITY_S {
        return Err("its visibility timeout is impossible");
    }
    let receives = 1..=limits::QUEUE_MOST_RECEIVES;
    match value.max_receive_count {
        Some(count) if !receives.contains(&count) => {
            Err("its maximum number of receives is impossible")
        }
        _ => Ok(()),
    }
}

/// Checks the records' states that the journal of a queue contains. `incarnation` is the incarnation
/// number of the queue.
///
/// # Errors
/// Returns a text that names the first part of the state that is impossible.
pub(in crate::engine) fn check_state(
    engine: &Engine,
    incarnation: u64,
    bounds: &QueueBounds<'_>,
) -> Result<(), &'static str> {
    let mut replay = QueueReplay::default();
    let mut can_read = true;
    let log = engine.store.log(log_id(incarnation));
    let read = log.read_all(|record| can_read &= replay.read(record.data));
    if read.is_err() || !can_read {
        return Err("a part of it cannot be read");
    }
    replay.check(bounds)
}
