//! The description of an account's settings in a region, as answers contain it.

use super::answer::document;
use super::present::present;
use crate::engine::Commitment;
use crate::wire::output;
use crate::world::Timestamp;

output! {
    /// The settings of an account in one region: only the minimum throughput billing commitment.
    pub struct AccountSettings {
        "MinimumThroughputBillingCommitment" => commitment: CommitmentOutput,
    }
}
document!(AccountSettings);

output! {
    /// The minimum throughput billing commitment of an account: its status, and the times of
    /// its start, of its earliest possible end, and of its end.
    pub struct CommitmentOutput {
        "EarliestAllowedEndAt" => earliest_end: Option<Timestamp>,
        "EndedAt" => ended: Option<Timestamp>,
        "StartedAt" => started: Option<Timestamp>,
        "Status" => status: &'static str,
    }
}
present!(CommitmentOutput);

impl AccountSettings {
    pub(super) fn of(commitment: Commitment) -> Self {
        let (status, started, earliest_end, ended) = match commitment {
            Commitment::Disabled { started, ended } => ("DISABLED", started, None, ended),
            Commitment::Enabled {
                started,
                earliest_end,
            } => ("ENABLED", Some(started), Some(earliest_end), None),
            Commitment::Ending {
                started,
                earliest_end,
            } => (
                "ENABLED_UNTIL_EARLIEST_ALLOWED_END",
                Some(started),
                Some(earliest_end),
                None,
            ),
        };
        Self {
            commitment: CommitmentOutput {
                earliest_end,
                ended,
                started,
                status,
            },
        }
    }
}
