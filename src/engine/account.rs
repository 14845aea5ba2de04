//! Settings of an account in a region: its commitment to a minimum of throughput.

use super::{AccountStreams, Engine, saved};
use crate::limits;
use crate::model::AccountRegion;
use crate::store::{AccountValue, StoreError};
use crate::world::Timestamp;

/// The commitment at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commitment {
    /// Not enabled; when it was, its end is told.
    Disabled {
        /// When it began, if it ever did.
        started: Option<Timestamp>,
        /// When it ended.
        ended: Option<Timestamp>,
    },
    /// Enabled.
    Enabled {
        /// Since when.
        started: Timestamp,
        /// Until then it cannot end.
        earliest_end: Timestamp,
    },
    /// Disabled before it could end: it is enabled until it can.
    Ending {
        /// Since when.
        started: Timestamp,
        /// When it ends.
        earliest_end: Timestamp,
    },
}

impl Commitment {
    /// Whether what it buys can be used.
    pub const fn is_enabled(self) -> bool {
        !matches!(self, Self::Disabled { .. })
    }
}

impl AccountStreams {
    pub(super) fn commitment(&self, now: Timestamp) -> Commitment {
        let moment = |ms: Option<i64>| ms.map(Timestamp::from_millis);
        let (started, ended) = (
            moment(self.account.started_ms),
            moment(self.account.ended_ms),
        );
        let Some(began) = started.filter(|_| ended.is_none_or(|ended| ended > now)) else {
            return Commitment::Disabled { started, ended };
        };
        let earliest_end = began.plus_millis(limits::COMMITMENT_MS);
        match ended {
            None => Commitment::Enabled {
                started: began,
                earliest_end,
            },
            Some(_) => Commitment::Ending {
                started: began,
                earliest_end,
            },
        }
    }
}

impl Engine {
    /// The commitment of an account in a region.
    pub fn commitment(&self, scope: &AccountRegion) -> Commitment {
        let now = self.world.clock.now();
        self.accounts
            .lock()
            .entry(scope.clone())
            .or_default()
            .commitment(now)
    }

    /// Enables or disables the commitment; returns what it is now, once that is kept.
    ///
    /// # Errors
    /// When the store does not write.
    pub async fn commit(
        &self,
        scope: &AccountRegion,
        enable: bool,
    ) -> Result<Commitment, StoreError> {
        self.check_store()?;
        let now = self.world.clock.now();
        let (commitment, ticket) = {
            let mut accounts = self.accounts.lock();
            let account_streams = accounts.entry(scope.clone()).or_default();
            account_streams.account = changed(
                &account_streams.account,
                account_streams.commitment(now),
                enable,
                now,
            );
            let saved = self
                .store
                .save(vec![saved::account(scope, &account_streams.account)]);
            (account_streams.commitment(now), saved)
        };
        ticket.durable().await?;
        Ok(commitment)
    }
}

/// The account's settings after the call; the details are choices.
fn changed(
    account: &AccountValue,
    commitment: Commitment,
    enable: bool,
    now: Timestamp,
) -> AccountValue {
    let now_ms = Some(now.millis());
    match (commitment, enable) {
        (Commitment::Disabled { .. }, true) => AccountValue {
            started_ms: now_ms,
            ended_ms: None,
        },
        (Commitment::Enabled { .. } | Commitment::Ending { .. }, true) => AccountValue {
            ended_ms: None,
            ..account.clone()
        },
        (Commitment::Enabled { earliest_end, .. }, false) => AccountValue {
            ended_ms: Some(earliest_end.max(now).millis()),
            ..account.clone()
        },
        (Commitment::Disabled { .. } | Commitment::Ending { .. }, false) => account.clone(),
    }
}
