//! DescribeQueue: describes a queue with its attributes and its stream.
use super::prelude::*;

pub(super) struct DescribeQueue;

input! { pub struct Input { "QueueARN" => arn: QueueARN, } }

output! { pub struct Output { "QueueDescription" => queue: QueueDescription, } }
document!(Output);

impl Operation for DescribeQueue {
    type Input = Input;
    type Output = Output;
    const SHARED: bool = true;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let queue = context.queue(&input.arn)?;
        let queue = QueueDescription::of(&queue);
        Ok(Output { queue })
    }
}

impl HasTarget for DescribeQueue {
    fn target(_context: &Context, input: &Input) -> Result<Target, Error> {
        queue_target(&input.arn)
    }
}
