//! ReceiveDeadLetterQueueRecords: delivers records whose number of receives has reached the limit.
use super::prelude::*;

pub(super) struct ReceiveDeadLetterQueueRecords;

impl Operation for ReceiveDeadLetterQueueRecords {
    type Input = ReceiveInput;
    type Output = ReceiveOutput;
    const SHARED: bool = true;

    async fn run(context: &Context, input: ReceiveInput) -> Result<ReceiveOutput, Error> {
        input.receive(context, true).await
    }
}

impl HasTarget for ReceiveDeadLetterQueueRecords {
    fn target(_context: &Context, input: &ReceiveInput) -> Result<Target, Error> {
        input.target()
    }
}
