//! DeleteQueue: deletes a queue. The records of its stream remain.
use super::prelude::*;

pub(super) struct DeleteQueue;

input! { pub struct Input { "QueueARN" => arn: QueueARN, } }

impl Operation for DeleteQueue {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let queue = context.queue(&input.arn)?;
        let account = queue.arn.scope.account;
        let too_many = |limit| Error::too_many_queues_in_transition(account, limit);
        context.engine.delete_queue(&queue, too_many).await?;
        Ok(Nothing)
    }
}

impl HasTarget for DeleteQueue {
    fn target(_context: &Context, input: &Input) -> Result<Target, Error> {
        queue_target(&input.arn)
    }
}
