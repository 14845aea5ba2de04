//! DescribeStreamConsumer: describes a consumer, with the ARN of its stream.
use super::prelude::*;

pub(super) struct DescribeStreamConsumer;

input! { pub struct Input {
    .. consumer: ConsumerRef,
    "StreamId" => _id: Ignored<StreamId>,
} }

output! { pub struct Output { "ConsumerDescription" => description: ConsumerDescription, } }
document!(Output);

impl Operation for DescribeStreamConsumer {
    type Input = Input;
    type Output = Output;
    const SHARED: bool = true;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let (stream, name, consumer) = find_consumer(context, &input.consumer)?;
        let mut description = ConsumerDescription::of(&stream.arn, &name, &consumer);
        description.stream_arn = Some(stream.arn.to_string());
        Ok(Output { description })
    }
}

impl HasTarget for DescribeStreamConsumer {
    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        consumer_target(context, &input.consumer)
    }
}
