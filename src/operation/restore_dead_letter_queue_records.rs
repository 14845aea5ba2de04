//! RestoreDeadLetterQueueRecords: makes dead-letter records visible to normal receives again.
use super::prelude::*;

pub(super) struct RestoreDeadLetterQueueRecords;

impl Operation for RestoreDeadLetterQueueRecords {
    type Input = HandlesInput;
    type Output = EntriesOutput;
    const SHARED: bool = true;

    async fn run(context: &Context, input: HandlesInput) -> Result<EntriesOutput, Error> {
        input.restore(context).await
    }
}

impl HasTarget for RestoreDeadLetterQueueRecords {
    fn target(_context: &Context, input: &HandlesInput) -> Result<Target, Error> {
        input.target()
    }
}
