//! UpdateStreamRecordDistributionStrategy: sets the strategy that assigns the records of a stream
//! to its shards. The new strategy takes effect immediately.
use super::prelude::*;
use crate::model::StreamMode;

pub(super) struct UpdateStreamRecordDistributionStrategy;

input! { pub struct Input {
    "StreamARN" => arn: StreamARN,
    "RecordDistributionStrategy" => strategy: RecordDistributionStrategy,
    "StreamId" => _id: Ignored<StreamId>,
} }

impl Operation for UpdateStreamRecordDistributionStrategy {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let stream = context.stream_by_arn(&input.arn)?;
        let amended = context.engine.amend(&stream, |state, _| {
            check_active(&stream.arn, state)?;
            if state.mode() == StreamMode::Provisioned {
                return Err(Error::auto_distribution_not_expected());
            }
            state.settings.auto_distribution = input.strategy == RecordDistributionStrategy::Auto;
            Ok(())
        });
        amended.await?;
        Ok(Nothing)
    }
}

impl HasTarget for UpdateStreamRecordDistributionStrategy {
    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        parse_arn(context, &input.arn).map(Target::Stream)
    }
}
