//! The ranks of the engine's locks, in the order that `engine.rs` describes.

use crate::lock::Rank;

/// Rank of the lock of all accounts.
pub(super) const ACCOUNTS: Rank = Rank::new(1);
/// Rank of the lock of the queues of all accounts.
pub(super) const QUEUES: Rank = Rank::new(2);
/// Rank of the lock of the channels of all accounts.
pub(super) const CHANNELS: Rank = Rank::new(3);
/// Rank of the lock of one stream.
pub(super) const STREAM: Rank = Rank::new(4);
/// Rank of the lock of one queue.
pub(super) const QUEUE: Rank = Rank::new(5);
/// Rank of the lock of one channel.
pub(super) const CHANNEL: Rank = Rank::new(6);
/// Rank of the lock that the writers of one shard share.
pub(super) const SHARD: Rank = Rank::new(7);
/// Rank of four kinds of lock: the locks of the deadlines, of the call rates, of the active
/// subscriptions, and of the read rates of one shard. A thread holds only one lock of this rank at
/// a time.
pub(super) const SINGLE: Rank = Rank::new(8);
