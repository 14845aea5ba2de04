//! The ranks of the engine's locks, in the order that `engine.rs` describes.

use crate::lock::Rank;

/// All accounts.
pub(super) const ACCOUNTS: Rank = Rank::new(1);
/// The queues of all accounts.
pub(super) const QUEUES: Rank = Rank::new(2);
/// One stream.
pub(super) const STREAM: Rank = Rank::new(3);
/// One queue.
pub(super) const QUEUE: Rank = Rank::new(4);
/// The writers of one shard.
pub(super) const SHARD: Rank = Rank::new(5);
/// Deadlines, call rates, subscriptions, and the read rates of one shard.
pub(super) const SINGLE: Rank = Rank::new(6);
