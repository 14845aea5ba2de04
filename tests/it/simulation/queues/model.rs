//! The expected records of one queue, as a plain list. The transitions are those of the table of
//! states.

use std::collections::BTreeMap;

/// The state of a received record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    InFlight { due_ms: u64 },
    Visible,
    DeadInFlight { due_ms: u64 },
    DeadVisible,
}

impl Standing {
    pub(super) fn is_dead(self) -> bool {
        matches!(self, Self::DeadInFlight { .. } | Self::DeadVisible)
    }

    fn due_ms(self) -> Option<u64> {
        match self {
            Self::InFlight { due_ms } | Self::DeadInFlight { due_ms } => Some(due_ms),
            Self::Visible | Self::DeadVisible => None,
        }
    }
}

/// A record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    Unread,
    Received {
        standing: Standing,
        count: u32,
        /// The number of the newest delivery of the record.
        delivery: usize,
    },
    Settled,
}

/// A handle that was given out.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    pub(super) text: String,
    pub(super) record: usize,
    pub(super) delivery: usize,
    pub(super) dead: bool,
}

/// The use of a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Acknowledge { dead: bool },
    SetVisibility { dead: bool, seconds: u64 },
    Restore,
}

/// The states in which the own path lists the records of a queue, each with the member of its
/// count.
pub(super) const STATES: [(&str, &str); 3] = [
    ("visible", "Visible"),
    ("in-flight", "InFlight"),
    ("dead-letter", "DeadLetter"),
];

const INVALID: &str = "InvalidArgumentException";
const GONE: &str = "ResourceNotFoundException";

/// A queue.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Queue {
    pub(super) records: BTreeMap<usize, Record>,
    pub(super) most: Option<u32>,
}

impl Queue {
    pub(super) fn add(&mut self, records: std::ops::Range<usize>) {
        self.records
            .extend(records.map(|record| (record, Record::Unread)));
    }

    /// True if a record becomes a dead-letter record after this number of receives.
    fn is_last(&self, count: u32) -> bool {
        self.most.is_some_and(|most| count >= most)
    }

    /// Ends the visibility timeouts that are due.
    pub(super) fn turn(&mut self, now_ms: u64) {
        let most = self.most;
        for record in self.records.values_mut() {
            if let Record::Received {
                standing, count, ..
            } = record
                && standing.due_ms().is_some_and(|due_ms| due_ms <= now_ms)
            {
                *standing = shown(*standing, *count, most);
            }
        }
    }

    /// True if a receive gets a record now.
    pub(super) fn has_some(&self, dead: bool) -> bool {
        let mut numbers = self.records.keys();
        numbers.any(|number| self.can_be_received(*number, dead))
    }

    /// The time at which a receive gets a record, if the receive waits until `end_ms`. `end_ms` if
    /// it gets none.
    pub(super) fn comes_at(&self, dead: bool, end_ms: u64) -> u64 {
        let due = self.records.values().filter_map(|record| match record {
            Record::Received { standing, .. } => standing.due_ms(),
            _ => None,
        });
        let comes = |due_ms: &u64| {
            let mut then = self.clone();
            then.turn(*due_ms);
            then.has_some(dead)
        };
        due.filter(comes).min().unwrap_or(end_ms).min(end_ms)
    }

    /// True for a record that is visible although its number of receives has reached the limit,
    /// because the limit was lowered. The record becomes a dead-letter record at its next receive
    /// or at a restart.
    pub(super) fn is_in_limbo(&self, record: usize) -> bool {
        matches!(self.records[&record],
            Record::Received { standing: Standing::Visible, count, .. } if self.is_last(count))
    }

    /// True if a receive can get the record now.
    pub(super) fn can_be_received(&self, record: usize, dead: bool) -> bool {
        match self.records[&record] {
            Record::Unread => !dead,
            Record::Settled => false,
            Record::Received { standing, .. } if dead => standing == Standing::DeadVisible,
            Record::Received { standing, .. } => {
                standing == Standing::Visible && !self.is_in_limbo(record)
            }
        }
    }

