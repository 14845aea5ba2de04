//! Checks that the operations which change a stream share.

use super::super::Context;
use super::super::shapes::{NaturalIntegerObject, ShardIdText};
use crate::engine::{Counts, PendingChange, State, Stream};
use crate::error::Error;
use crate::limits::{self, Limit, Limits};
use crate::model::{ShardId, StreamArn, StreamStatus};
use crate::world::Timestamp;
use std::sync::Arc;

/// A shard id that a request gave, in any of the spellings the service takes; it is read before
/// the stream is looked for.
pub(in crate::operation) fn read_shard_id(
    text: &ShardIdText,
    stream: &StreamArn,
) -> Result<ShardId, Error> {
    let id = ShardId::parse(text.as_str());
    id.ok_or_else(|| Error::shard_not_found(text.as_str(), stream))
}

/// A stream is changed in one way at a time.
pub(in crate::operation) fn check_active(arn: &StreamArn, state: &State) -> Result<(), Error> {
    match state.status {
        StreamStatus::Active => Ok(()),
        status => Err(Error::stream_not_active(arn, status)),
    }
}

/// `more` shards have to fit into the account.
pub(in crate::operation) fn check_shards(
    arn: &StreamArn,
    counts: Counts,
    limit: Limit,
    more: u64,
) -> Result<(), Error> {
    match limit.filter(|limit| counts.open_shards + more > *limit) {
        Some(limit) => Err(Error::too_many_shards(arn, counts.open_shards, limit, more)),
        None => Ok(()),
    }
}

/// A limit on how often in 24 hours a stream may be changed in one way.
pub(in crate::operation) struct DailyLimit<'a> {
    /// The name that `--limit` takes.
    pub name: &'static str,
    /// How often.
    pub most: Limit,
    /// What its refusal says first.
    pub told: &'a str,
}

/// Counts a change that may be made so many times in 24 hours.
pub(in crate::operation) fn count_today(
    made: &mut Vec<i64>,
    limit: &DailyLimit<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    made.retain(|moment| now.millis_since(Timestamp::from_millis(*moment)) < limits::DAY_MS);
    if let Some(most) = limit.most {
        if made.len() as u64 >= most {
            return Err(Error::too_often_a_day(limit.told, limit.name, most));
        }
        made.push(now.millis());
    }
    Ok(())
}

/// Warm throughput takes an account's commitment, and there is a most of it.
pub(in crate::operation) fn check_warm_throughput(
    arn: &StreamArn,
    counts: Counts,
    limits: &Limits,
    wanted: NaturalIntegerObject,
) -> Result<u32, Error> {
    if !counts.committed {
        return Err(Error::warm_throughput_without_commitment(arn.scope.account));
    }
    let wanted = u32::try_from(wanted.0).expect("the shape demands at least 0");
    match limits
        .warm_throughput
        .filter(|limit| u64::from(wanted) > *limit)
    {
        Some(limit) => Err(Error::warm_throughput_too_high(limit)),
        None => Ok(wanted),
    }
}

/// Sets a stream's retention period; `check` compares it with the present one. An equal one is a
/// success without effect, which deployment tools rely on.
pub(in crate::operation) async fn set_retention(
    context: &Context,
    stream: &Arc<Stream>,
    hours: i32,
    check: impl FnOnce(u32, u32) -> Result<(), Error>,
) -> Result<(), Error> {
    if hours < limits::MIN_RETENTION_HOURS {
        return Err(Error::retention_too_short(
            hours,
            limits::MIN_RETENTION_HOURS,
        ));
    }
    if hours > limits::MAX_RETENTION_HOURS {
        return Err(Error::retention_too_long(
            hours,
            limits::MAX_RETENTION_HOURS,
        ));
    }
    let hours = u32::try_from(hours).expect("at least a day");
    let updated = context.engine.update(stream, |state, _| {
        check(hours, state.settings.retention_hours)?;
        check_active(&stream.arn, state)?;
        let mut settings = state.settings.clone();
        settings.retention_hours = hours;
        let changes = settings != state.settings;
        Ok::<_, Error>(changes.then_some(PendingChange {
            settings,
            resharding: None,
        }))
    });
    updated.await
}
