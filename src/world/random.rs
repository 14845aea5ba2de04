//! Random numbers for request ids, for the random part of shard iterators, and for random delays.
//! No secret depends on these numbers.
#![allow(
    clippy::disallowed_methods,
    reason = "the one place that asks the system for chance"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A lock-free source of random numbers. The generator is SplitMix64 over a counter, which all
/// clones share. The same seed gives the same sequence of numbers.
#[derive(Debug, Clone)]
pub struct Random(Arc<AtomicU64>);

/// The increment of the counter in SplitMix64. The increment is odd, so the counter takes every
/// value once before a value repeats.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Random {
    /// Creates a source whose seed comes from the operating system.
    pub fn system() -> Self {
        let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
        Self::seeded(high ^ low)
    }

    /// Creates a source with the seed `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seed)))
    }

    /// Returns the next random number.
    pub fn number(&self) -> u64 {
        mixed(self.take(1))
    }

    /// Returns `N` random bytes. Takes all numbers for these bytes from the counter in one atomic
    /// step, because all threads share the counter.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        let mut state = self.take(N.div_ceil(8) as u64);
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&mixed(state).to_le_bytes()[..chunk.len()]);
            state = state.wrapping_add(STEP);
        }
        bytes
    }

    /// Advances the counter for `count` random numbers. Returns the value of the counter for the
    /// first one of these numbers.
    fn take(&self, count: u64) -> u64 {
        let steps = STEP.wrapping_mul(count);
        self.0
            .fetch_add(steps, Ordering::Relaxed)
            .wrapping_add(STEP)
    }
}

fn mixed(state: u64) -> u64 {
    let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        assert_eq!(
            Random::seeded(7).bytes::<72>(),
            Random::seeded(7).bytes::<72>()
        );
        assert_ne!(
            Random::seeded(7).bytes::<72>(),
            Random::seeded(8).bytes::<72>()
        );
        let (one, other) = (Random::seeded(7), Random::seeded(7));
        let numbers: Vec<_> = (0..3).flat_map(|_| one.number().to_le_bytes()).collect();
        assert_eq!(other.bytes::<20>(), numbers[..20]);
        assert_eq!(one.number(), other.number());
    }
}
