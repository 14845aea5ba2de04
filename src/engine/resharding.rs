//! Computes the shards that a split, a merge or a scaling closes and creates. `update.rs` applies
//! the result, and `saved.rs` makes the catalog entries of these shards and of their stream.

use super::stream_state::StreamState;
use crate::model::{self, HashKey, ShardId, merge, scale, split};
use crate::store::ReshardingOrder;
use crate::world::Timestamp;

/// Returns the descriptions of all shards that `order` closes or creates. The descriptions have the
/// values after the resharding.
pub(super) fn resharded_shards(
    state: &StreamState,
    order: &ReshardingOrder,
    now: Timestamp,
) -> Vec<model::Shard> {
    let closed_s = u64::try_from(now.seconds()).unwrap_or_default();
    let next = state.next_shard();
    let shard = |index: u32| {
        let shard = state.shard(ShardId::new(index));
        shard.expect("a shard stays until its split or merge is made")
    };
    let resharding = match order {
        ReshardingOrder::Split { shard: index, at } => {
            let key = HashKey::new(u128::from_be_bytes(*at));
            split(&shard(*index), key, [next, next.next()], closed_s)
        }
        ReshardingOrder::Merge { lower, upper } => {
            merge(&shard(*lower), &shard(*upper), next, closed_s)
        }
        ReshardingOrder::Scale { count } => {
            let open = state.routes().iter().map(|shard| shard.description());
            let open: Vec<_> = open.collect();
            return scale(&open, next, *count, closed_s);
        }
    };
    let closed = resharding.closed.into_iter();
    closed.chain(resharding.opened).collect()
}
