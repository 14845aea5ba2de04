//! The objects of one delivery attempt: the object with the records, and the dead-letter objects.
//! All functions block the thread, except [`FinishedObject::finish`].

use super::dead_letters::DeadLetters;
use super::encoder::Encoder;
use super::origin::{Origin, Target};
use super::reading::Part;
use crate::engine::channel::destination::{Destinations, ObjectHead, ObjectWriter};
use crate::engine::channel::destination_error::DestinationError;
use crate::model::SequenceNumber;
use crate::model::channel::KeyValues;
use crate::world::Timestamp;
use std::sync::Arc;

/// The objects of one delivery attempt, while records are written to them. Dropping this value
/// removes the objects.
pub(super) struct Objects {
    origin: Origin,
    target: Target,
    destinations: Arc<dyn Destinations>,
    object: Option<Encoder>,
    records: u64,
    dead_letters: DeadLetters,
}

/// The objects of one delivery attempt, after their last record was written.
pub(super) struct FinishedObject {
    object: Option<Box<dyn ObjectWriter>>,
    records: u64,
    dead_letters: DeadLetters,
}

/// Counts of one successful delivery attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Delivered {
    /// Number of records that were written to the object or to the table. 0 if no record had the
    /// channel's format. In this case no object is written.
    pub(super) records: u64,
    /// Size of the object, in bytes. For a table, the bytes of the records.
    pub(super) bytes: u64,
    /// Number of records that the dead-letter objects describe.
    pub(super) failed: u64,
}

impl Objects {
    pub(super) fn new(
        origin: Origin,
        target: Target,
        destinations: Arc<dyn Destinations>,
        most_bytes: u64,
    ) -> Self {
        Self {
            origin,
            target,
            destinations,
            object: None,
            records: 0,
            dead_letters: DeadLetters::new(most_bytes),
        }
    }

    /// Writes the records of `part` to the object. Adds a line to the dead-letter objects for each
    /// record that does not have the channel's format.
    pub(super) fn write(&mut self, part: &Part) -> Result<(), DestinationError> {
        let format = self.origin.settings.format;
        let shard = part.shard.to_string();
        for record in part.records() {
            if let Err(reason) = format.check(record.data) {
                let record = (shard.as_str(), &record);
                self.dead_letters
                    .add(&self.destinations, &self.origin, record, &reason)?;
                continue;
            }
            let object = match &mut self.object {
                Some(object) => object,
                None => self.object.insert(begin(
                    (&self.origin, &self.target),
                    &self.destinations,
                    (record.arrival, record.number),
                )?),
            };
            object.write(record.data, format.separator())?;
            self.records += 1;
        }
        Ok(())
    }

    /// Writes the end of the compressed data. Returns the objects, which the caller must then
    /// finish.
    pub(super) fn end(self) -> Result<FinishedObject, DestinationError> {
        Ok(FinishedObject {
            object: self.object.map(Encoder::finish).transpose()?,
            records: self.records,
            dead_letters: self.dead_letters,
        })
    }
}

fn begin(
    (origin, target): (&Origin, &Target),
    destinations: &Arc<dyn Destinations>,
    (first_arrival, first_number): (Timestamp, SequenceNumber),
) -> Result<Encoder, DestinationError> {
    let (settings, bucket) = (&origin.settings, &target.bucket);
    let object = destinations.begin(ObjectHead {
        bucket: bucket.bucket.clone(),
        key: target.template.key(&KeyValues {
            channel_name: &origin.channel_name,
            channel_id: &origin.channel_id,
            first_arrival,
            first_number: &first_number.to_string(),
            suffix: &origin.suffix,
            extension: settings.format.extension(bucket.compression),
        }),
        content_type: "application/octet-stream",
        storage_class: bucket.storage_class,
        key_id: settings.key_id.clone(),
    })?;
    Ok(Encoder::new(object, bucket.compression)?)
}

impl FinishedObject {
    /// Finishes the dead-letter objects and the object with the records. Returns when all these
    /// objects are durable.
    pub(super) async fn finish(self) -> Result<Delivered, DestinationError> {
        let failed = self.dead_letters.records;
        self.dead_letters.finish().await?;
        let bytes = match self.object {
            Some(object) => object.finish().await?,
            None => 0,
        };
        Ok(Delivered {
            records: self.records,
            bytes,
            failed,
        })
    }
}
