//! The common code of ReceiveQueueRecords and ReceiveDeadLetterQueueRecords.

use super::answer::Document;
use super::context::Context;
use super::kms_key::check_stream_key;
use super::queue_description::unsigned;
use super::queue_ref::queue_target;
use super::queue_shapes::{
    QueueARN, ReceiveQueueRecordsInputLimit, ReceiveQueueRecordsWaitTimeSeconds,
    VisibilityTimeoutSeconds,
};
use super::records::{push_base64, push_seconds, push_text};
use crate::admission::BudgetPermit;
use crate::engine::RecordView;
use crate::engine::queue::{Queue, ReceiveError, Received, Receiving};
use crate::error::{Error, KeyPurpose};
use crate::limits;
use crate::model::{Delivery, ReceiptHandle, Target};
use crate::wire::{self, BlobView, Format, input, output};
use crate::world::{Point, Timestamp};
use std::sync::Arc;

input! {
    /// A request to receive records: the queue, the maximum number of records, the longest wait in
    /// seconds, and the visibility timeout.
    pub struct ReceiveInput {
        "QueueARN" => arn: QueueARN,
        "Limit" => limit: Option<ReceiveQueueRecordsInputLimit>,
        "WaitTimeSeconds" => wait: Option<ReceiveQueueRecordsWaitTimeSeconds>,
        "VisibilityTimeoutSeconds" => visibility_timeout: Option<VisibilityTimeoutSeconds>,
    }
}

/// The output of a receive. The data of the received records is not copied, because the output
/// refers to the segments of the logs that hold the data.
#[derive(Debug)]
pub struct ReceiveOutput {
    queue: Arc<Queue>,
    received: Received,
}

output! {
    /// The members that ReceiveQueueRecords and ReceiveDeadLetterQueueRecords have in their
    /// answers.
    pub struct Records<'a> { "QueueRecords" => records: Vec<QueueRecord<'a>>, }
}

output! {
    /// A received record, with the receipt handle by which a consumer acknowledges the record.
    pub struct QueueRecord<'a> {
        "ApproximateArrivalTimestamp" => arrival: Timestamp,
        "Data" => data: BlobView<'a>,
        "FirstReceiveTimestamp" => first: Timestamp,
        "PartitionKey" => partition_key: Option<&'a str>,
        "ReceiptHandle" => handle: String,
        "ReceiveCount" => count: u32,
        "RecordId" => id: String,
    }
}

/// Estimated number of bytes of a record in an answer, without the record's data.
const RECORD_OVERHEAD: usize = 320;

impl ReceiveInput {
    pub(super) fn target(&self) -> Result<Target, Error> {
        queue_target(&self.arn)
    }

    /// Receives records from the queue. `dead` selects dead-letter records instead of normal
    /// records.
    pub(super) async fn receive(
        self,
        context: &Context,
        dead: bool,
    ) -> Result<ReceiveOutput, Error> {
        let engine = &context.engine;
        let queue = context.queue(&self.arn)?;
        if !queue.serves() {
            return Err(Error::queue_not_serving(&queue.arn));
        }
        check_stream_key(context, &queue.stream, KeyPurpose::Decrypt)?;
        let passed = engine.world.pass(Point::Read).await;
        passed.map_err(|_| Error::internal())?;
        let limit = self.limit.map(|limit| unsigned(limit.0));
        let count = limit.and_then(|limit| usize::try_from(limit).ok());
        let receiving = Receiving {
            dead,
            count: count.unwrap_or(limits::QUEUE_RECEIVE_RECORDS),
            wait_ms: self
                .wait
                .map_or(limits::QUEUE_WAIT_MS, |wait| i64::from(wait.0) * 1000),
            visibility_s: self.visibility_timeout.map(|timeout| unsigned(timeout.0)),
        };
        let received = queue.receive(engine, receiving).await;
        let received = received.map_err(|error| match error {
            ReceiveError::NotServing => Error::queue_not_serving(&queue.arn),
            ReceiveError::Store(error) => error.into(),
        })?;
        Ok(ReceiveOutput { queue, received })
    }
}

