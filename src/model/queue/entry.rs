//! The state of a received record of a queue, as long as the record is not settled.

/// The state of a received record: visible or in flight, dead-letter or not. The numbers of the
/// states are part of saved documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Standing {
    /// The record is in flight: invisible until its visibility timeout ends.
    InFlight = 0,
    /// The record is visible again, because the visibility timeout of its last receive ended.
    Visible = 1,
    /// The record is a dead-letter record and in flight.
    DeadInFlight = 2,
    /// The record is a dead-letter record and visible to receives of dead-letter records.
    DeadVisible = 3,
}

impl Standing {
    /// True if the record is a dead-letter record. The record may be in flight or visible.
    pub(crate) const fn is_dead(self) -> bool {
        matches!(self, Self::DeadInFlight | Self::DeadVisible)
    }

    /// True if the record is in flight, as a normal record or as a dead-letter record.
    pub(crate) const fn is_in_flight(self) -> bool {
        matches!(self, Self::InFlight | Self::DeadInFlight)
    }

    /// Returns the state that the record has after it has become visible: `DeadVisible` for a
    /// dead-letter record, else `Visible`.
    pub(super) const fn visible(self) -> Self {
        if self.is_dead() {
            Self::DeadVisible
        } else {
            Self::Visible
        }
    }

    /// Returns the state with this number in a saved document. `None` for an unknown number.
    pub(super) const fn of(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::InFlight),
            1 => Some(Self::Visible),
            2 => Some(Self::DeadInFlight),
            3 => Some(Self::DeadVisible),
            _ => None,
        }
    }
}

/// The state of a received record that is not settled. An entry takes 40 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The number of the record's newest delivery. A queue numbers all of its deliveries.
    pub(crate) delivery: u64,
    /// The end of the visibility timeout, in milliseconds since 1970. The value has a meaning only
    /// while the record is in flight.
    pub(crate) due_ms: i64,
    /// The time of the first receive, in milliseconds since 1970. [`NEVER`] if the first receive
    /// was undone, because the answer did not reach the client.
    pub(crate) first_ms: i64,
    /// The time at which the record arrived in the stream, in milliseconds since 1970.
    pub(crate) arrival_ms: i64,
    /// Number of receives of the record. The count restarts at 0 when a client restores the record
    /// from the dead-letter records.
    pub(crate) count: u32,
    pub(crate) standing: Standing,
}

impl Entry {
    /// The time of the first receive, in milliseconds since 1970. `None` if the first receive was
    /// undone, because the answer did not reach the client.
    pub(crate) fn first_received_ms(&self) -> Option<i64> {
        (self.first_ms != NEVER).then_some(self.first_ms)
    }
}

/// The value that stands for "no time" in a field that holds milliseconds since 1970.
pub(super) const NEVER: i64 = i64::MIN;
