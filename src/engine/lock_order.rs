//! The ranks of the engine's locks, in the order that `engine.rs` describes.

use crate::lock::Rank;

/// The lock of all accounts.
pub(super) const ACCOUNTS: Rank = Rank::new(1);
/// The lock of the queues of all accounts.
pub(super) const QUEUES: Rank = Rank::new(2);
/// The lock of the channels of all accounts.
pub(super) const CHANNELS: Rank = Rank::new(3);
/// The lock of one stream.
pub(super) const STREAM: Rank = Rank::new(4);
/// The lock of one queue.
pub(super) const QUEUE: Rank = Rank::new(5);
/// The lock of one channel.
pub(super) const CHANNEL: Rank = Rank::new(6);
/// The lock of the writers of one shard.
pub(super) const SHARD: Rank = Rank::new(7);
/// The lock of the deadlines, of the call rates, of the active subscriptions, or of one shard's
/// read rates.
pub(super) const SINGLE: Rank = Rank::new(8);
