//! DescribeChannel: describes a channel with its destination, its stream and its status.
use super::prelude::*;

pub(super) struct DescribeChannel;

input! { pub struct Input { "ChannelARN" => arn: ChannelARN, } }

output! { pub struct Output { "ChannelDescription" => channel: ChannelDescription, } }
document!(Output);

impl Operation for DescribeChannel {
    type Input = Input;
    type Output = Output;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let channel = context.channel(&input.arn)?;
        let channel = ChannelDescription::of(&channel);
        Ok(Output { channel })
    }
}

impl HasTarget for DescribeChannel {
    fn target(_context: &Context, input: &Input) -> Result<Target, Error> {
        channel_target(&input.arn)
    }
}
