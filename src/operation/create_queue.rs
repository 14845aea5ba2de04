//! CreateQueue: creates a queue on an on-demand stream.
use super::prelude::*;
use crate::engine::StreamState;
use crate::engine::queue::{NewQueue, Queue, QueueCounts};
use crate::limits::Limits;
use crate::model::{
    AccountRegion, QueueArn, QueueAttributes, QueueStart, StreamArn, StreamStatus, Tags,
};
use std::sync::Arc;

pub(super) struct CreateQueue;

input! { pub struct Input {
    "QueueName" => name: QueueName,
    "StreamConfigurationList" => streams: QueueStreamConfigurationList,
    "QueueAttributes" => attributes: Option<QueueAttributesInput>,
    "Tags" => tags: Option<TagMap>,
} }

output! { pub struct Output { "QueueDescription" => queue: QueueDescription, } }
document!(Output);

impl Operation for CreateQueue {
    type Input = Input;
    type Output = Output;

    fn also_requires(context: &Context, input: &Input) -> Vec<(&'static str, Target)> {
        let mut required = Vec::new();
        if let Some(arn) = Self::stream(context, input) {
            required.push(("AssociateStreamsWithQueue", Target::Stream(arn)));
        }
        if input.tags.is_some() {
            required.push(("TagResource", new_queue(context, input)));
        }
        required
    }

    fn stream(context: &Context, input: &Input) -> Option<StreamArn> {
        match &input.streams.0[..] {
            [stream] => parse_arn(context, &stream.arn).ok(),
            _ => None,
        }
    }

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let (queue, attributes) = create(context, input, false).await?;
        // The answer says CREATING even if the queue is ACTIVE immediately. RegisterStreamConsumer
        // also answers CREATING in this case.
        let queue = QueueDescription::with(&queue, StreamStatus::Creating, attributes);
        Ok(Output { queue })
    }
}

/// Creates a queue. If `at_once` is true, the queue is ACTIVE on return, even if the emulator
/// delays state transitions.
pub(super) async fn create(
    context: &Context,
    input: Input,
    at_once: bool,
) -> Result<(Arc<Queue>, QueueAttributes), Error> {
    let (arn, start) = stream_and_start(&input.streams)?;
    let attributes = attributes_of(&input)?;
    let stream = context.stream_by_arn(arn)?;
    if !stream.look(|state| state.settings.on_demand) {
        return Err(Error::stream_is_provisioned(&stream.arn));
    }
    let now = context.engine.world.clock.now();
    if let Some(at) = start.given().filter(|at| *at > now) {
        return Err(Error::timestamp_in_future(at, now));
    }
    let name = input.name.as_str();
    let mut tags = Tags::default();
    if let Some(given) = &input.tags {
        let owner = TagOwner::queue(&stream.arn.scope, name);
        add_tags(context, owner, &mut tags, given)?;
    }
    let new = NewQueue {
        name: name.into(),
        attributes,
        start,
        tags,
        at_once,
    };
    let limits = &context.engine.limits;
    let check =
        |state: &StreamState, counts: QueueCounts| check(&stream.arn, state, counts, limits, name);
    let queue = context.engine.create_queue(&stream, new, check).await?;
    Ok((queue, attributes))
}

/// Returns the attributes of the new queue, with defaults for the attributes that the request does
/// not give.
fn attributes_of(input: &Input) -> Result<QueueAttributes, Error> {
    let usual = QueueAttributes::default();
    match &input.attributes {
        Some(given) => changed_attributes(usual, given),
        None => Ok(usual),
    }
}

/// Returns the names of the settings in which the existing queue `queue` differs from the request.
pub(super) fn differences(queue: &Queue, input: &Input) -> Result<Vec<&'static str>, Error> {
    let (arn, start) = stream_and_start(&input.streams)?;
    let attributes = attributes_of(input)?;
    let has = queue.describe().attributes;
    let checks = [
        (queue.stream.arn.to_string() != arn.as_str(), "stream"),
        (queue.start != start, "starting position"),
        (
            has.visibility_timeout_s != attributes.visibility_timeout_s,
            "visibility timeout",
        ),
        (
            has.max_receive_count != attributes.max_receive_count,
            "dead-letter configuration",
        ),
    ];
    let differing = checks.into_iter().filter(|(differs, _)| *differs);
    Ok(differing.map(|(_, name)| name).collect())
}

impl HasTarget for CreateQueue {
    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        Ok(new_queue(context, input))
    }
}

/// Returns the target of the policy check for a new queue. The queue has no id yet, so the ARN of
/// the target has the id `*`. Only a policy with a pattern that matches this ARN applies. Using `*`
/// is a choice.
fn new_queue(context: &Context, input: &Input) -> Target {
    Target::Queue(QueueArn {
        scope: account_and_region(context, input),
        id: "*".into(),
    })
}

/// Returns the account and region in which a request creates its queue: the account and region of
/// the stream, even if another account sends the request. This rule is a choice, and also applies
/// to consumers. A request without a valid stream gives the caller's account and region, but
/// creates no queue.
pub(super) fn account_and_region(context: &Context, input: &Input) -> AccountRegion {
    CreateQueue::stream(context, input).map_or_else(|| context.caller.clone(), |arn| arn.scope)
}

/// Returns the stream of the request, and the starting position of the queue in this stream.
/// Refuses a request with no stream or with several streams.
fn stream_and_start(
    streams: &QueueStreamConfigurationList,
) -> Result<(&StreamARN, QueueStart), Error> {
    let [stream] = &streams.0[..] else {
        return Err(Error::queue_streams(streams.0.len()));
    };
    let Some(given) = &stream.start else {
        return Ok((&stream.arn, QueueStart::Latest));
    };
    let start = match (given.kind, given.timestamp) {
        (QueueStartingPositionType::TrimHorizon, None) => QueueStart::TrimHorizon,
        (QueueStartingPositionType::Latest, None) => QueueStart::Latest,
        (QueueStartingPositionType::AtTimestamp, Some(at)) => QueueStart::AtTimestamp(at),
        (QueueStartingPositionType::AtTimestamp, None) => return Err(Error::queue_timestamp(true)),
        (_, Some(_)) => return Err(Error::queue_timestamp(false)),
    };
    Ok((&stream.arn, start))
}

fn check(
    arn: &StreamArn,
    state: &StreamState,
    counts: QueueCounts,
    limits: &Limits,
    name: &str,
) -> Result<(), Error> {
    if !state.settings.on_demand {
        return Err(Error::stream_is_provisioned(arn));
    }
    check_settled(arn, state)?;
    let account = arn.scope.account;
    if counts.name_taken {
        return Err(Error::queue_exists(name, account));
    }
    check_consumer_count(arn, state, limits, counts.committed)?;
    let limit = limits.queues_in_transition;
    match limit.filter(|limit| counts.in_transition >= *limit) {
        Some(limit) => Err(Error::too_many_queues_in_transition(account, limit)),
        None => Ok(()),
    }
}
