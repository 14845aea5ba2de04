//! The shapes of the service model that only queues have, with their constraints.

use super::shapes::{NAME, StreamARN};
use crate::wire::{Pattern, choice, input, integer, list, string};
use crate::world::Timestamp;

static QUEUE_ARN: Pattern = Pattern::new(r"arn:aws.*:kinesis:.*:\d{12}:queue/\S+");

string!(/// Name of a queue.
    QueueName, length: 1..=128, pattern: NAME);
string!(/// ARN of a queue.
    QueueARN, length: 1..=2048, pattern: QUEUE_ARN);
string!(/// A receipt handle, possibly not one of the queue.
    ReceiptHandle, length: 1..=1024);

integer!(/// How long received records stay invisible.
    VisibilityTimeoutSeconds, 0..=43_200);
integer!(/// Receives after which a record becomes dead-letter.
    MaxReceiveCount, 1..=1_000);
integer!(/// Records wanted of a receive.
    ReceiveQueueRecordsInputLimit, 1..=10);
integer!(/// How long a receive waits for a record.
    ReceiveQueueRecordsWaitTimeSeconds, 1..=20);
integer!(/// Page size of ListQueues.
    ListQueuesInputLimit, 1..=10_000);

choice!(/// Where a queue begins.
QueueStartingPositionType {
    TrimHorizon = "TRIM_HORIZON",
    Latest = "LATEST",
    AtTimestamp = "AT_TIMESTAMP",
});
choice!(/// Where records go that are received too often.
    TargetType { BuiltIn = "BUILT_IN", None = "NONE" });

input! {
    /// The start of a queue.
    pub struct QueueStartingPosition {
        "Type" => kind: QueueStartingPositionType,
        "Timestamp" => timestamp: Option<Timestamp>,
    }
}
input! {
    /// The stream of a queue.
    pub struct QueueStreamConfiguration {
        "StreamARN" => arn: StreamARN,
        "StartingPosition" => start: Option<QueueStartingPosition>,
    }
}
list!(/// The streams of a queue.
    QueueStreamConfigurationList of QueueStreamConfiguration, length: 1..=10_000);
input! {
    /// The rule for records that are received too often.
    pub struct DeadLetterConfiguration {
        "TargetType" => target: TargetType,
        "MaxReceiveCount" => max_receive_count: Option<MaxReceiveCount>,
    }
}
input! {
    /// The attributes of a queue.
    pub struct QueueAttributesInput {
        "VisibilityTimeoutSeconds" => visibility_timeout: Option<VisibilityTimeoutSeconds>,
        "DeadLetterConfiguration" => dead_letter: Option<DeadLetterConfiguration>,
    }
}
input! {
    /// A stream whose queues are wanted.
    pub struct QueueStreamFilter {
        "StreamARN" => arn: StreamARN,
        "StreamCreationTimestamp" => created: Option<Timestamp>,
    }
}
list!(/// Streams whose queues are wanted.
    QueueStreamFilterList of QueueStreamFilter, length: 1..=10_000);
input! {
    /// A handle.
    pub struct HandleEntry { "ReceiptHandle" => handle: ReceiptHandle, }
}
list!(/// Handles, each for itself.
    HandleEntries of HandleEntry, length: 1..=10);
input! {
    /// A handle, and how long its record is to stay invisible.
    pub struct VisibilityEntry {
        "ReceiptHandle" => handle: ReceiptHandle,
        "VisibilityTimeoutSeconds" => timeout: VisibilityTimeoutSeconds,
    }
}
list!(/// Handles and timeouts, each for itself.
    VisibilityEntries of VisibilityEntry, length: 1..=10);
