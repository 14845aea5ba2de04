//! GetRecords: records from a place on, and the place after them.
use super::prelude::*;
use crate::engine::{Read, Shard, Stream};
use crate::model::{ShardIterator, StreamArn};
use crate::world::Point;
use std::sync::Arc;
use time::OffsetDateTime;
use time::macros::format_description;

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

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let now = context.engine.world.clock.now();
        let iterator = opened(&input.iterator, now)?;
        let (stream, shard) = place(context, &input, &iterator)?;
        check_stream_key(context, &stream)?;
        if input.dry_run == Some(Truth(true)) {
            return Err(Error::dry_run());
        }
        if !shard.admits_read(now) {
            return Err(Error::read_rate_exceeded(
                shard.id,
                &stream.arn,
                ["shard-read-calls", "shard-read-bytes"],
            ));
        }
        if shard.is_exhausted(iterator.position) {
            return Ok(Output::at_shard_end(
                stream.children(shard.id).iter().map(ChildShard::of),
            ));
        }
        let limit = input.limit.map_or(limits::READ_ANSWER_RECORDS, |limit| {
            usize::try_from(limit.0).unwrap_or_default()
        });
        let read = Read {
            from: iterator.position,
            horizon: stream.horizon(now),
            records: limit,
            bytes: context.engine.limits.read_answer_bytes.unwrap_or(u64::MAX),
        };
        let passed = context.engine.world.pass(Point::Read).await;
        passed.map_err(|_| Error::internal())?;
        let batch = shard.read(read).await.map_err(|_| Error::internal())?;
        shard.debit_read(now, || batch.bytes());
        let traffic = &context.engine.traffic;
        traffic.read(batch.len() as u64, batch.bytes());
        let next = ShardIterator {
            issued: now,
            position: batch.next(),
            ..iterator
        };
        let next = next.encode(context.engine.world.random.bytes());
        Ok(Output::of(batch, next, now))
    }
}

impl HasTarget for GetRecords {
    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        let now = context.engine.world.clock.now();
        let iterator = opened(&input.iterator, now)?;
        named(context, input, &iterator).map(Target::Stream)
    }
}

/// The iterator that a text stands for, if it is good now.
fn opened(text: &ShardIteratorText, now: Timestamp) -> Result<ShardIterator, Error> {
    let iterator = ShardIterator::decode(text.as_str()).ok_or_else(Error::iterator_invalid)?;
    if iterator.issued_after(now) {
        return Err(Error::iterator_invalid());
    }
    if iterator.expired(now) {
        let (issued, now) = (written_out(iterator.issued), written_out(now));
        return Err(Error::iterator_expired(
            &issued,
            &now,
            limits::ITERATOR_LIFE_MS,
        ));
    }
    Ok(iterator)
}

/// The stream and the shard that an iterator is of.
fn place(
    context: &Context,
    input: &Input,
    iterator: &ShardIterator,
) -> Result<(Arc<Stream>, Arc<Shard>), Error> {
    found(context, &named(context, input, iterator)?, iterator)
}

/// The stream that the iterator and the request name together.
fn named(context: &Context, input: &Input, iterator: &ShardIterator) -> Result<StreamArn, Error> {
    let Some(text) = &input.arn else {
        return Ok(context.arn(&iterator.stream));
    };
    let given = parse_arn(text)?;
    if *given.name != *iterator.stream {
        return Err(Error::iterator_of_other_stream(text.as_str()));
    }
    Ok(given)
}

fn found(
    context: &Context,
    arn: &StreamArn,
    iterator: &ShardIterator,
) -> Result<(Arc<Stream>, Arc<Shard>), Error> {
    let now = context.engine.world.clock.now();
    let stream = context.engine.find(&arn.scope, &arn.name);
    let found =
        stream.and_then(|stream| Some((stream.readable_shard(iterator.shard, now)?, stream)));
    let (shard, stream) = found.ok_or_else(|| Error::shard_does_not_exist(iterator.shard, arn))?;
    if stream.incarnation != iterator.incarnation {
        // The service was seen to fail here; a refusal is the better answer (a choice).
        return Err(Error::iterator_invalid());
    }
    Ok((stream, shard))
}

/// A moment as the service writes it in this one message: `Thu Jan 22 01:22:02 UTC 2015`.
fn written_out(moment: Timestamp) -> String {
    let layout = format_description!(
        "[weekday repr:short] [month repr:short] [day] [hour]:[minute]:[second] UTC [year]"
    );
    let moment = OffsetDateTime::from_unix_timestamp(moment.seconds());
    moment
        .ok()
        .and_then(|moment| moment.format(layout).ok())
        .unwrap_or_default()
}
