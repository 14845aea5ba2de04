//! UpdateMaxRecordSize: sets the maximum record size of a stream.
use super::prelude::*;
use crate::engine::PendingChange;

pub(super) struct UpdateMaxRecordSize;

input! { pub struct Input {
    "StreamARN" => arn: Option<StreamARN>,
    "MaxRecordSizeInKiB" => size: MaxRecordSizeInKiB,
    "StreamId" => _id: Ignored<StreamId>,
} }

impl Operation for UpdateMaxRecordSize {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let stream = context.stream_by_arn(&input.arn.ok_or_else(Error::no_stream_given)?)?;
        let size = u32::try_from(input.size.0).expect("the shape demands at least 1024");
        let updated = context.engine.update(&stream, |state, _| {
            check_active(&stream.arn, state)?;
            let mut settings = state.settings.clone();
            settings.max_record_kib = size;
            let changes = settings != state.settings;
            Ok::<_, Error>(changes.then_some(PendingChange {
                settings,
                resharding: None,
            }))
        });
        updated.await?;
        Ok(Nothing)
    }
}

impl HasTarget for UpdateMaxRecordSize {
    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        let arn = input.arn.as_ref().ok_or_else(Error::no_stream_given)?;
        parse_arn(context, arn).map(Target::Stream)
    }
}
