//! UpdateShardCount: reshards a stream into shards with hash key ranges of equal size.
use super::prelude::*;
use crate::engine::{Counts, PendingChange, ReshardingOrder, StreamState};
use crate::limits::Limits;
use crate::model::{StreamArn, StreamMode};

pub(super) struct UpdateShardCount;

input! { pub struct Input {
    #[allow(dead_code, reason = "the shape allows one value only")]
    "ScalingType" => scaling: ScalingType,
    .. stream: StreamRef,
    "TargetShardCount" => target: PositiveIntegerObject,
} }

output! { pub struct Output {
    "CurrentShardCount" => current: u64,
    "StreamARN" => arn: String,
    "StreamName" => name: String,
    "TargetShardCount" => target: u64,
} }
document!(Output);

impl Operation for UpdateShardCount {
    type Input = Input;
    type Output = Output;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let stream = context.stream(&input.stream)?;
        let target = u32::try_from(input.target.0).expect("the shape demands at least 1");
        let mut current = 0;
        let updated = context.engine.update(&stream, |state, counts| {
            current = state.open_shards_count();
            plan(&stream.arn, state, counts, &context.engine.limits, target)
        });
        updated.await?;
        Ok(Output {
            current,
            arn: stream.arn.to_string(),
            name: stream.arn.name.to_string(),
            target: target.into(),
        })
    }
}

fn plan(
    arn: &StreamArn,
    state: &mut StreamState,
    counts: Counts,
    limits: &Limits,
    count: u32,
) -> Result<Option<PendingChange>, Error> {
    if state.mode() == StreamMode::OnDemand {
        return Err(Error::stream_is_on_demand(arn));
    }
    check_active(arn, state)?;
    let (open, target) = (state.open_shards_count(), u64::from(count));
    check_target(limits, open, target)?;
    check_shards(
        arn,
        counts,
        limits.shards_per_account,
        target.saturating_sub(open),
    )?;
    if target == open {
        return Ok(None);
    }
    let refusal = |_| Error::daily_rate_exceeded(arn, "scalings-per-day");
    count_today(
        &mut state.history.shard_counts,
        limits.scalings_per_day,
        counts.now,
        refusal,
    )?;
    let resharding = Some(ReshardingOrder::Scale { count });
    Ok(Some(PendingChange {
        settings: state.settings.clone(),
        resharding,
    }))
}

/// Checks the target number of shards against the shard limit of a stream, and against the stream's
/// number of open shards.
fn check_target(limits: &Limits, open: u64, target: u64) -> Result<(), Error> {
    // A stream may already have more shards than the limit. Even this stream can be scaled only to
    // a number within the limit.
    if let Some(limit) = limits.shards_per_stream.filter(|limit| target > *limit) {
        return Err(Error::target_above_limit(limit, open, target));
    }
    if target > 2 * open {
        return Err(Error::target_above_double(open, target));
    }
    // The smallest permitted target is half of the open shards, rounded down. A recording from
    // September 2026 shows that the service scales 3 shards to 1 (radkawar/stackd,
    // testdata/aws/kinesis/topology_raw.json).
    if target < open / 2 {
        return Err(Error::target_below_half(open, target));
    }
    Ok(())
}
