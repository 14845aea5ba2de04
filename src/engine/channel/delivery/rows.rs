//! One attempt to write the records of a plan into a table.

use super::dead_letters::DeadLetters;
use super::object::Delivered;
use super::origin::Origin;
use super::reading::{Part, RangeReader};
use super::writing::{blocking, give_up};
use crate::engine::channel::destination::Destinations;
use crate::engine::channel::destination_error::DestinationError;
use crate::engine::channel::item::Channel;
use crate::engine::channel::table::OpenTable;
use crate::engine::{Engine, RecordView};
use crate::limits;
use crate::model::SequenceNumber;
use crate::model::channel::{InvalidRecord, ObjectPlan};
use crate::world::Timestamp;
use bytes::Bytes;
use std::sync::Arc;

/// Writes the records of a plan into `table`, and commits the records together with `positions`.
/// `positions` are the channel's positions after the plan. The dead-letter objects are durable
/// before the commit. If the channel stops delivering before the commit, commits nothing and
/// returns None.
///
/// # Errors
/// Returns an error if the records cannot be read, or if the table or a dead-letter object cannot
/// be written. The commit may have succeeded despite the error.
pub(super) async fn write_rows(
    engine: &Engine,
    channel: &Channel,
    plan: &ObjectPlan,
    (table, positions): (OpenTable, String),
) -> Result<Option<(OpenTable, Delivered)>, DestinationError> {
    let slot = engine.channels.writers.acquire().await;
    let behaviour = &engine.behaviour.channels;
    let mut rows = Rows {
        origin: Origin::of(channel, plan),
        destinations: behaviour.destinations.clone(),
        waiting: Waiting::default(),
        written: Delivered::default(),
        dead_letters: DeadLetters::new(behaviour.max_object_bytes),
        table,
    };
    let mut reader = RangeReader::new(&engine.admission, &channel.stream, &plan.ranges);
    let unreadable = |error| DestinationError::Unreachable(format!("{error}"));
    while let Some(part) = reader.next().await.map_err(unreadable)? {
        if !channel.delivers() {
            return give_up(rows).await;
        }
        rows.add(&part);
        if rows.waiting.bytes >= limits::CHANNEL_ROW_BYTES {
            rows = rows.write().await?;
        }
    }
    rows = rows.write().await?;
    // The slot is freed before the dead-letter objects are finished, so that another channel can
    // write during the requests to the bucket's server.
    drop(slot);
    rows.dead_letters.finish().await?;
    if !channel.delivers() {
        return Ok(None);
    }
    let table = rows.table.commit(positions).await?;
    Ok(Some((table, rows.written)))
}

/// The state of one attempt to write the records of a plan into a table.
struct Rows {
    origin: Origin,
    destinations: Arc<dyn Destinations>,
    waiting: Waiting,
    written: Delivered,
    dead_letters: DeadLetters,
    table: OpenTable,
}

/// Records that are collected for one common write. Writing many records at once makes few data
/// files, and a table with few data files is faster to read.
#[derive(Default)]
struct Waiting {
    records: Vec<OwnedRecord>,
    bytes: usize,
}

/// A copy of a record. The copy does not keep the record's batch in memory.
struct OwnedRecord {
    shard: Arc<str>,
    number: SequenceNumber,
    arrival: Timestamp,
    data: Bytes,
}

impl Rows {
    fn add(&mut self, part: &Part) {
        let shard: Arc<str> = part.shard.to_string().into();
        for record in part.records() {
            self.waiting.bytes += record.data.len();
            self.waiting.records.push(OwnedRecord {
                shard: shard.clone(),
                number: record.number,
                arrival: record.arrival,
                data: Bytes::copy_from_slice(record.data),
            });
        }
    }

    /// Writes the waiting records into the table. Writes a line into the dead-letter objects for
    /// each record that does not form a valid row.
    async fn write(mut self) -> Result<Self, DestinationError> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.records.is_empty() {
            return Ok(self);
        }
        let data = waiting.records.iter().map(|record| record.data.clone());
        let written = self.table.write(data.collect()).await?;
        self.table = written.table;
        self.written.records += (waiting.records.len() - written.invalid.len()) as u64;
        self.written.failed += written.invalid.len() as u64;
        self.written.bytes += waiting.bytes as u64;
        if written.invalid.is_empty() {
            return Ok(self);
        }
        blocking(move || {
            for (at, reason) in written.invalid {
                if let Some(record) = waiting.records.get(at) {
                    self.add_dead_letter(record, &reason)?;
                }
            }
            Ok(self)
        })
        .await
    }

    fn add_dead_letter(
        &mut self,
        record: &OwnedRecord,
        reason: &InvalidRecord,
    ) -> Result<(), DestinationError> {
        let view = RecordView {
            number: record.number,
            arrival: record.arrival,
            partition_key: None,
            data: &record.data,
            encrypted: false,
        };
        let record = (&*record.shard, &view);
        self.dead_letters
            .add(&self.destinations, &self.origin, record, reason)
    }
}
