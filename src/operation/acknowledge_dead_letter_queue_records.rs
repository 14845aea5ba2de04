//! AcknowledgeDeadLetterQueueRecords: removes received dead-letter records from a queue.
use super::prelude::*;

pub(super) struct AcknowledgeDeadLetterQueueRecords;

impl Operation for AcknowledgeDeadLetterQueueRecords {
    type Input = HandlesInput;
    type Output = EntriesOutput;
    const SHARED: bool = true;

    async fn run(context: &Context, input: HandlesInput) -> Result<EntriesOutput, Error> {
        input.acknowledge(context, true).await
    }
}

impl HasTarget for AcknowledgeDeadLetterQueueRecords {
    fn target(_context: &Context, input: &HandlesInput) -> Result<Target, Error> {
        input.target()
    }
}
