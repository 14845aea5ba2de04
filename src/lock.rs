//! A mutex for short critical sections. Each lock has a rank. A thread must take its locks in
//! ascending order of rank, and debug builds check this order.
//!
//! The guard is not `Send`, so a handler that keeps a guard over an await does not compile. After a
//! panic of the thread that holds a lock, every later attempt to take the lock panics. A damaged
//! shard therefore fails and does not serve wrong data.
#![allow(
    clippy::disallowed_types,
    reason = "the one place that names std's mutex"
)]

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard};

/// The rank of a lock. A thread that holds a lock may take only locks of a greater rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(u8);

impl Rank {
    /// The greatest rank. [`Lock::new`] gives this rank to every lock. A thread that holds such a
    /// lock must not take a lock of a smaller rank. One thread may hold several locks of the
    /// greatest rank, taken in any order.
    pub const LAST: Self = Self(u8::MAX);

    /// The rank `number`, which is smaller than [`Rank::LAST`]. A thread must not hold two locks of
    /// this rank.
    ///
    /// # Panics
    /// Panics if `number` is 255, which is the number of [`Rank::LAST`].
    pub const fn new(number: u8) -> Self {
        assert!(number < u8::MAX, "this number means the last rank");
        Self(number)
    }
}

/// A mutex with a rank.
#[derive(Debug)]
pub struct Lock<T> {
    #[cfg(debug_assertions)]
    rank: Rank,
    value: Mutex<T>,
}

impl<T> Lock<T> {
    /// Creates a lock of rank [`Rank::LAST`] around `value`.
    pub const fn new(value: T) -> Self {
        Self::ranked(Rank::LAST, value)
    }

    /// Creates a lock of rank `rank` around `value`.
    #[cfg_attr(not(debug_assertions), expect(unused_variables))]
    pub const fn ranked(rank: Rank, value: T) -> Self {
        Self {
            #[cfg(debug_assertions)]
            rank,
            value: Mutex::new(value),
        }
    }

    /// Blocks until the lock is free, and takes it.
    ///
    /// # Panics
    /// Panics if a thread panicked while it held the lock, because that thread may have left the
    /// value half changed. Debug builds also panic if this thread already holds a lock of a greater
    /// rank, or a lock of the same rank that is not [`Rank::LAST`].
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

/// Exclusive access to the value of a [`Lock`]. Dropping the guard releases the lock.
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

/// The check of the order in which a thread takes its locks. Exists in debug builds only.
#[cfg(debug_assertions)]
mod order {
    use super::Rank;
    use std::cell::RefCell;

    thread_local! {
        static HELD: RefCell<Vec<Rank>> = const { RefCell::new(Vec::new()) };
    }

    /// Marks one lock as held by this thread, until this value is dropped.
    #[derive(Debug)]
    pub(super) struct Held(Rank);

    impl Held {
        /// Checks that this thread may take a lock of rank `rank` now, and notes that the thread
        /// holds the lock.
        pub(super) fn begin(rank: Rank) -> Self {
            // While a thread ends, destructors may still take locks although `HELD` is already
            // destroyed. Locks that are taken then are not checked.
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
