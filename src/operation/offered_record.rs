//! The unchecked records of a put request, and the checks that PutRecord and PutRecords share. The
//! checks have the service's order.

use super::context::Context;
use super::kms_key::check_stream_key;
use super::shapes::{Data, HashKeyText, PartitionKey, SequenceNumberText};
use super::stream_ref::StreamRef;
use crate::engine::{PutSettings, Stream};
use crate::error::{Error, KeyPurpose};
use crate::model::{HashKey, NewRecord, SequenceNumber, ShardId, StreamArn};
use crate::wire::{Expected, Node, Violations};
use std::sync::Arc;

/// A record of a put request before the checks.
pub(super) struct Offered {
    pub(super) partition_key: Expected<PartitionKey>,
    pub(super) explicit_hash_key: Option<HashKeyText>,
    pub(super) data: Data,
}

/// Checks the stream and all records of a put request, except for the explicit hash keys of the
/// records. Returns the stream and the stream's put settings. `path(at, name)` is for error
/// messages. It returns the path to the member `name` in the record with the index `at`, in the
/// service's spelling.
pub(super) fn admit(
    context: &Context,
    given: &StreamRef,
    offered: &[Offered],
    path: impl Fn(usize, &str) -> String,
) -> Result<(Arc<Stream>, PutSettings), Error> {
    let found = context
        .stream(given)
        .map(|stream| (stream.put_settings(), stream));
    let auto = found
        .as_ref()
        .is_ok_and(|(settings, _)| settings.auto_distribution);
    if !auto
        && offered
            .iter()
            .any(|record| record.partition_key.0.is_none())
    {
        // In the newest service model the partition key is optional. A recording from September
        // 2026 shows that the service still refuses a request without the key (radkawar/stackd,
        // testdata/aws/kinesis/dry_run.json).
        let missing = indexes(offered, |record| record.partition_key.0.is_none());
        let report = Violations::missing(missing.map(|at| path(at, "partitionKey")));
        return Err(Error::invalid(report.message()));
    }
    let (settings, stream) = found?;
    if !settings.writable {
        return Err(Error::stream_not_found(&stream.arn));
    }
    if settings.encrypted {
        check_stream_key(context, &stream, KeyPurpose::Encrypt)?;
    }
    check_sizes(context, offered, &settings, path)?;
    Ok((stream, settings))
}

fn check_sizes(
    context: &Context,
    offered: &[Offered],
    settings: &PutSettings,
    path: impl Fn(usize, &str) -> String,
) -> Result<(), Error> {
    let sum: usize = offered.iter().map(Offered::size_bytes).sum();
    if let Some(limit) = context.engine.limits.put_records_bytes {
        // The limit of the total size applies only to a request with several records. A single
        // record is bounded by the maximum record size of the stream.
        if offered.len() > 1 && sum as u64 > limit {
            return Err(Error::records_too_large(limit));
        }
    }
    let max = usize::try_from(settings.max_record_bytes).unwrap_or(usize::MAX);
    if offered.iter().any(|record| record.size_bytes() > max) {
        let oversized = indexes(offered, |record| record.size_bytes() > max);
        let report = Violations::too_long(oversized.map(|at| path(at, "data")), max);
        return Err(Error::invalid(report.message()));
    }
    Ok(())
}

fn indexes(offered: &[Offered], chosen: impl Fn(&Offered) -> bool) -> impl Iterator<Item = usize> {
    let chosen = move |(at, record): (usize, &Offered)| chosen(record).then_some(at);
    offered.iter().enumerate().filter_map(chosen)
}

/// Converts a checked record of a put request to a record with its hash key, which selects the
/// shard.
pub(super) fn routed(settings: &PutSettings, offered: Offered) -> Result<NewRecord, Error> {
    let partition_key = offered.partition_key.0.map(PartitionKey::into_text);
    let explicit = offered.explicit_hash_key.as_ref();
    let keys = (partition_key.as_deref(), explicit.map(HashKeyText::as_str));
    let hash_key = hash_key(settings, keys)?;
    Ok(NewRecord {
        partition_key,
        hash_key,
        data: offered.data.0,
    })
}

