//! Timestamps in requests and answers. In JSON, a timestamp is a number of seconds with a fraction.
//! In CBOR, a timestamp is a number with tag 1. In the content type `application/x-amz-cbor-1.1`,
//! this number is a whole number of milliseconds, although the standard of CBOR says seconds. In
//! RPC v2 CBOR, it is a number of seconds with a fraction.

use super::format::Format;
use super::shape::{Shape, Shaped};
use crate::world::Timestamp;
use ciborium::tag;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::Cell;
use std::fmt;

thread_local! {
    /// True while this thread reads or writes RPC v2 CBOR, where timestamps are in seconds. serde
    /// offers no other way to pass the unit of time to the deserializer of a timestamp.
    static IN_SECONDS: Cell<bool> = const { Cell::new(false) };
}

/// Calls `work` and returns the result of `work`. The timestamps in CBOR bodies that `work` reads
/// or writes have the unit of `format`.
pub(super) fn with_unit<T>(format: Format, work: impl FnOnce() -> T) -> T {
    if format != Format::RpcV2Cbor {
        return work();
    }
    IN_SECONDS.set(true);
    // A guard resets the flag even if `work` panics, because the server catches the panic and uses
    // the thread again.
    let _reset = Reset;
    work()
}

struct Reset;

impl Drop for Reset {
    fn drop(&mut self) {
        IN_SECONDS.set(false);
    }
}

impl Shaped for Timestamp {
    const SHAPE: &'static Shape = &Shape::Timestamp;
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() || IN_SECONDS.get() {
            deserializer.deserialize_any(TimestampVisitor { per_unit: 1000.0 })
        } else {
            // `deserialize_any` is unsuitable, because ciborium would then pass the tag to the
            // visitor instead of the number.
            deserializer.deserialize_i64(TimestampVisitor { per_unit: 1.0 })
        }
    }
}

struct TimestampVisitor {
    /// Milliseconds in one unit of the encoded number: 1000 for seconds, 1 for milliseconds.
    per_unit: f64,
}

impl Visitor<'_> for TimestampVisitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a moment")
    }

    #[allow(clippy::cast_possible_truncation, reason = "1 or 1000, both whole")]
    fn visit_i64<E>(self, number: i64) -> Result<Timestamp, E> {
        Ok(Timestamp::from_millis(
            number.saturating_mul(self.per_unit as i64),
        ))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Timestamp, E> {
        self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "a float's cast saturates, as wanted"
    )]
    fn visit_f64<E>(self, number: f64) -> Result<Timestamp, E> {
        Ok(Timestamp::from_millis(
            (number * self.per_unit).round() as i64
        ))
    }
}

impl Serialize for Timestamp {
    #[allow(
        clippy::cast_precision_loss,
        reason = "exact to the millisecond for 285,000 years"
    )]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_f64(self.millis() as f64 / 1000.0)
        } else if IN_SECONDS.get() {
            tag::Required::<f64, 1>(self.millis() as f64 / 1000.0).serialize(serializer)
        } else {
            tag::Required::<i64, 1>(self.millis()).serialize(serializer)
        }
    }
}
