//! One attempt to write the records of a plan into an object.

use super::object::{Delivered, Objects};
use super::origin::{Origin, Target};
use super::reading::RangeReader;
use crate::engine::Engine;
use crate::engine::channel::destination_error::DestinationError;
use crate::engine::channel::item::Channel;
use crate::model::channel::{ObjectPlan, S3Destination};

/// Writes the object of a plan and its dead-letter objects, and returns the counts of the attempt.
/// If the channel stops delivering before the objects are finished, writes no object and returns
/// None.
///
/// # Errors
/// Returns an error if the records cannot be read, or if the objects cannot be written.
pub(super) async fn write(
    engine: &Engine,
    channel: &Channel,
    plan: &ObjectPlan,
    bucket: &S3Destination,
) -> Result<Option<Delivered>, DestinationError> {
    let target = Target::of(channel, bucket)?;
    let objects = {
        let _slot = engine.channels.writers.acquire().await;
        let behaviour = &engine.behaviour.channels;
        let destinations = behaviour.destinations.clone();
        let objects = Objects::new(
            Origin::of(channel, plan),
            target,
            destinations,
            behaviour.max_object_bytes,
        );
        let reader = RangeReader::new(&engine.admission, &channel.stream, &plan.ranges);
        let objects = write_records(channel, objects, reader).await?;
        let Some(objects) = objects else {
            return Ok(None);
        };
        blocking(move || objects.end()).await?
    };
    if !channel.delivers() {
        return give_up(objects).await;
    }
    objects.finish().await.map(Some)
}

/// Writes all records of `reader` to `objects`, and returns `objects`. Reads the next part while
/// the current part is being written. Returns None if the channel stopped delivering before the
/// last part was written.
async fn write_records(
    channel: &Channel,
    mut objects: Objects,
    mut reader: RangeReader,
) -> Result<Option<Objects>, DestinationError> {
    let unreadable = |error| DestinationError::Unreachable(format!("{error}"));
    let mut next = reader.next().await.map_err(unreadable)?;
    while let Some(part) = next {
        if !channel.delivers() {
            return give_up(objects).await;
        }
        let writing = blocking(move || objects.write(&part).map(|()| objects));
        let (written, read) = tokio::join!(writing, reader.next());
        objects = written?;
        next = read.map_err(unreadable)?;
    }
    Ok(Some(objects))
}

/// Drops incomplete objects in a thread that may block, because the drop may remove files. Returns
/// None, which callers return as the result of an attempt that writes no object.
pub(super) async fn give_up<T: Send + 'static>(
    objects: impl Send + 'static,
) -> Result<Option<T>, DestinationError> {
    blocking(move || {
        drop(objects);
        Ok(None)
    })
    .await
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DestinationError> + Send + 'static,
) -> Result<T, DestinationError> {
    let done = tokio::task::spawn_blocking(work).await;
    // The tokio runtime cancels this work only while it shuts down.
    done.unwrap_or_else(|error| Err(DestinationError::Unreachable(error.to_string())))
}
