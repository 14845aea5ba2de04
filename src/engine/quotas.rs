//! Counts the streams and shards to which the quotas of an account in a region apply.

use super::stream_state::StreamState;
use crate::model::{StreamMode, StreamStatus};

/// Quota use: the numbers of shards and streams that count against an account's quotas in a region.
/// A value is the use of one stream, or of all streams of the account in the region.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QuotaUse {
    /// Number of open shards of provisioned streams.
    pub provisioned_shards: u64,
    /// Number of on-demand streams.
    pub on_demand_streams: u64,
    /// Number of streams in CREATING or DELETING. Without a transition delay, such a status lasts
    /// only until a commit, and the stream does not count.
    pub streams_in_transition: u64,
}

impl QuotaUse {
    /// The quota use of a stream in this state.
    pub(super) fn of(state: &StreamState) -> Self {
        let (provisioned_shards, on_demand_streams) = match state.mode() {
            StreamMode::OnDemand => (0, 1),
            StreamMode::Provisioned => (state.open_shards_count(), 0),
        };
        let passes = matches!(
            state.status,
            StreamStatus::Creating | StreamStatus::Deleting
        );
        let in_transition = passes && state.due.is_some();
        Self {
            provisioned_shards,
            on_demand_streams,
            streams_in_transition: u64::from(in_transition),
        }
    }

    /// The quota use of an account, after the quota use of one of its streams changed from `before`
    /// to `after`.
    pub(super) fn with_change(self, before: Self, after: Self) -> Self {
        Self {
            provisioned_shards: self.provisioned_shards - before.provisioned_shards
                + after.provisioned_shards,
            on_demand_streams: self.on_demand_streams - before.on_demand_streams
                + after.on_demand_streams,
            streams_in_transition: self.streams_in_transition - before.streams_in_transition
                + after.streams_in_transition,
        }
    }
}
