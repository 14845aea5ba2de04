//! The names and settings of a channel and its stream from which one delivery attempt makes the
//! keys and the lines of its objects.

use crate::engine::channel::destination_error::DestinationError;
use crate::engine::channel::item::Channel;
use crate::model::channel::{ChannelSettings, KeyTemplate, ObjectPlan, S3Destination};
use std::sync::Arc;

/// The names that occur in the keys of objects and in the lines of dead-letter objects. Also
/// contains the settings of the channel.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) channel_arn: String,
    pub(super) channel_name: String,
    pub(super) channel_id: String,
    pub(super) stream_arn: String,
    pub(super) settings: Arc<ChannelSettings>,
    /// The suffix that makes the keys of the objects unique.
    pub(super) suffix: String,
}

/// The bucket for the records, and the template for the keys of the objects.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) bucket: S3Destination,
    pub(super) template: KeyTemplate,
}

impl Origin {
    /// Returns the names and settings for the objects of a plan.
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
    /// Returns the target of a channel that delivers its records to `bucket`.
    ///
    /// # Errors
    /// Returns an error if the key template of the channel is invalid.
    pub(super) fn of(channel: &Channel, bucket: &S3Destination) -> Result<Self, DestinationError> {
        let template = KeyTemplate::parse(&bucket.key_template, &channel.name);
        let invalid = |fault| DestinationError::Refused(format!("The key template {fault}."));
        Ok(Self {
            bucket: bucket.clone(),
            template: template.map_err(invalid)?,
        })
    }
}
