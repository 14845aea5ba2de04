//! The position in a stream at which a listing of records starts.

use super::query::refused;
use super::state::Refused;
use crate::engine::{Shard, StoreError};
use crate::model::{SequenceNumber, ShardId};
use crate::world::Timestamp;

/// The position in each shard at which a listing of records starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::http) enum ListingStart {
    /// Starts at the oldest readable record.
    TrimHorizon,
    /// Starts at the first record that is published after the request.
    Latest,
    /// Starts at the first record that arrived at this time or later.
    Time(Timestamp),
    /// Starts at the record with this sequence number, and reads only the shard of this record.
    Number(SequenceNumber),
}

/// In the position of a query string, a number with at least this many digits is a sequence number.
/// A number with fewer digits is a time.
const LEAST_NUMBER_DIGITS: usize = 30;

impl ListingStart {
    /// Parses a position from a query string: `trim_horizon`, `latest`, a time, or a sequence
    /// number.
    pub(in crate::http) fn parse(text: &str) -> Result<Self, Refused> {
        match text {
            "trim_horizon" => return Ok(Self::TrimHorizon),
            "latest" => return Ok(Self::Latest),
            _ => {}
        }
        if text.len() >= LEAST_NUMBER_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = SequenceNumber::parse(text).and_then(|number| number.position_at());
            return number
                .map(Self::Number)
                .ok_or_else(|| refused("from is not a sequence number of the service"));
        }
        let moment = Timestamp::parse(text);
        moment.map(Self::Time).ok_or_else(|| {
            refused(
                "from is trim_horizon, latest, a sequence number, or a time: \
                 2026-01-31T12:00:00Z or seconds since 1970",
            )
        })
    }

    /// The shard of the sequence number, if the position is a sequence number. The listing reads
    /// only this shard. None for any other position, because the listing then reads every shard.
    pub(in crate::http) fn shard(self) -> Option<ShardId> {
        match self {
            Self::Number(number) => Some(ShardId::new(number.shard)),
            Self::TrimHorizon | Self::Latest | Self::Time(_) => None,
        }
    }

    /// Index in the log of `shard` at which a listing from this position starts. The record with
    /// this index may have expired.
    pub(in crate::http) async fn index(self, shard: &Shard) -> Result<u64, StoreError> {
        match self {
            Self::TrimHorizon => Ok(0),
            Self::Latest => Ok(shard.end()),
            Self::Time(moment) => shard.index_at_time(moment).await,
            Self::Number(number) => Ok(number.index),
        }
    }
}
