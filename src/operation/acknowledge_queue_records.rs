//! AcknowledgeQueueRecords: settles received records, which are not delivered again.
use super::prelude::*;

pub(super) struct AcknowledgeQueueRecords;

impl Operation for AcknowledgeQueueRecords {
    type Input = HandlesInput;
    type Output = EntriesOutput;
    const SHARED: bool = true;

    async fn run(context: &Context, input: HandlesInput) -> Result<EntriesOutput, Error> {
        let queue = context.queue(&input.arn)?;
        let handles = input.handles();
        let outcomes = queue.acknowledge(&context.engine, false, &handles);
        EntriesOutput::of(&queue, &handles, outcomes.await)
    }
}

impl HasTarget for AcknowledgeQueueRecords {
    fn target(_context: &Context, input: &HandlesInput) -> Result<Target, Error> {
        input.target()
    }
}
