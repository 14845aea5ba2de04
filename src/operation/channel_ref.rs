//! Look-up of the channel that a request names.

use super::channel_shapes::ChannelARN;
use super::context::Context;
use crate::engine::channel::Channel;
use crate::error::Error;
use crate::model::{ChannelArn, Target};
use std::sync::Arc;

impl Context {
    /// Finds the channel with this ARN, in any status.
    pub(super) fn channel(&self, text: &ChannelARN) -> Result<Arc<Channel>, Error> {
        let arn = parse_channel_arn(text)?;
        let found = self.engine.find_channel(&arn);
        found.ok_or_else(|| Error::channel_not_found(text.as_str()))
    }
}

/// Returns the channel with this ARN as the target of the policy check. The channel need not exist.
pub(super) fn channel_target(text: &ChannelARN) -> Result<Target, Error> {
    parse_channel_arn(text).map(Target::Channel)
}

/// Parses the ARN of a channel. The service model's pattern also admits texts that are not a valid
/// ARN. Such a text gives the error that the channel is not found.
fn parse_channel_arn(text: &ChannelARN) -> Result<ChannelArn, Error> {
    ChannelArn::parse(text.as_str()).ok_or_else(|| Error::channel_not_found(text.as_str()))
}
