//! UpdateDeadLetterQueueRecordsVisibility: sets new visibility timeouts for received dead-letter
//! records.
use super::prelude::*;

pub(super) struct UpdateDeadLetterQueueRecordsVisibility;

impl Operation for UpdateDeadLetterQueueRecordsVisibility {
    type Input = VisibilitiesInput;
    type Output = EntriesOutput;
    const SHARED: bool = true;

    async fn run(context: &Context, input: VisibilitiesInput) -> Result<EntriesOutput, Error> {
        input.apply(context, true).await
    }
}

impl HasTarget for UpdateDeadLetterQueueRecordsVisibility {
    fn target(_context: &Context, input: &VisibilitiesInput) -> Result<Target, Error> {
        input.target()
    }
}
