//! Checks of a stream's capacity against the quotas of its account.

use super::shapes::NaturalIntegerObject;
use crate::engine::Counts;
use crate::error::Error;
use crate::limits::{Limit, Limits};
use crate::model::StreamArn;

/// Returns an error if the account would exceed its shard quota with `more` additional open shards.
pub(super) fn check_shards(
    arn: &StreamArn,
    counts: Counts,
    limit: Limit,
    more: u64,
) -> Result<(), Error> {
    match limit.filter(|limit| counts.quota_use.provisioned_shards + more > *limit) {
        Some(limit) => Err(Error::too_many_shards(
            arn,
            counts.quota_use.provisioned_shards,
            limit,
            more,
        )),
        None => Ok(()),
    }
}

/// Checks `wanted`, the warm throughput in a request, and returns its value in MiB/s. The account
/// must have a minimum throughput billing commitment (`committed`), and the value must not exceed
/// the limit.
pub(super) fn check_warm_throughput(
    arn: &StreamArn,
    committed: bool,
    limits: &Limits,
    wanted: NaturalIntegerObject,
) -> Result<u32, Error> {
    if !committed {
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
