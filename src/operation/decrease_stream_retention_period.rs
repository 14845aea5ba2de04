//! DecreaseStreamRetentionPeriod: shortens the retention period. Records older than the new period
//! expire immediately.
use super::prelude::*;

pub(super) struct DecreaseStreamRetentionPeriod;

input! { pub struct Input {
    "RetentionPeriodHours" => hours: RetentionPeriodHours,
    .. stream: StreamRef,
} }

impl Operation for DecreaseStreamRetentionPeriod {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let stream = context.stream(&input.stream)?;
        let RetentionPeriodHours(hours) = input.hours;
        set_retention(context, &stream, hours, |hours, current| {
            match hours > current {
                true => Err(Error::retention_not_shorter(
                    input.hours.0,
                    &stream.arn,
                    current,
                )),
                false => Ok(()),
            }
        })
        .await?;
        Ok(Nothing)
    }
}
