//! UpdateQueueRecordsVisibility: sets new visibility timeouts for received records.
use super::prelude::*;

pub(super) struct UpdateQueueRecordsVisibility;

impl Operation for UpdateQueueRecordsVisibility {
    type Input = VisibilitiesInput;
    type Output = EntriesOutput;
    const SHARED: bool = true;

    async fn run(context: &Context, input: VisibilitiesInput) -> Result<EntriesOutput, Error> {
        input.apply(context, false).await
    }
}

impl HasTarget for UpdateQueueRecordsVisibility {
    fn target(_context: &Context, input: &VisibilitiesInput) -> Result<Target, Error> {
        input.target()
    }
}
