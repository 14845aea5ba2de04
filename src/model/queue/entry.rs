//! A record that was received from a queue and is not settled.

/// The standing of a received record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Standing {
    /// In flight: invisible until it is due.
    InFlight = 0,
    /// Visible again.
    Visible = 1,
    /// Dead-letter, and in flight.
    DeadInFlight = 2,
    /// Dead-letter, and visible.
    DeadVisible = 3,
}

impl Standing {
    /// True for dead-letter records.
    pub(crate) const fn is_dead(self) -> bool {
        matches!(self, Self::DeadInFlight | Self::DeadVisible)
    }

    /// True for records in flight.
    pub(crate) const fn is_in_flight(self) -> bool {
        matches!(self, Self::InFlight | Self::DeadInFlight)
    }

    /// The standing once the visibility timeout of an in-flight record has ended.
    pub(super) const fn visible(self) -> Self {
        if self.is_dead() {
            Self::DeadVisible
        } else {
            Self::Visible
        }
    }

    /// The standing of that number.
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

/// The state of a received record that is not settled: 40 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The number of its newest delivery.
    pub(crate) delivery: u64,
    /// End of the visibility timeout, in milliseconds since the epoch; of no meaning unless the
    /// record is in flight.
    pub(crate) due_ms: i64,
    /// First receive, in milliseconds since the epoch; [`NEVER`] if that receive was
    /// taken back.
    pub(crate) first_ms: i64,
    /// Arrival in the stream, in milliseconds since the epoch.
    pub(crate) arrival_ms: i64,
    /// Number of receives since the record was put, or since it was restored.
    pub(crate) count: u32,
    /// The standing.
    pub(crate) standing: Standing,
}

impl Entry {
    /// The moment of the first receive, in milliseconds since the epoch.
    pub(crate) fn first_received_ms(&self) -> Option<i64> {
        (self.first_ms != NEVER).then_some(self.first_ms)
    }
}

/// No moment.
pub(super) const NEVER: i64 = i64::MIN;
