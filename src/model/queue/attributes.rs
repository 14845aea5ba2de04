//! The attributes of a queue: its visibility timeout and its limit of receives.

use crate::limits;

/// The attributes that CreateQueue and UpdateQueue requests give to a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueAttributes {
    /// The visibility timeout in seconds, for receive requests that do not give a timeout.
    pub(crate) visibility_timeout_s: u32,
    /// Number of receives after which a record becomes a dead-letter record. `None` if records
    /// never become dead-letter records.
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
