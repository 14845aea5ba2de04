//! The capacity of a stream and its account: metrics, record size, throughput, distribution.

use super::{ARGUMENT, Change, Foretold, INVALID, Oracle};
use std::collections::BTreeSet;

/// All metrics, in the order of answers.
pub(in crate::simulation) const METRICS: [&str; 7] = [
    "IncomingBytes",
    "OutgoingRecords",
    "IteratorAgeMilliseconds",
    "IncomingRecords",
    "ReadProvisionedThroughputExceeded",
    "WriteProvisionedThroughputExceeded",
    "OutgoingBytes",
];

/// Minimum duration of a commitment: a day.
const COMMITMENT_MS: u64 = 86_400_000;

/// The commitment of an account: its start, and its past or future end.
#[derive(Debug, Clone, Default)]
pub(in crate::simulation) struct Account {
    started_ms: Option<u64>,
    ended_ms: Option<u64>,
}

impl Oracle {
    /// The metrics of a stream in the model's order.
    pub(in crate::simulation) fn metrics(&self, name: &str) -> Vec<&'static str> {
        let enabled = self.streams.get(name).map(|stream| stream.metrics.clone());
        let enabled = enabled.unwrap_or_default();
        METRICS
            .into_iter()
            .filter(|metric| enabled.contains(metric))
            .collect()
    }

    pub(in crate::simulation) fn monitor(
        &mut self,
        name: &str,
        given: &'static str,
        enables: bool,
    ) -> Foretold {
        self.settled(name)?;
        let before = self.streams[name].metrics.clone();
        let given: BTreeSet<_> = METRICS
            .into_iter()
            .filter(|metric| given == "ALL" || *metric == given)
            .collect();
        let after: BTreeSet<_> = if enables {
            before.union(&given).copied().collect()
        } else {
            before.difference(&given).copied().collect()
        };
        if after != before {
            self.begin(name, Change::Metrics(after));
        }
        Ok(())
    }

    pub(in crate::simulation) fn resize_records(&mut self, name: &str, kib: u64) -> Foretold {
        self.settled(name)?;
        if self.streams[name].record_kib != kib {
            self.begin(name, Change::RecordSize(kib));
        }
        Ok(())
    }

    pub(in crate::simulation) fn warm(&mut self, name: &str, target: usize) -> Foretold {
        let Some(stream) = self.streams.get(name) else {
            return super::NOT_FOUND;
        };
        if !stream.on_demand || self.account_status() == "DISABLED" {
            return INVALID;
        }
        let (had, open) = (stream.warm, stream.open().len());
        self.settled(name)?;
        if had != Some(target) {
            let scales = target > open;
            self.begin(name, Change::Warm { target, scales });
        }
        Ok(())
    }

    pub(in crate::simulation) fn distribute(&mut self, name: &str, auto: bool) -> Foretold {
        self.settled(name)?;
        let stream = self.streams.get_mut(name).unwrap();
        if !stream.on_demand {
            return ARGUMENT;
        }
        stream.auto = auto;
        Ok(())
    }

    /// The wanted warm throughput and the current one. None if the stream has no warm throughput.
    pub(in crate::simulation) fn warm_throughput(&self, name: &str) -> Option<(usize, usize)> {
        let stream = &self.streams[name];
        let wanted = match &stream.pending {
            Some((_, Change::Warm { target, .. })) => Some(*target),
            Some((_, Change::OnDemand(_))) => None,
            _ => stream.warm,
        };
        let usual = if stream.on_demand { 4 } else { 0 };
        wanted.map(|wanted| (wanted, stream.warm.unwrap_or(usual)))
    }

    pub(in crate::simulation) fn commit_account(&mut self, enables: bool) {
        let (status, now_ms) = (self.account_status(), self.now_ms);
        let account = &mut self.account;
        match (status, enables) {
            ("DISABLED", true) => {
                account.started_ms = Some(now_ms);
                account.ended_ms = None;
            }
            (_, true) => account.ended_ms = None,
            ("ENABLED", false) => {
                let earliest_ms = account.started_ms.unwrap() + COMMITMENT_MS;
                account.ended_ms = Some(earliest_ms.max(now_ms));
            }
            (_, false) => {}
        }
    }

    pub(in crate::simulation) fn account_status(&self) -> &'static str {
        match (self.account.started_ms, self.account.ended_ms) {
            (Some(_), None) => "ENABLED",
            (Some(_), Some(ended_ms)) if ended_ms > self.now_ms => {
                "ENABLED_UNTIL_EARLIEST_ALLOWED_END"
            }
            _ => "DISABLED",
        }
    }
}
