//! SubscribeToShard: pushes the records of a shard to a consumer as they are published.
use super::answer::{Answer, IntoAnswer};
use super::events::Events;
use super::prelude::*;
use crate::admission::BudgetPermit;
use crate::engine::{Consumer, Stream, Subscription, consumer_arn};
use crate::model::{ConsumerArn, ShardId, StreamStatus};
use crate::wire::Format;
use std::sync::Arc;

pub(super) struct SubscribeToShard;

input! { pub struct Input {
    "ConsumerARN" => consumer: ConsumerARN,
    "ShardId" => shard_id: ShardIdText,
    "StartingPosition" => start: StartingPosition,
    "StreamId" => _id: Ignored<StreamId>,
    "DryRun" => dry_run: Option<Truth>,
} }

input! {
    /// The starting position of the subscription.
    pub struct StartingPosition {
        "Type" => kind: ShardIteratorType,
        "SequenceNumber" => number: Option<SequenceNumberText>,
        "Timestamp" => at: Option<Timestamp>,
    }
}

impl IntoAnswer for Events {
    const MEMBERS: &'static [&'static str] = &["EventStream"];

    /// Zero: each frame acquires its own permit.
    fn size_bytes(&self) -> usize {
        0
    }

    fn into_answer(self, format: Format, _permit: Option<BudgetPermit>) -> Answer {
        Answer::Events(Box::new(self.in_format(format)))
    }
}

impl Operation for SubscribeToShard {
    type Input = Input;
    type Output = Events;
    const SHARED: bool = true;

    fn shards(_context: &Context, input: &Input) -> Vec<Option<ShardId>> {
        vec![ShardId::parse(input.shard_id.as_str())]
    }

    async fn run(context: &Context, input: Input) -> Result<Events, Error> {
        let (engine, caller) = (&context.engine, &context.caller);
        let not_found = || Error::consumer_not_found(input.consumer.as_str(), caller.account);
        let arn = ConsumerArn::parse(input.consumer.as_str()).ok_or_else(not_found)?;
        let shard_id = read_shard_id(&input.shard_id, &arn.stream)?;
        let named = ConsumerRef::by_arn(input.consumer.clone());
        let (stream, name, consumer) = find_subscriber(context, &named)?;
        let shard = stream.readable_shard(shard_id, engine.world.clock.now());
        let shard = shard.ok_or_else(|| Error::shard_not_found(shard_id, &stream.arn))?;
        if input.dry_run == Some(Truth(true)) {
            // A dry run does not check the starting position. The service was recorded to accept a
            // missing sequence number in September 2026 (radkawar/stackd,
            // testdata/aws/kinesis/dry_run.json).
            check_stream_key(context, &stream, KeyPurpose::Decrypt)?;
            return Err(Error::dry_run("SubscribeToShard"));
        }
        let start = &input.start;
        let start = Start {
            kind: start.kind,
            number: start.number.as_ref(),
            at: start.at,
        };
        let position = starting_position(context, &stream.arn, &shard, start).await?;
        check_stream_key(context, &stream, KeyPurpose::Decrypt)?;
        let consumer = (name.as_str(), consumer.created_ms);
        let begun = Subscription::begin(engine, &stream, &shard, consumer, position);
        let subscription =
            begun.map_err(|_| Error::already_subscribed(&stream.arn, shard_id, &name))?;
        // Deregistering a consumer ends only the subscriptions that exist at that moment, so check
        // again that the consumer is still there.
        find_subscriber(context, &named)?;
        Ok(Events::new(
            engine.clone(),
            subscription,
            stream.arn.clone(),
            shard_id,
            name,
        ))
    }
}

impl HasTarget for SubscribeToShard {
    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        consumer_target(context, &ConsumerRef::by_arn(input.consumer.clone()))
    }
}

/// Finds the consumer, which must be ACTIVE, and its stream.
fn find_subscriber(
    context: &Context,
    named: &ConsumerRef,
) -> Result<(Arc<Stream>, String, Consumer), Error> {
    let (stream, name, consumer) = find_consumer(context, named)?;
    if !active(&consumer) {
        let arn = consumer_arn(&stream.arn, &name, &consumer);
        return Err(Error::subscriber_not_active(&arn));
    }
    let status = stream.look(|state| state.status);
    if matches!(status, StreamStatus::Creating | StreamStatus::Deleting) {
        return Err(Error::stream_not_found(&stream.arn));
    }
    Ok((stream, name, consumer))
}
