//! UpdateQueue: changes the attributes of a queue. The queue delivers records during the change.
use super::prelude::*;
use crate::model::StreamStatus;

pub(super) struct UpdateQueue;

input! { pub struct Input {
    "QueueARN" => arn: QueueARN,
    "QueueAttributes" => attributes: QueueAttributesInput,
} }

output! { pub struct Output { "QueueDescription" => queue: QueueDescription, } }
document!(Output);

impl Operation for UpdateQueue {
    type Input = Input;
    type Output = Output;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        // Checks the members against each other before the queue is looked up. This order is a
        // choice.
        changed_attributes(QueueAttributes::default(), &input.attributes)?;
        let queue = context.queue(&input.arn)?;
        let (name, account) = (&queue.name, queue.arn.scope.account);
        let check = |status| match status {
            StreamStatus::Active => Ok(()),
            status => Err(Error::queue_not_active(name, account, status)),
        };
        let change = |before| changed_attributes(before, &input.attributes).unwrap_or(before);
        let updated = context.engine.update_queue(&queue, check, change);
        let attributes = updated.await?;
        let queue = QueueDescription::with(&queue, StreamStatus::Updating, attributes);
        Ok(Output { queue })
    }
}

impl HasTarget for UpdateQueue {
    fn target(_context: &Context, input: &Input) -> Result<Target, Error> {
        queue_target(&input.arn)
    }
}
