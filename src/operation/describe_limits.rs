//! DescribeLimits: the quotas of an account in a region, and the part of them that is used.
use super::prelude::*;

pub(super) struct DescribeLimits;

input! { pub struct Input {} }

output! { pub struct Output {
    "OnDemandStreamCount" => on_demand: u64,
    "OnDemandStreamCountLimit" => on_demand_limit: u64,
    "OpenShardCount" => open_shards: u64,
    "ShardLimit" => shard_limit: u64,
} }
document!(Output);

/// The answer for a quota that is switched off: the largest value of the member's type.
const NO_LIMIT: u64 = i32::MAX as u64;

impl Operation for DescribeLimits {
    type Input = Input;
    type Output = Output;

    async fn run(context: &Context, _input: Input) -> Result<Output, Error> {
        let limits = &context.engine.limits;
        let usage = context.engine.capacity(&context.caller);
        Ok(Output {
            on_demand: usage.on_demand_streams,
            on_demand_limit: limits.on_demand_streams.unwrap_or(NO_LIMIT).min(NO_LIMIT),
            open_shards: usage.open_shards,
            shard_limit: limits.shards_per_account.unwrap_or(NO_LIMIT).min(NO_LIMIT),
        })
    }
}

impl HasTarget for DescribeLimits {
    fn target(context: &Context, _input: &Input) -> Result<Target, Error> {
        Ok(Target::Account(context.caller.clone()))
    }
}
