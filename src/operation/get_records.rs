//! GetRecords: reads a batch of records from an iterator's position, and returns the next iterator.
use super::prelude::*;
use crate::engine::{Batch, Read, ReadBudget, Shard, Stream};
use crate::model::{ShardId, ShardIterator, StreamArn};
use crate::world::Point;
use std::sync::Arc;

mod answer;
pub use answer::Output;

pub(super) struct GetRecords;

input! { pub struct Input {
    "Limit" => limit: Option<GetRecordsInputLimit>,
    "ShardIterator" => iterator: ShardIteratorText,
    "StreamARN" => arn: Option<StreamARN>,
    "StreamId" => _id: Ignored<StreamId>,
    "DryRun" => dry_run: Option<Truth>,
} }

impl Operation for GetRecords {
    type Input = Input;
    type Output = Output;
    const SHARED: bool = true;
    const READ_FAST: bool = true;

    fn shards(_context: &Context, input: &Input) -> Vec<Option<ShardId>> {
        let iterator = ShardIterator::decode(input.iterator.as_str());
        vec![iterator.map(|iterator| iterator.shard)]
    }

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let now = context.engine.world.clock.now();
        let iterator = open_iterator(&input.iterator, now)?;
        if input.dry_run == Some(Truth(true)) {
            // A dry run (DryRun) checks the iterator and StreamARN, but not that the stream exists.
            // A recording from September 2026 shows such a dry run for a deleted stream
            // (radkawar/stackd, testdata/aws/kinesis/dry_run.json).
            named(context, &input, &iterator)?;
            return Err(Error::dry_run("GetRecords"));
        }
        let (stream, shard) = locate(context, &input, &iterator, now)?;
        check_stream_key(context, &stream, KeyPurpose::Decrypt)?;
        if !shard.admits_read(now) {
            return Err(Error::read_rate_exceeded(
                shard.id,
                &stream.arn,
                ["shard-read-calls", "shard-read-bytes"],
            ));
        }
        if shard.is_exhausted(iterator.position) {
            let children = stream.children(shard.id);
            let behind_ms = shard.millis_at_end(iterator.position, now);
            return Ok(Output::at_shard_end(
                children.iter().map(ChildShard::of),
                behind_ms,
            ));
        }
        let limit = input.limit.map(|limit| limit.0);
        let read = Read {
            from: iterator.position,
            horizon: stream.horizon(now),
            records: page_size(limit, limits::READ_ANSWER_RECORDS),
            bytes: context.engine.limits.read_answer_bytes.unwrap_or(u64::MAX),
        };
        let batch = read_counted(context, &shard, read, now).await?;
        let next = ShardIterator {
            issued: now,
            position: batch.next(),
            ..iterator
        };
        let next = next.encode(context.engine.world.random.bytes());
        let behind_ms = shard.millis_behind_latest(&batch, now);
        Ok(Output::of(batch, next, behind_ms))
    }
}

/// Reads a batch, and counts the read against the shard's read limits.
async fn read_counted(
    context: &Context,
    shard: &Shard,
    read: Read,
    now: Timestamp,
) -> Result<Batch, Error> {
    let engine = &context.engine;
    let passed = engine.world.pass(Point::Read).await;
    passed.map_err(|_| Error::internal())?;
    let batch = shard
        .read(read, ReadBudget::Answer(&engine.admission))
        .await?;
    shard.debit_read(now, || batch.bytes());
    let (records, bytes) = (batch.len() as u64, batch.bytes());
    engine.traffic.read(records, bytes);
    shard.count_delivered(records, bytes);
    Ok(batch)
}

impl HasTarget for GetRecords {
    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        let now = context.engine.world.clock.now();
        let iterator = open_iterator(&input.iterator, now)?;
        // The permission is checked before StreamARN is compared with the iterator's stream, as was
        // recorded in September 2026 (radkawar/stackd, testdata/aws/kinesis/dry_run.json).
        addressed(context, input, &iterator).map(Target::Stream)
    }
}

/// Decodes an iterator, and refuses an expired iterator.
fn open_iterator(text: &ShardIteratorText, now: Timestamp) -> Result<ShardIterator, Error> {
    let iterator = ShardIterator::decode(text.as_str()).ok_or_else(Error::iterator_invalid)?;
    if iterator.is_of_far_future(now) {
        return Err(Error::iterator_invalid());
    }
    if iterator.expired(now) {
        return Err(Error::iterator_expired(
            iterator.issued,
            now,
            limits::ITERATOR_LIFE_MS,
        ));
    }
    Ok(iterator)
}

/// Finds the stream and the shard of an iterator.
fn locate(
    context: &Context,
    input: &Input,
    iterator: &ShardIterator,
    now: Timestamp,
) -> Result<(Arc<Stream>, Arc<Shard>), Error> {
    let arn = named(context, input, iterator)?;
    let stream = context.engine.find(&arn.scope, &arn.name);
    let found =
        stream.and_then(|stream| Some((stream.readable_shard(iterator.shard, now)?, stream)));
    let (shard, stream) = found.ok_or_else(|| Error::shard_does_not_exist(iterator.shard, &arn))?;
    if stream.identity != iterator.identity {
        // The stream was deleted and created again. The service was observed to fail with an
        // internal error in this case. The emulator refuses the iterator instead, which is a
        // choice.
        return Err(Error::iterator_invalid());
    }
    Ok((stream, shard))
}

/// Returns the stream that the member StreamARN names, or the stream of the iterator if the request
/// has no StreamARN.
fn addressed(
    context: &Context,
    input: &Input,
    iterator: &ShardIterator,
) -> Result<StreamArn, Error> {
    match &input.arn {
        Some(text) => parse_arn(context, text),
        None => Ok(context.arn(&iterator.stream)),
    }
}

/// Returns the stream of the iterator. An iterator contains only the stream's name. The member
/// StreamARN, if given, must have the same name, and determines the account and region.
fn named(context: &Context, input: &Input, iterator: &ShardIterator) -> Result<StreamArn, Error> {
    let arn = addressed(context, input, iterator)?;
    if *arn.name != *iterator.stream {
        return Err(Error::name_and_arn_differ(&iterator.stream, &arn.name));
    }
    Ok(arn)
}
