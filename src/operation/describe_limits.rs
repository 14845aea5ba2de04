//! DescribeLimits: returns the quotas of an account in a region, and the present use of these
//! quotas.
use super::prelude::*;
use crate::limits::Limit;

pub(super) struct DescribeLimits;

input! { pub struct Input {} }

output! { pub struct Output {
    "ChannelCount" => channels: u64,
    "ChannelCountLimit" => channel_limit: u64,
    "OnDemandStreamCount" => on_demand: u64,
    "OnDemandStreamCountLimit" => on_demand_limit: u64,
    "OpenShardCount" => open_shards: u64,
    "ShardLimit" => shard_limit: u64,
} }
document!(Output);

/// The value that the answer shows for a quota without a limit. This value is the largest value of
/// the member's type.
const NO_LIMIT: u64 = i32::MAX as u64;

/// Returns the value that the answer shows for the quota `limit`.
fn shown(limit: Limit) -> u64 {
    limit.unwrap_or(NO_LIMIT).min(NO_LIMIT)
}

impl Operation for DescribeLimits {
    type Input = Input;
    type Output = Output;

    async fn run(context: &Context, _input: Input) -> Result<Output, Error> {
        let limits = &context.engine.limits;
        let usage = context.engine.quota_use(&context.caller);
        Ok(Output {
            channels: context.engine.count_channels(&context.caller),
            channel_limit: shown(limits.channels_per_account),
            on_demand: usage.on_demand_streams,
            on_demand_limit: shown(limits.on_demand_streams),
            // OpenShardCount does not include the shards of on-demand streams, as was recorded in
            // September 2026 (radkawar/stackd, testdata/aws/kinesis/topology.json).
            open_shards: usage.provisioned_shards,
            shard_limit: shown(limits.shards_per_account),
        })
    }
}

impl HasTarget for DescribeLimits {
    fn target(context: &Context, _input: &Input) -> Result<Target, Error> {
        Ok(Target::Account(context.caller.clone()))
    }
}
