//! The ranks of the engine's locks, in the order that `engine.rs` describes.

use crate::lock::Rank;

/// All accounts.
pub(super) const ACCOUNTS: Rank = Rank::new(1);
/// One stream.
pub(super) const STREAM: Rank = Rank::new(2);
/// The writers of one shard.
pub(super) const SHARD: Rank = Rank::new(3);
/// Deadlines, call rates, subscriptions, and the read rates of one shard.
pub(super) const SINGLE: Rank = Rank::new(4);
