//! A point in time, as a number of milliseconds since 1970.

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z. Arrival times of records have this
/// precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Returns the point in time that is `ms` milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    /// Returns the number of milliseconds since 1970-01-01T00:00:00Z.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Returns the number of seconds since 1970-01-01T00:00:00Z, rounded down to a whole number.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Returns the point in time that is `ms` milliseconds later than this time, or earlier if `ms`
    /// is negative. Returns the greatest or smallest possible time instead of overflowing.
    pub const fn plus_millis(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Returns the number of milliseconds from `earlier` to this time. Returns 0 if `earlier` is in
    /// fact later than this time.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        let gone = self.0.saturating_sub(earlier.0);
        if gone > 0 { gone } else { 0 }
    }
}
