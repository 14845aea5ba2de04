//! The shapes of the service model that only operations on queues use, with their constraints.

use super::shapes::{NAME, StreamARN, is_kinesis_arn};
use crate::wire::{Pattern, choice, input, integer, list, string};
use crate::world::Timestamp;

static QUEUE_ARN: Pattern = Pattern::by(r"arn:aws.*:kinesis:.*:\d{12}:queue/\S+", |text| {
    is_kinesis_arn(text, ":queue/")
});

string!(/// Name of a queue.
    QueueName, length: 1..=128, pattern: NAME);
string!(/// ARN of a queue.
    QueueARN, length: 1..=2048, pattern: QUEUE_ARN);
string!(/// A receipt handle. The handle may be invalid, or belong to another queue.
    ReceiptHandle, length: 1..=1024);

integer!(/// Time for which a received record stays invisible, in seconds.
    VisibilityTimeoutSeconds, 0..=43_200);
integer!(/// Number of receives after which a record becomes a dead-letter record.
    MaxReceiveCount, 1..=1_000);
integer!(/// Largest number of records that a receive returns.
    ReceiveQueueRecordsInputLimit, 1..=10);
integer!(/// Longest time for which a receive waits for a record, in seconds.
    ReceiveQueueRecordsWaitTimeSeconds, 1..=20);
integer!(/// Maximum number of queues on one page of ListQueues.
    ListQueuesInputLimit, 1..=10_000);

choice!(/// The kinds of a queue's starting positions.
QueueStartingPositionType {
    TrimHorizon = "TRIM_HORIZON",
    Latest = "LATEST",
    AtTimestamp = "AT_TIMESTAMP",
});
choice!(/// The target of the records that have reached the maximum number of receives.
    TargetType { BuiltIn = "BUILT_IN", None = "NONE" });

input! {
    /// The starting position of a queue in its stream.
    pub struct QueueStartingPosition {
        "Type" => kind: QueueStartingPositionType,
        "Timestamp" => timestamp: Option<Timestamp>,
    }
}
input! {
    /// The stream of a queue, and the queue's starting position in this stream.
    pub struct QueueStreamConfiguration {
        "StreamARN" => arn: StreamARN,
        "StartingPosition" => start: Option<QueueStartingPosition>,
    }
}
list!(/// The streams of a queue. CreateQueue accepts only one stream.
    QueueStreamConfigurationList of QueueStreamConfiguration, length: 1..=10_000);
input! {
    /// The maximum number of receives, after which a record becomes a dead-letter record.
    pub struct DeadLetterConfiguration {
        "TargetType" => target: TargetType,
        "MaxReceiveCount" => max_receive_count: Option<MaxReceiveCount>,
    }
}
input! {
    /// The attributes that a request gives for a queue.
    pub struct QueueAttributesInput {
        "VisibilityTimeoutSeconds" => visibility_timeout: Option<VisibilityTimeoutSeconds>,
        "DeadLetterConfiguration" => dead_letter: Option<DeadLetterConfiguration>,
    }
}
input! {
    /// An entry of a batch request. The entry names a record by the receipt handle that a receive
    /// of the record returned.
    pub struct HandleEntry { "ReceiptHandle" => handle: ReceiptHandle, }
}
list!(/// The entries of a batch request. Each entry succeeds or fails separately.
    HandleEntries of HandleEntry, length: 1..=10);
input! {
    /// A receipt handle, and the new visibility timeout of its record.
    pub struct VisibilityEntry {
        "ReceiptHandle" => handle: ReceiptHandle,
        "VisibilityTimeoutSeconds" => timeout: VisibilityTimeoutSeconds,
    }
}
list!(/// The entries of a batch request that changes visibility timeouts.
    /// Each entry succeeds or fails separately.
    VisibilityEntries of VisibilityEntry, length: 1..=10);
