//! A mutex for short critical sections, with a place in an order.
//!
//! The guard is not `Send`, so a handler that keeps one over an await does not compile. A panic
//! while the lock is held poisons it for good: a broken shard fails loudly instead of serving
//! nonsense. Debug builds check that every thread takes its locks in the order of their ranks.
#![allow(
    clippy::disallowed_types,
    reason = "the one place that names std's mutex"
)]

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard};

/// The place of a lock in the order in which a thread may take locks: a smaller rank comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(u8);

impl Rank {
    /// The rank of every lock that is made without one. While it is held, no lock of a smaller rank
    /// may be taken. The order among locks of this rank is not checked.
    pub const LAST: Self = Self(u8::MAX);

    /// The rank `number`, before [`Rank::LAST`]. Two locks of one such rank are never held together.
    ///
    /// # Panics
    /// When `number` is that of the last rank.
    pub const fn new(number: u8) -> Self {
        assert!(number < u8::MAX, "this number means the last rank");
        Self(number)
    }
}

/// A value that one thread at a time may use.
#[derive(Debug)]
pub struct Lock<T> {
    #[cfg(debug_assertions)]
    rank: Rank,
    value: Mutex<T>,
}

impl<T> Lock<T> {
    /// Puts `value` under a lock of the last rank.
    pub const fn new(value: T) -> Self {
        Self::ranked(Rank::LAST, value)
    }

    /// Puts `value` under a lock of `rank`.
    #[cfg_attr(not(debug_assertions), expect(unused_variables))]
    pub const fn ranked(rank: Rank, value: T) -> Self {
        Self {
            #[cfg(debug_assertions)]
            rank,
            value: Mutex::new(value),
        }
    }

    /// Waits for the lock and takes it.
    ///
    /// # Panics
    /// When an earlier holder panicked, because the value may be half changed. In debug builds also
    /// when this thread holds a lock that comes later in the order.
    pub fn lock(&self) -> Guard<'_, T> {
        Guard {
            #[cfg(debug_assertions)]
            _held: order::Held::begin(self.rank),
            value: self
                .value
                .lock()
                .expect("an earlier holder of this lock panicked"),
        }
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// Access to the value of a [`Lock`]; dropping it frees the lock.
#[derive(Debug)]
pub struct Guard<'a, T> {
    value: MutexGuard<'a, T>,
    #[cfg(debug_assertions)]
    _held: order::Held,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// The check of the order, in debug builds only.
#[cfg(debug_assertions)]
mod order {
    use super::Rank;
    use std::cell::RefCell;

    thread_local! {
        /// The ranks of the locks that this thread holds.
        static HELD: RefCell<Vec<Rank>> = const { RefCell::new(Vec::new()) };
    }

    /// One lock that this thread holds.
    #[derive(Debug)]
    pub(super) struct Held(Rank);

    impl Held {
        /// Checks that a lock of `rank` may be taken now, and notes it.
        pub(super) fn begin(rank: Rank) -> Self {
            // A thread that ends has no list any more, and destructors of others may lock still.
            let _noted = HELD.try_with(|held| {
                let mut held = held.borrow_mut();
                let last = held.iter().max().copied();
                let in_order = last.is_none_or(|last| last < rank || rank == Rank::LAST);
                assert!(
                    in_order,
                    "a lock of {rank:?} is taken while {last:?} is held"
                );
                held.push(rank);
            });
            Self(rank)
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            let _noted = HELD.try_with(|held| {
                let mut held = held.borrow_mut();
                if let Some(at) = held.iter().rposition(|rank| *rank == self.0) {
                    held.remove(at);
                }
            });
        }
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    #[test]
    fn locks_are_taken_in_the_order_of_their_ranks() {
        let first = Lock::ranked(Rank::new(1), 1);
        let second = Lock::ranked(Rank::new(2), 2);
        let (last, another_last) = (Lock::new(3), Lock::new(4));
        let guards = (
            first.lock(),
            second.lock(),
            last.lock(),
            another_last.lock(),
        );
        drop(guards);
        let _second = second.lock();
        drop(last.lock());
    }

    #[test]
    #[should_panic(expected = "a lock of Rank(1) is taken while Some(Rank(2)) is held")]
    fn an_earlier_lock_is_not_taken_after_a_later_one() {
        let first = Lock::ranked(Rank::new(1), 1);
        let second = Lock::ranked(Rank::new(2), 2);
        let _second = second.lock();
        let _first = first.lock();
    }

    #[test]
    #[should_panic(expected = "a lock of Rank(2) is taken while Some(Rank(2)) is held")]
    fn two_locks_of_one_rank_are_not_held_together() {
        let one = Lock::ranked(Rank::new(2), 1);
        let other = Lock::ranked(Rank::new(2), 2);
        let _one = one.lock();
        let _other = other.lock();
    }

    #[test]
    fn a_freed_lock_does_not_count() {
        let first = Lock::ranked(Rank::new(1), 1);
        let last = Lock::new(2);
        drop(last.lock());
        let _first = first.lock();
    }
}
