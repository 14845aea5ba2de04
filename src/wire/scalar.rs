//! Functions that read texts, numbers and Booleans, and check each value against its shape.

use super::node::{integer_bounds, truncated, truth};
use super::shape::{Shape, Shaped};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// Reads a text, checks the text against `shape`, and converts the text with `make`. The text is
/// invalid if `make` returns `None`.
pub(crate) fn text<'de, T, D: Deserializer<'de>>(
    reader: D,
    shape: &'static Shape,
    make: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error> {
    reader.deserialize_str(TextVisitor { shape, make })
}

struct TextVisitor<F> {
    shape: &'static Shape,
    make: F,
}

impl<T, F: FnOnce(&str) -> Option<T>> Visitor<'_> for TextVisitor<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text that keeps its shape's rules")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        let accepted = self
            .shape
            .accepts_text(text)
            .then(|| (self.make)(text))
            .flatten();
        accepted.ok_or_else(|| E::custom("the text breaks a rule"))
    }
}

/// Reads a number, and checks the number against `shape`. Like the service, the function first cuts
/// off the fraction, and clamps the number to the range of 32 bits.
pub(crate) fn number<'de, D: Deserializer<'de>>(
    reader: D,
    shape: &'static Shape,
) -> Result<i32, D::Error> {
    reader.deserialize_any(NumberVisitor(shape))
}

struct NumberVisitor(&'static Shape);

impl Visitor<'_> for NumberVisitor {
    type Value = i32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number that keeps its shape's rules")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<i32, E> {
        let (low, high) = integer_bounds(false);
        let clamped = number.clamp(low, high);
        if !self.0.accepts_number(clamped) {
            return Err(E::custom("the number breaks a rule"));
        }
        Ok(i32::try_from(clamped).expect("clamped to 32 bits"))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<i32, E> {
        self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<i32, E> {
        self.visit_i64(truncated(number, false))
    }
}

/// Returns an error unless `shape` allows `count` bytes, elements or entries.
pub(crate) fn counted<E: de::Error>(count: usize, shape: &Shape) -> Result<(), E> {
    if shape.accepts_count(count) {
        Ok(())
    } else {
        Err(E::custom("the count breaks a rule"))
    }
}

/// A Boolean value. Like the service, its deserializer also accepts texts such as `"Yes"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Truth(pub bool);

impl Shaped for Truth {
    const SHAPE: &'static Shape = &Shape::Boolean;
}

impl<'de> Deserialize<'de> for Truth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TruthVisitor)
    }
}

struct TruthVisitor;

impl Visitor<'_> for TruthVisitor {
    type Value = Truth;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true or false")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Truth, E> {
        Ok(Truth(truth))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Truth, E> {
        truth(text)
            .map(Truth)
            .ok_or_else(|| E::custom("neither true nor false"))
    }
}
