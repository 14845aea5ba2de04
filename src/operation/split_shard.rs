//! SplitShard: splits a shard into two at a hash key.
use super::prelude::*;
use crate::engine::{Counts, PendingChange, ReshardingOrder, StreamState};
use crate::model::{HashKey, ShardId, StreamArn, StreamMode};

pub(super) struct SplitShard;

input! { pub struct Input {
    "NewStartingHashKey" => key: HashKeyText,
    .. stream: StreamRef,
    "ShardToSplit" => shard: ShardIdText,
} }

impl Operation for SplitShard {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let arn = context.resolve(&input.stream)?;
        let id = read_shard_id(&input.shard, &arn)?;
        let stream = context.stream(&input.stream)?;
        let limit = context.engine.limits.shards_per_account;
        let updated = context.engine.update(&stream, |state, counts| {
            plan(&arn, state, counts, limit, id, input.key.as_str()).map(Some)
        });
        updated.await?;
        Ok(Nothing)
    }
}

fn plan(
    arn: &StreamArn,
    state: &StreamState,
    counts: Counts,
    limit: Option<u64>,
    id: ShardId,
    text: &str,
) -> Result<PendingChange, Error> {
    if state.mode() == StreamMode::OnDemand {
        return Err(Error::stream_is_on_demand(arn));
    }
    check_active(arn, state)?;
    let shard = state
        .shard(id)
        .ok_or_else(|| Error::shard_not_found(id, arn))?;
    check_shards(arn, counts, limit, 1)?;
    // The service reports a closed shard before an invalid hash key, as was recorded in September
    // 2026 (radkawar/stackd, testdata/aws/kinesis/topology.json).
    if !shard.is_open() {
        return Err(Error::shard_closed(id, arn));
    }
    let key = HashKey::parse(text).filter(|key| shard.can_split_at(*key));
    let key = key.ok_or_else(|| Error::hash_key_not_inside(text, &shard, arn))?;
    let at = key.value().to_be_bytes();
    let resharding = Some(ReshardingOrder::Split {
        shard: id.index(),
        at,
    });
    Ok(PendingChange {
        settings: state.settings.clone(),
        resharding,
    })
}
