//! The dead-letter objects of one delivery attempt. Each line of such an object describes a record
//! that does not have the channel's format. All functions block the thread, except
//! [`DeadLetters::finish`].

use super::origin::Origin;
use crate::engine::RecordView;
use crate::engine::channel::destination::{Destinations, ObjectHead, ObjectWriter};
use crate::engine::channel::destination_error::DestinationError;
use crate::model::channel::{DeadLetter, InvalidRecord, StorageClass, dead_letter_key};
use crate::world::Timestamp;
use std::io::Write as _;
use std::sync::Arc;

/// The dead-letter objects of one delivery attempt. Usually all records are valid, and the attempt
/// has no dead-letter object. The attempt has several dead-letter objects if the lines do not fit
/// in one.
#[derive(Debug)]
pub(super) struct DeadLetters {
    most_bytes: u64,
    /// The objects that get no more lines. The function `finish` makes these objects appear in the
    /// bucket.
    complete: Vec<Box<dyn ObjectWriter>>,
    /// The object that gets the next line, and its size in bytes so far. None before the first
    /// line.
    open: Option<(Box<dyn ObjectWriter>, u64)>,
    /// Number of lines in all dead-letter objects. Each line describes one record.
    pub(super) records: u64,
}

impl DeadLetters {
    /// Creates a value without dead-letter objects. Each later dead-letter object has at most
    /// `most_bytes` bytes, or a single line that is longer.
    pub(super) fn new(most_bytes: u64) -> Self {
        Self {
            most_bytes,
            complete: Vec::new(),
            open: None,
            records: 0,
        }
    }

    /// Adds a line for a record that does not have the channel's format. Begins a new object if the
    /// open object has no space for the line.
    pub(super) fn add(
        &mut self,
        destinations: &Arc<dyn Destinations>,
        origin: &Origin,
        (shard, record): (&str, &RecordView<'_>),
        reason: &InvalidRecord,
    ) -> Result<(), DestinationError> {
        let line = DeadLetter {
            channel: &origin.channel_arn,
            stream: &origin.stream_arn,
            shard,
            number: &record.number.to_string(),
            arrival: record.arrival,
            reason,
        }
        .line();
        let size = line.len() as u64;
        self.complete.extend(
            self.open
                .take_if(|(_, bytes)| *bytes + size > self.most_bytes)
                .map(|(object, _)| object),
        );
        let open = match &mut self.open {
            Some(open) => open,
            None => {
                let object = self.begin(destinations, origin, record.arrival)?;
                self.open.insert((object, 0))
            }
        };
        open.0.write_all(&line)?;
        open.1 += size;
        self.records += 1;
        Ok(())
    }

    fn begin(
        &self,
        destinations: &Arc<dyn Destinations>,
        origin: &Origin,
        first_arrival: Timestamp,
    ) -> Result<Box<dyn ObjectWriter>, DestinationError> {
        let letters = &origin.settings.dead_letters;
        destinations.begin(ObjectHead {
            bucket: letters.bucket.clone(),
            key: dead_letter_key(
                &letters.prefix,
                (&origin.channel_name, &origin.channel_id),
                first_arrival,
                (&origin.suffix, self.complete.len()),
            ),
            content_type: "application/x-ndjson",
            storage_class: StorageClass::Standard,
            key_id: origin.settings.key_id.clone(),
        })
    }

    /// Finishes all dead-letter objects. Returns when the objects are durable.
    pub(super) async fn finish(self) -> Result<(), DestinationError> {
        let open = self.open.map(|(object, _)| object);
        for object in self.complete.into_iter().chain(open) {
            object.finish().await?;
        }
        Ok(())
    }
}
