//! One attempt to write the object of a plan.

use super::object::{Delivered, Objects, Origin};
use super::reading::PlanReader;
use crate::engine::Engine;
use crate::engine::channel::destination::DestinationError;
use crate::engine::channel::item::Channel;
use crate::model::channel::{Destination, KeyTemplate, ObjectPlan};

/// Describes the objects of a plan.
///
/// # Errors
/// Returns the reason if the settings of the channel name no objects.
pub(super) fn origin(channel: &Channel, plan: &ObjectPlan) -> Result<Origin, String> {
    let settings = channel.describe().settings;
    let Destination::S3(bucket) = &settings.destination else {
        return Err("The destination is a table, and this build writes no tables.".to_owned());
    };
    let template = KeyTemplate::parse(&bucket.key_template, &channel.name);
    let template = template.map_err(|fault| format!("The key template {fault}."))?;
    Ok(Origin {
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

/// Writes the objects of a plan. None if the channel ceased to deliver meanwhile; then no object
/// appears.
///
/// # Errors
/// Returns an error if the records cannot be read, or if the objects cannot be written.
pub(super) async fn write(
    engine: &Engine,
    channel: &Channel,
    plan: &ObjectPlan,
    origin: Origin,
) -> Result<Option<Delivered>, DestinationError> {
    let objects = {
        let _slot = engine.channels.writers.acquire().await;
        let behaviour = &engine.behaviour.channels;
        let destinations = behaviour.destinations.clone();
        let objects = Objects::new(origin, destinations, behaviour.max_object_bytes);
        let reader = PlanReader::new(&engine.admission, &channel.stream, &plan.ranges);
        let objects = write_records(channel, objects, reader).await?;
        let Some(objects) = objects else {
            return Ok(None);
        };
        blocking(move || objects.end()).await?
    };
    if !channel.delivers() {
        return Ok(None);
    }
    objects.finish().await.map(Some)
}

/// Writes all records. One part is written while the next is read. None if the channel ceased to
/// deliver.
async fn write_records(
    channel: &Channel,
    mut objects: Objects,
    mut reader: PlanReader,
) -> Result<Option<Objects>, DestinationError> {
    let unreadable = |error| DestinationError::Unreachable(format!("{error}"));
    let mut next = reader.next().await.map_err(unreadable)?;
    while let Some(part) = next {
        if !channel.delivers() {
            return Ok(None);
        }
        let writing = blocking(move || objects.write(&part).map(|()| objects));
        let (written, read) = tokio::join!(writing, reader.next());
        objects = written?;
        next = read.map_err(unreadable)?;
    }
    Ok(Some(objects))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DestinationError> + Send + 'static,
) -> Result<T, DestinationError> {
    let done = tokio::task::spawn_blocking(work).await;
    // The work of a runtime that shuts down is cancelled.
    done.unwrap_or_else(|error| Err(DestinationError::Unreachable(error.to_string())))
}
