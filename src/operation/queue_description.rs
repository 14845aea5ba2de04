//! The description of a queue, as answers contain it, and the conversion of a request's members to
//! queue attributes.

use super::present::present;
use super::queue_shapes::{DeadLetterConfiguration, QueueAttributesInput, TargetType};
use super::stream_details::whole_seconds;
use crate::engine::queue::Queue;
use crate::error::Error;
use crate::model::{QueueAttributes, StreamStatus};
use crate::wire::output;
use crate::world::Timestamp;

output! {
    /// The description of a queue in an answer: its name, its status, its attributes and its
    /// stream.
    pub struct QueueDescription {
        "QueueARN" => arn: String,
        "QueueAttributes" => attributes: AttributesOutput,
        "QueueCreationTimestamp" => created: Timestamp,
        "QueueName" => name: String,
        "QueueStatus" => status: &'static str,
        "StreamConfigurationList" => streams: Vec<StreamConfiguration>,
    }
}

output! {
    /// The stream of a queue, and the queue's starting position in this stream.
    pub struct StreamConfiguration {
        "StartingPosition" => start: StartingPosition,
        "StreamARN" => arn: String,
    }
}

output! {
    /// The starting position of a queue. While the queue is CREATING, the timestamp is the
    /// timestamp in the CreateQueue request, or `None` if the request had no timestamp. Afterwards,
    /// the timestamp is the earliest arrival time that a record delivered by the queue can have.
    pub struct StartingPosition {
        "Timestamp" => timestamp: Option<Timestamp>,
        "Type" => kind: &'static str,
    }
}

output! {
    /// The attributes of a queue in an answer. An attribute that no request gave has its default
    /// value.
    pub struct AttributesOutput {
        "DeadLetterConfiguration" => dead_letter: DeadLetterOutput,
        "VisibilityTimeoutSeconds" => visibility_timeout: u32,
    }
}

output! {
    /// The dead-letter configuration of a queue: the limit of receives after which a record becomes
    /// a dead-letter record.
    pub struct DeadLetterOutput {
        "MaxReceiveCount" => max_receive_count: Option<u32>,
        "TargetType" => target: &'static str,
    }
}

present!(
    QueueDescription,
    StartingPosition,
    AttributesOutput,
    DeadLetterOutput
);

impl QueueDescription {
    pub(super) fn of(queue: &Queue) -> Self {
        let described = queue.describe();
        Self::with(queue, described.status, described.attributes)
    }

    /// Describes a queue as if it had the status `status` and the attributes `attributes`. The
    /// queue's present status and attributes are not used.
    pub(super) fn with(queue: &Queue, status: StreamStatus, attributes: QueueAttributes) -> Self {
        let timestamp = match status {
            StreamStatus::Creating => queue.start.given(),
            _ => Some(queue.started),
        };
        let most = attributes.max_receive_count;
        let target = match most {
            Some(_) => TargetType::BuiltIn,
            None => TargetType::None,
        };
        Self {
            arn: queue.arn.to_string(),
            attributes: AttributesOutput {
                dead_letter: DeadLetterOutput {
                    max_receive_count: most,
                    target: target.as_str(),
                },
                visibility_timeout: attributes.visibility_timeout_s,
            },
            created: whole_seconds(queue.created),
            name: queue.name.to_string(),
            status: status.as_str(),
            streams: vec![StreamConfiguration {
                start: StartingPosition {
                    timestamp,
                    kind: queue.start.as_str(),
                },
                arn: queue.stream.arn.to_string(),
            }],
        }
    }
}

/// Returns the attributes `before` with the changes that a request asks for. A dead-letter
/// configuration in the request replaces the whole dead-letter configuration. The MaxReceiveCount
/// is ignored if the target type is NONE, which is a choice.
pub(super) fn changed_attributes(
    before: QueueAttributes,
    given: &QueueAttributesInput,
) -> Result<QueueAttributes, Error> {
    let mut attributes = before;
    if let Some(timeout) = given.visibility_timeout {
        attributes.visibility_timeout_s = unsigned(timeout.0);
    }
    if let Some(dead_letter) = &given.dead_letter {
        attributes.max_receive_count = max_receive_count(dead_letter)?;
    }
    Ok(attributes)
}

fn max_receive_count(given: &DeadLetterConfiguration) -> Result<Option<u32>, Error> {
    match (given.target, given.max_receive_count) {
        (TargetType::None, _) => Ok(None),
        (TargetType::BuiltIn, Some(most)) => Ok(Some(unsigned(most.0))),
        (TargetType::BuiltIn, None) => Err(Error::max_receive_count_required()),
    }
}

/// Converts `number`, the value of a member whose shape allows no negative value, to an unsigned
/// number.
pub(super) fn unsigned(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}
