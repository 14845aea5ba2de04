//! SubscribeToShard: pushes the records of a shard to a consumer as they are published.
use super::answer::{Answer, IntoAnswer};
use super::events::Events;
use super::prelude::*;
use crate::admission::BudgetPermit;
use crate::engine::{Consumer, Stream, Subscription};
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

    /// Returns 0, because each frame of the answer acquires its own permit.
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
        let engine = &context.engine;
        let arn = parse_consumer_arn(context, &input.consumer)?;
        let shard_id = read_shard_id(&input.shard_id, &arn.stream)?;
        let (stream, consumer) = find_subscriber(context, &arn)?;
        let shard = stream.readable_shard(shard_id, engine.world.clock.now());
        let shard = shard.ok_or_else(|| Error::shard_not_found(shard_id, &stream.arn))?;
        if input.dry_run == Some(Truth(true)) {
            // A dry run (DryRun) does not check the starting position. A recording from September
            // 2026 shows that the service accepts a missing sequence number (radkawar/stackd,
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
        let consumer = (&*arn.name, consumer.created_ms);
        let begun = Subscription::begin(engine, &stream, &shard, consumer, position);
        let subscription =
            begun.map_err(|_| Error::already_subscribed(&stream.arn, shard_id, &arn.name))?;
        // The deletion of a stream ends only the subscriptions that exist at the moment of the
        // deletion. Check again that the stream still exists.
        find_subscriber(context, &arn)?;
        Ok(Events::new(
            engine.clone(),
            subscription,
            stream.arn.clone(),
            shard_id,
            arn.name.to_string(),
        ))
    }
}

impl HasTarget for SubscribeToShard {
    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        parse_consumer_arn(context, &input.consumer).map(Target::Consumer)
    }
}

/// Finds the consumer with this ARN, and its stream. Refuses a consumer that is not ACTIVE.
fn find_subscriber(context: &Context, arn: &ConsumerArn) -> Result<(Arc<Stream>, Consumer), Error> {
    let found = consumer_with_arn(context, arn);
    let missing = || Error::consumer_name_not_found(&arn.name, &arn.stream);
    let (stream, consumer) = found.ok_or_else(missing)?;
    if !active(&consumer) {
        return Err(Error::subscriber_not_active(arn));
    }
    let status = stream.look(|state| state.status);
    if matches!(status, StreamStatus::Creating | StreamStatus::Deleting) {
        return Err(Error::stream_not_found(&stream.arn));
    }
    Ok((stream, consumer))
}
