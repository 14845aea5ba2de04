//! The names and the settings from which the objects of an attempt are made.

use crate::engine::channel::item::Channel;
use crate::model::channel::{ChannelSettings, Destination, KeyTemplate, ObjectPlan, S3Destination};
use std::sync::Arc;

/// The names that keys and dead-letter lines contain, and the settings of the channel.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) channel_arn: String,
    pub(super) channel_name: String,
    pub(super) channel_id: String,
    pub(super) stream_arn: String,
    pub(super) settings: Arc<ChannelSettings>,
    pub(super) bucket: S3Destination,
    pub(super) template: KeyTemplate,
    /// The unique suffix of the keys.
    pub(super) suffix: String,
}

impl Origin {
    /// Describes the objects of a plan.
    ///
    /// # Errors
    /// Returns the reason if the settings of the channel name no objects.
    pub(super) fn of(channel: &Channel, plan: &ObjectPlan) -> Result<Self, String> {
        let settings = channel.describe().settings;
        let Destination::S3(bucket) = &settings.destination else {
            return Err("The destination is a table, and this build writes no tables.".to_owned());
        };
        let template = KeyTemplate::parse(&bucket.key_template, &channel.name);
        let template = template.map_err(|fault| format!("The key template {fault}."))?;
        Ok(Self {
            channel_arn: channel.arn.to_string(),
            channel_name: channel.name.to_string(),
            channel_id: channel.arn.id.to_string(),
            stream_arn: channel.stream.arn.to_string(),
            suffix: plan.suffix(&channel.arn.id),
            bucket: bucket.clone(),
            settings: settings.clone(),
            template,
        })
    }
}
