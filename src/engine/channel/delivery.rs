//! The delivery of a channel's records.

use super::item::Channel;
use crate::engine::Engine;
use std::sync::Arc;

impl Engine {
    /// Begins the delivery of a channel that became ACTIVE or was restored as such. The delivery
    /// ends when the channel does not deliver any more ([`Channel::changes`] signals it).
    pub(super) fn begin_delivery(self: &Arc<Self>, channel: &Arc<Channel>) {
        tracing::debug!(channel = %channel.arn, "the channel begins to deliver");
    }
}
