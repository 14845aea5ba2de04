//! AcknowledgeQueueRecords: marks received records of a queue as processed, so that the queue does
//! not deliver them again.
use super::prelude::*;

pub(super) struct AcknowledgeQueueRecords;

impl Operation for AcknowledgeQueueRecords {
    type Input = HandlesInput;
    type Output = EntriesOutput;
    const SHARED: bool = true;
    const READ_FAST: bool = true;

    async fn run(context: &Context, input: HandlesInput) -> Result<EntriesOutput, Error> {
        input.acknowledge(context, false).await
    }
}

impl HasTarget for AcknowledgeQueueRecords {
    fn target(_context: &Context, input: &HandlesInput) -> Result<Target, Error> {
        input.target()
    }
}
