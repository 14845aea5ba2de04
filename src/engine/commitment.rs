//! The minimum throughput billing commitment of an account in a region. UpdateAccountSettings
//! enables and disables the commitment (`MinimumThroughputBillingCommitment`).

use crate::limits;
use crate::store::AccountValue;
use crate::world::Timestamp;

/// State of an account's minimum throughput billing commitment at a given time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commitment {
    /// The billing commitment is not in force.
    Disabled {
        /// Start of the last billing commitment. None if there was no commitment.
        started: Option<Timestamp>,
        /// End of the last billing commitment. None if there was no commitment.
        ended: Option<Timestamp>,
    },
    /// The billing commitment is in force, and no request has disabled it.
    Enabled {
        /// Start of the billing commitment.
        started: Timestamp,
        /// Earliest time at which the billing commitment can end.
        earliest_end: Timestamp,
    },
    /// A request disabled the billing commitment before its minimum duration had passed. The
    /// commitment stays in force until the end of this duration.
    Ending {
        /// Start of the billing commitment.
        started: Timestamp,
        /// Time at which the billing commitment ends.
        earliest_end: Timestamp,
    },
}

impl Commitment {
    /// Returns the state of an account's billing commitment at the time `now`. `settings` are the
    /// settings of the account.
    pub(super) fn at(now: Timestamp, settings: &AccountValue) -> Self {
        let moment = |ms: Option<i64>| ms.map(Timestamp::from_millis);
        let (started, ended) = (moment(settings.started_ms), moment(settings.ended_ms));
        let Some(began) = started.filter(|_| ended.is_none_or(|ended| ended > now)) else {
            return Self::Disabled { started, ended };
        };
        let earliest_end = began.plus_millis(limits::COMMITMENT_MS);
        match ended {
            None => Self::Enabled {
                started: began,
                earliest_end,
            },
            Some(_) => Self::Ending {
                started: began,
                earliest_end,
            },
        }
    }

    /// True if the account may use the features that require the billing commitment.
    pub const fn is_enabled(self) -> bool {
        !matches!(self, Self::Disabled { .. })
    }
}

/// Returns the settings of an account after a request to enable or disable its billing commitment.
/// `settings` are the settings before the request, and `now` is the time of the request. A second
/// request of the same kind changes nothing. A request to enable a commitment that is ending makes
/// the commitment continue. Both rules are choices.
pub(super) fn changed(settings: &AccountValue, enable: bool, now: Timestamp) -> AccountValue {
    let now_ms = Some(now.millis());
    match (Commitment::at(now, settings), enable) {
        (Commitment::Disabled { .. }, true) => AccountValue {
            started_ms: now_ms,
            ended_ms: None,
        },
        (Commitment::Enabled { .. } | Commitment::Ending { .. }, true) => AccountValue {
            ended_ms: None,
            ..settings.clone()
        },
        (Commitment::Enabled { earliest_end, .. }, false) => AccountValue {
            ended_ms: Some(earliest_end.max(now).millis()),
            ..settings.clone()
        },
        (Commitment::Disabled { .. } | Commitment::Ending { .. }, false) => settings.clone(),
    }
}