impl ReceiveOutput {
    fn records(&self) -> Records<'_> {
        let parts = self.received.parts.iter();
        let records = parts.flat_map(|(batch, taken)| {
            let pairs = batch.iter().zip(taken);
            pairs.map(|(record, delivery)| self.record(&record, delivery))
        });
        Records {
            records: records.collect(),
        }
    }

    fn record<'a>(&self, record: &RecordView<'a>, delivery: &Delivery) -> QueueRecord<'a> {
        let handle = ReceiptHandle {
            dead: delivery.dead,
            shard: delivery.place.shard,
            index: delivery.place.index,
            delivery: delivery.delivery,
        };
        let id = self.queue.ids.id(record.number);
        QueueRecord {
            arrival: record.arrival,
            data: BlobView(record.data),
            first: delivery.first,
            partition_key: record.partition_key,
            handle: self.queue.seal.encode(&handle),
            count: delivery.count,
            id: String::from_utf8_lossy(&id).into_owned(),
        }
    }
}

impl Document for ReceiveOutput {
    const MEMBERS: &'static [&'static str] = Records::MEMBERS;

    fn size_bytes(&self) -> usize {
        let parts = self.received.parts.iter();
        let sizes = parts.map(|(batch, taken)| {
            let bytes = usize::try_from(batch.bytes()).unwrap_or_default();
            bytes / 3 * 4 + taken.len() * RECORD_OVERHEAD
        });
        sizes.sum()
    }

    fn take_permit(&mut self) -> Option<BudgetPermit> {
        self.received.permit.take()
    }

    fn encode(&self, format: Format) -> Vec<u8> {
        match format {
            Format::Json => {
                let mut body = Vec::with_capacity(self.size_bytes());
                write_json(&self.records().records, &mut body);
                body
            }
            Format::Cbor | Format::RpcV2Cbor => wire::encode(format, &self.records()),
        }
    }
}

/// Writes the answer in JSON, with the members and values that serde writes for [`Records`]. serde
/// is slower, because it searches every byte of the data for characters to escape.
fn write_json(records: &[QueueRecord<'_>], body: &mut Vec<u8>) {
    body.extend_from_slice(b"{\"QueueRecords\":[");
    for (at, record) in records.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        record.write_json(body);
    }
    body.extend_from_slice(b"]}");
}

impl QueueRecord<'_> {
    fn write_json(&self, body: &mut Vec<u8>) {
        body.extend_from_slice(b"{\"ApproximateArrivalTimestamp\":");
        push_seconds(self.arrival, body);
        body.extend_from_slice(b",\"Data\":\"");
        push_base64(self.data.0, body);
        body.extend_from_slice(b"\",\"FirstReceiveTimestamp\":");
        push_seconds(self.first, body);
        if let Some(key) = self.partition_key {
            body.extend_from_slice(b",\"PartitionKey\":");
            push_text(key, body);
        }
        // A receipt handle and a record id need no escapes.
        body.extend_from_slice(b",\"ReceiptHandle\":\"");
        body.extend_from_slice(self.handle.as_bytes());
        body.extend_from_slice(b"\",\"ReceiveCount\":");
        body.extend_from_slice(itoa::Buffer::new().format(self.count).as_bytes());
        body.extend_from_slice(b",\"RecordId\":\"");
        body.extend_from_slice(self.id.as_bytes());
        body.extend_from_slice(b"\"}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_json_is_that_of_serde(
            arrival in 0..4_000_000_000_000_i64,
            first in 0..4_000_000_000_000_i64,
            data in proptest::collection::vec(any::<u8>(), 0..50),
            key in proptest::option::of("[ -~]{0,9}|.{0,9}"),
            count: u32,
            copies in 0_usize..3,
        ) {
            let record = || QueueRecord {
                arrival: Timestamp::from_millis(arrival),
                data: BlobView(&data),
                first: Timestamp::from_millis(first),
                partition_key: key.as_deref(),
                handle: "AQAA-_".to_owned(),
                count,
                id: "0123456789abcdef".to_owned(),
            };
            let records: Vec<_> = std::iter::repeat_with(record).take(copies).collect();
            let mut body = Vec::new();
            write_json(&records, &mut body);
            let expected = wire::encode(Format::Json, &Records { records });
            let value = |json: &[u8]| serde_json::from_slice::<serde_json::Value>(json).unwrap();
            prop_assert_eq!(value(&body), value(&expected));
        }
    }
}
