//! The attributes of a queue.

use crate::limits;

/// The attributes of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueAttributes {
    /// Visibility timeout of received records where the receiver names none, in seconds.
    pub(crate) visibility_timeout_s: u32,
    /// Receives after which a record becomes dead-letter; none, if records never do.
    pub(crate) max_receive_count: Option<u32>,
}

impl Default for QueueAttributes {
    fn default() -> Self {
        Self {
            visibility_timeout_s: limits::QUEUE_VISIBILITY_TIMEOUT_S,
            max_receive_count: Some(limits::QUEUE_MAX_RECEIVE_COUNT),
        }
    }
}
