//! ReceiveQueueRecords: delivers records of a queue. No other receiver gets a received record until
//! its visibility timeout ends.
use super::prelude::*;

pub(super) struct ReceiveQueueRecords;

impl Operation for ReceiveQueueRecords {
    type Input = ReceiveInput;
    type Output = ReceiveOutput;
    const SHARED: bool = true;
    const READ_FAST: bool = true;

    async fn run(context: &Context, input: ReceiveInput) -> Result<ReceiveOutput, Error> {
        input.receive(context, false).await
    }
}

impl HasTarget for ReceiveQueueRecords {
    fn target(_context: &Context, input: &ReceiveInput) -> Result<Target, Error> {
        input.target()
    }
}
