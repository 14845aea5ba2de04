//! DeleteChannel: deletes a channel in any status. Delivered data remains.
use super::prelude::*;

pub(super) struct DeleteChannel;

input! { pub struct Input { "ChannelARN" => arn: ChannelARN, } }

impl Operation for DeleteChannel {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let channel = context.channel(&input.arn)?;
        context.engine.delete_channel(&channel).await?;
        Ok(Nothing)
    }
}

impl HasTarget for DeleteChannel {
    fn target(_context: &Context, input: &Input) -> Result<Target, Error> {
        channel_target(&input.arn)
    }
}
