//! The names and the settings from which the objects of an attempt are made.

use crate::engine::channel::destination_error::DestinationError;
use crate::engine::channel::item::Channel;
use crate::model::channel::{ChannelSettings, KeyTemplate, ObjectPlan, S3Destination};
use std::sync::Arc;

/// The names that keys and dead-letter lines contain, and the settings of the channel.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) channel_arn: String,
    pub(super) channel_name: String,
    pub(super) channel_id: String,
    pub(super) stream_arn: String,
    pub(super) settings: Arc<ChannelSettings>,
    /// The unique suffix of the keys.
    pub(super) suffix: String,
}

/// The bucket of the records, and the keys of their objects.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) bucket: S3Destination,
    pub(super) template: KeyTemplate,
}

impl Origin {
    /// Describes the objects of a plan.
    pub(super) fn of(channel: &Channel, plan: &ObjectPlan) -> Self {
        Self {
            channel_arn: channel.arn.to_string(),
            channel_name: channel.name.to_string(),
            channel_id: channel.arn.id.to_string(),
            stream_arn: channel.stream.arn.to_string(),
            suffix: plan.suffix(&channel.arn.id),
            settings: channel.describe().settings,
        }
    }
}

impl Target {
    /// The bucket of a channel.
    ///
    /// # Errors
    /// Returns an error if the settings of the channel name no objects.
    pub(super) fn of(channel: &Channel, bucket: &S3Destination) -> Result<Self, DestinationError> {
        let template = KeyTemplate::parse(&bucket.key_template, &channel.name);
        let invalid = |fault| DestinationError::Refused(format!("The key template {fault}."));
        Ok(Self {
            bucket: bucket.clone(),
            template: template.map_err(invalid)?,
        })
    }
}
