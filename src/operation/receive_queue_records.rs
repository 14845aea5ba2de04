//! ReceiveQueueRecords: delivers records of a queue. While a record is invisible, no other receiver
//! gets it.
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