    /// Delivers a record. Returns the number of its receives.
    pub(super) fn receive(&mut self, record: usize, delivery: usize, due_ms: u64) -> u32 {
        let (dead, before) = match self.records[&record] {
            Record::Received {
                standing, count, ..
            } => (standing.is_dead(), count),
            _ => (false, 0),
        };
        let standing = match dead {
            true => Standing::DeadInFlight { due_ms },
            false => Standing::InFlight { due_ms },
        };
        let received = Record::Received {
            standing,
            count: before + 1,
            delivery,
        };
        self.records.insert(record, received);
        before + 1
    }

    /// Uses a handle. Returns the error code of the entry if the use fails.
    pub(super) fn apply(
        &mut self,
        handle: &Handle,
        used: Use,
        now_ms: u64,
    ) -> Result<(), &'static str> {
        let wants_dead = match used {
            Use::Acknowledge { dead } | Use::SetVisibility { dead, .. } => dead,
            Use::Restore => true,
        };
        if handle.dead != wants_dead {
            return Err(INVALID);
        }
        let record = self.records[&handle.record];
        let count = match record {
            Record::Settled if matches!(used, Use::Acknowledge { .. }) => return Ok(()),
            Record::Settled => return Err(GONE),
            // A crash lost the newest receives, including the receive of this handle, and therefore
            // the state of the record.
            Record::Received {
                count, delivery, ..
            } if handle.delivery > delivery => count + 1,
            Record::Received { standing, .. } if standing.is_dead() != handle.dead => {
                return Err(GONE);
            }
            Record::Received { delivery, .. } if handle.delivery < delivery => {
                return Err(INVALID);
            }
            Record::Received {
                standing, count, ..
            } => {
                let sets = matches!(used, Use::SetVisibility { .. });
                if sets && standing.due_ms().is_none() {
                    return Err(INVALID);
                }
                count
            }
            // A crash lost the receive, but the client still has its handle.
            Record::Unread => 1,
        };
        let changed = match used {
            Use::Acknowledge { .. } => Record::Settled,
            Use::Restore => Record::Received {
                standing: Standing::Visible,
                count: 0,
                delivery: handle.delivery,
            },
            Use::SetVisibility { dead, seconds } => {
                let due_ms = now_ms + seconds * 1000;
                let standing = match (dead, seconds) {
                    (_, 0) if handle.dead => Standing::DeadVisible,
                    (_, 0) => shown(Standing::InFlight { due_ms }, count, self.most),
                    (true, _) => Standing::DeadInFlight { due_ms },
                    (false, _) => Standing::InFlight { due_ms },
                };
                Record::Received {
                    standing,
                    count,
                    delivery: handle.delivery,
                }
            }
        };
        self.records.insert(handle.record, changed);
        Ok(())
    }

    /// True if `seen` is this queue, apart from the records in limbo.
    pub(super) fn may_be(&self, seen: &BTreeMap<usize, (Standing, u32)>) -> bool {
        self.records.iter().all(|(number, record)| {
            let expected = match record {
                Record::Settled => None,
                Record::Unread => Some((Standing::Visible, 0)),
                Record::Received {
                    standing, count, ..
                } => Some((*standing, *count)),
            };
            let seen = seen.get(number).copied();
            seen == expected
                || (self.is_in_limbo(*number)
                    && seen.zip(expected).is_some_and(|(seen, expected)| {
                        seen == (Standing::DeadVisible, expected.1)
                    }))
        }) && seen.keys().all(|number| self.records.contains_key(number))
    }

    /// Applies to the model the records in limbo that have become dead-letter records.
    pub(super) fn learn(&mut self, seen: &BTreeMap<usize, (Standing, u32)>) {
        for (number, record) in &mut self.records {
            if let Record::Received { standing, .. } = record
                && let Some((now, _)) = seen.get(number)
            {
                *standing = *now;
            }
        }
    }
}

/// The state of a record after the end of its visibility timeout.
fn shown(standing: Standing, count: u32, most: Option<u32>) -> Standing {
    let is_last = most.is_some_and(|most| count >= most);
    match standing.is_dead() || is_last {
        true => Standing::DeadVisible,
        false => Standing::Visible,
    }
}
