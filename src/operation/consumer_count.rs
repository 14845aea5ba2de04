//! The quota that the consumers and the queues of a stream share.

use crate::engine::StreamState;
use crate::error::Error;
use crate::limits::Limits;
use crate::model::StreamArn;

/// Refuses one more consumer or queue if the stream's quota is used up. A consumer or queue counts
/// against the quota in every status. `committed` is true if the account has a minimum throughput
/// billing commitment, which raises the quota of on-demand streams.
pub(super) fn check_consumer_count(
    arn: &StreamArn,
    state: &StreamState,
    limits: &Limits,
    committed: bool,
) -> Result<(), Error> {
    let most = if committed && state.settings.on_demand {
        limits.consumers_per_committed_stream
    } else {
        limits.consumers_per_stream
    };
    let count = state.consumers.len() + state.queues.len();
    match most.filter(|limit| count as u64 >= *limit) {
        Some(limit) => Err(Error::too_many_consumers(arn, limit)),
        None => Ok(()),
    }
}
