//! Look-up of the queue that a request names.

use super::context::Context;
use super::queue_shapes::QueueARN;
use crate::engine::queue::Queue;
use crate::error::Error;
use crate::model::{QueueArn, Target};
use std::sync::Arc;

impl Context {
    /// Finds the queue with this ARN, in any status.
    pub(super) fn queue(&self, text: &QueueARN) -> Result<Arc<Queue>, Error> {
        let arn = parse_queue_arn(text)?;
        let found = self.engine.find_queue(&arn);
        found.ok_or_else(|| Error::queue_not_found(text.as_str()))
    }
}

/// Returns the queue with this ARN as the target of the policy check. The queue need not exist.
pub(super) fn queue_target(text: &QueueARN) -> Result<Target, Error> {
    parse_queue_arn(text).map(Target::Queue)
}

/// Parses the ARN of a queue. The service model's pattern also admits texts that are not a valid
/// ARN. Such a text gives the error that the queue is not found.
fn parse_queue_arn(text: &QueueARN) -> Result<QueueArn, Error> {
    QueueArn::parse(text.as_str()).ok_or_else(|| Error::queue_not_found(text.as_str()))
}
