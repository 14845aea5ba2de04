//! GetShardIterator: returns an iterator for a position in a shard.
use super::prelude::*;
use crate::model::{ShardId, ShardIterator};

pub(super) struct GetShardIterator;

input! { pub struct Input {
    "ShardIteratorType" => kind: ShardIteratorType,
    "ShardId" => shard_id: ShardIdText,
    "StartingSequenceNumber" => number: Option<SequenceNumberText>,
    .. stream: StreamRef,
    "Timestamp" => at: Option<Timestamp>,
    "DryRun" => dry_run: Option<Truth>,
} }

output! { pub struct Output { "ShardIterator" => iterator: String, } }
document!(Output);

impl Operation for GetShardIterator {
    type Input = Input;
    type Output = Output;
    const SHARED: bool = true;
    const READ_FAST: bool = true;

    fn shards(_context: &Context, input: &Input) -> Vec<Option<ShardId>> {
        vec![ShardId::parse(input.shard_id.as_str())]
    }

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let arn = context.resolve(&input.stream)?;
        if input.dry_run == Some(Truth(true)) {
            // A dry run (DryRun) checks only that the stream exists. A recording from September
            // 2026 shows that the service accepts an unknown shard and a missing
            // StartingSequenceNumber (radkawar/stackd, testdata/aws/kinesis/dry_run.json).
            context.stream(&input.stream)?;
            return Err(Error::dry_run("GetShardIterator"));
        }
        let shard_id = read_shard_id(&input.shard_id, &arn)?;
        let now = context.engine.world.clock.now();
        // For an unknown stream, the service answers this operation with the error for an unknown
        // shard.
        let stream = context.engine.find(&arn.scope, &arn.name);
        let found = stream.and_then(|stream| Some((stream.readable_shard(shard_id, now)?, stream)));
        let (shard, stream) = found.ok_or_else(|| Error::shard_does_not_exist(shard_id, &arn))?;
        let start = Start {
            kind: input.kind,
            number: input.number.as_ref(),
            at: input.at,
        };
        let position = starting_position(context, &arn, &shard, start).await?;
        let world = &context.engine.world;
        if !shard.admits_iterator(now) {
            return Err(Error::read_rate_exceeded(
                shard_id,
                &arn,
                ["shard-iterator-calls"],
            ));
        }
        let iterator = ShardIterator {
            issued: now,
            identity: stream.identity,
            stream: arn.name.to_string(),
            shard: shard_id,
            position,
        };
        Ok(Output {
            iterator: iterator.encode(world.random.bytes()),
        })
    }
}
