//! MergeShards: merges two shards with adjacent hash key ranges into one shard.
use super::prelude::*;
use crate::engine::{PendingChange, ReshardingOrder, StreamState};
use crate::model::{ShardId, StreamArn, StreamMode};

pub(super) struct MergeShards;

input! { pub struct Input {
    "ShardToMerge" => lower: ShardIdText,
    "AdjacentShardToMerge" => upper: ShardIdText,
    .. stream: StreamRef,
} }

impl Operation for MergeShards {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let arn = context.resolve(&input.stream)?;
        let lower = read_shard_id(&input.lower, &arn)?;
        let upper = read_shard_id(&input.upper, &arn)?;
        let stream = context.stream(&input.stream)?;
        let updated = context.engine.update(&stream, |state, _| {
            plan(&arn, state, lower, upper).map(Some)
        });
        updated.await?;
        Ok(Nothing)
    }
}

fn plan(
    arn: &StreamArn,
    state: &StreamState,
    lower: ShardId,
    upper: ShardId,
) -> Result<PendingChange, Error> {
    if state.mode() == StreamMode::OnDemand {
        return Err(Error::stream_is_on_demand(arn));
    }
    check_active(arn, state)?;
    let find = |id| {
        state
            .shard(id)
            .ok_or_else(|| Error::shard_not_found(id, arn))
    };
    let (one, other) = (find(lower)?, find(upper)?);
    for shard in [&one, &other] {
        if !shard.is_open() {
            return Err(Error::shard_closed(shard.id, arn));
        }
    }
    if !one.can_merge_with(&other) {
        return Err(Error::shards_not_adjacent(lower, upper, arn));
    }
    let order = ReshardingOrder::Merge {
        lower: lower.index(),
        upper: upper.index(),
    };
    Ok(PendingChange {
        settings: state.settings.clone(),
        resharding: Some(order),
    })
}
