//! A mutex for short critical sections.
//!
//! Its guard is not `Send`, so a handler that keeps one over an await does not compile. A panic
//! while it is held poisons it for good: a broken shard fails loudly instead of serving nonsense.
#![allow(
    clippy::disallowed_types,
    reason = "the one place that names std's mutex"
)]

use std::sync::{Mutex, MutexGuard};

/// A value that one thread at a time may touch.
#[derive(Debug, Default)]
pub struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    /// Puts `value` under a lock.
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Waits for the lock and takes it.
    ///
    /// # Panics
    /// When an earlier holder panicked: what it left half done is not to be trusted.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0
            .lock()
            .expect("an earlier holder of this lock panicked")
    }
}