/// Returns the hash key of a record: its explicit hash key, or else the hash of its partition key.
/// `None` in a stream with the record distribution strategy AUTO, whose records go to all open
/// shards in rotation. An explicit hash key that is larger than the largest hash key is always
/// refused.
pub(super) fn hash_key(
    settings: &PutSettings,
    (partition_key, explicit): (Option<&str>, Option<&str>),
) -> Result<Option<HashKey>, Error> {
    let parse = |text| HashKey::parse(text).ok_or_else(|| Error::explicit_hash_key_range(text));
    let explicit = explicit.map(parse).transpose()?;
    Ok(match explicit {
        _ if settings.auto_distribution => None,
        Some(key) => Some(key),
        None => Some(HashKey::of_partition_key(partition_key.unwrap_or_default())),
    })
}

impl Offered {
    fn size_bytes(&self) -> usize {
        let key = self
            .partition_key
            .0
            .as_ref()
            .map_or(0, |key| key.as_str().len());
        self.data.0.len() + key
    }
}

/// Checks the SequenceNumberForOrdering of a record with the hash key `key`. The engine does not
/// use the number, because every new sequence number of a shard is greater than all earlier numbers
/// of the shard. Like the service, this function accepts a number of any shard of any stream.
pub(super) fn check_ordering(
    context: &Context,
    (stream, key): (&Stream, Option<HashKey>),
    settings: &PutSettings,
    number: Option<&SequenceNumberText>,
) -> Result<(), Error> {
    let Some(number) = number else { return Ok(()) };
    if settings.auto_distribution {
        return Err(Error::ordering_not_expected());
    }
    let parsed = SequenceNumber::parse(number.as_str());
    if parsed.is_some_and(|number| context.engine.can_order_after(stream, key, &number)) {
        Ok(())
    } else {
        Err(Error::ordering_number_invalid(number.as_str(), &stream.arn))
    }
}

/// True if `input`, a request that is not decoded yet, names a stream with the record distribution
/// strategy AUTO.
pub(super) fn is_auto(context: &Context, input: &Node) -> bool {
    let text = |member| input.member(member).and_then(Node::text);
    let by_arn = text("StreamARN").and_then(StreamArn::parse);
    let arn = by_arn.or_else(|| text("StreamName").map(|name| context.arn(name)));
    let stream = arn.and_then(|arn| context.engine.find(&arn.scope, &arn.name));
    stream.is_some_and(|stream| stream.put_settings().auto_distribution)
}

/// Returns the shard of each record in `keys`, for fault rules that name a shard. The shard is
/// `None` for a record of a stream with the record distribution strategy AUTO, because the shard of
/// such a record is chosen when the record is written.
pub(super) fn shards_of<'a>(
    context: &Context,
    given: &StreamRef,
    keys: impl IntoIterator<Item = (&'a Expected<PartitionKey>, Option<&'a HashKeyText>)>,
) -> Vec<Option<ShardId>> {
    let stream = context.stream(given).ok();
    let stream = stream.filter(|stream| !stream.put_settings().auto_distribution);
    let now = context.engine.world.clock.now();
    let shards = stream.map(|stream| stream.listed_shards(now));
    let shards = shards.unwrap_or_default();
    let shard_of = |(key, explicit): (&Expected<PartitionKey>, Option<&HashKeyText>)| {
        let key = match explicit {
            Some(text) => HashKey::parse(text.as_str())?,
            None => HashKey::of_partition_key(key.0.as_ref()?.as_str()),
        };
        let mut open = shards.iter().filter(|shard| shard.is_open());
        let shard = open.find(|shard| shard.hash_key_range.contains(key))?;
        Some(shard.id)
    };
    keys.into_iter().map(shard_of).collect()
}
