//! Keeps the streams, shards, queues, channels and event source mappings. Runs the requests on
//! these items, and the tasks that change the items at their deadlines.
//!
//! # Files
//! - `core`: the type `Engine`. `accounts`, `quotas`, `commitment`, `call_rates`: the state of each
//!   account.
//! - `stream`, `stream_state`, `shard`, `batch`: one stream, its shards, and the records read from
//!   the shards.
//! - `creation`, `deletion`, `update`, `resharding`, `consumers`, `put`, `subscription` with
//!   `active_subscriptions`, `tail`: each file serves one kind of request. `slots`: limits the
//!   number of open tails and of snapshots in progress. `prepared`: streams of the setup that no
//!   request finds yet.
//! - `transitions` with `deadlines`, `retention`, `scaling`: the background tasks. `tasks` spawns
//!   them. `step_faults`: the faults that are injected in the steps of mappings and channels.
//! - `snapshot/`: saves the contents of the engine to a file, and loads such a file.
//! - `event_source/`: event source mappings.
//! - `queue/`: queues. `channel/`: channels.
//! - `saved`: writes streams to the catalog. `start`: starts an engine from the catalog.
//!
//! # The order of locks
//! A thread takes locks only in the order of this list. A thread never holds two locks with the
//! same number from 1 to 8 at the same time. Debug builds check both rules ([`crate::lock`]).
//!
//! 1. The lock of all accounts.
//! 2. The lock of the queues of all accounts.
//! 3. The lock of the channels of all accounts.
//! 4. The lock of one stream.
//! 5. The lock of one queue.
//! 6. The lock of one channel.
//! 7. The lock of the writers of one shard.
//! 8. The lock of the deadlines, of the call rates, of the active subscriptions, or of one shard's
//!    read rates.
//! 9. Every other lock of the program. A thread takes the lock of the list of mappings before the
//!    lock of one mapping. It takes both of these locks before the locks of the store, the clock,
//!    the fault rules and the tasks.

mod accounts;
mod active_subscriptions;
mod batch;
mod call_rates;
pub mod channel;
mod clear;
mod commitment;
mod consumers;
mod core;
mod creation;
mod deadlines;
mod deletion;
pub mod event_source;
mod lock_order;
mod named_items;
mod prepared;
mod put;
pub(crate) mod queue;
mod quotas;
mod record_count;
mod reset;
mod resharding;
mod retention;
mod saved;
mod scaling;
mod shard;
mod slots;
pub(crate) mod snapshot;
mod start;
mod step_faults;
mod stream;
mod stream_state;
mod subscription;
mod tail;
pub mod tasks;
mod traffic;
mod transitions;
mod update;

pub use self::core::{Behaviour, Engine};
pub(crate) use crate::store::Consumer;
pub use crate::store::{PendingChange, ReshardingOrder, StoreError, StreamSettings};
pub(crate) use accounts::Counts;
pub(crate) use active_subscriptions::EndReason;
pub(crate) use batch::{Batch, Read, ReadBudget, RecordView};

pub(crate) use commitment::Commitment;
pub(crate) use consumers::{ConsumerStatus, consumer_arn, consumer_status};
pub(crate) use creation::{CreateError, NewStream};
pub(crate) use deletion::DeleteError;
pub(crate) use prepared::PreparedStreams;
pub(crate) use put::{Placed, PutFailure};
pub(crate) use record_count::StreamDeleted;
pub(crate) use shard::Shard;
pub use start::RestoreError;
pub(crate) use start::saved_time;
pub(crate) use stream::{PutSettings, Stream, StreamProperties};
pub(crate) use stream_state::{StreamState, new_settings};
pub(crate) use subscription::{Event, Subscription};
pub(crate) use tail::{Tail, TailError, TailStart, TailStep};
pub(crate) use traffic::ShardFigures;

#[cfg(feature = "console")]
pub(crate) use active_subscriptions::OpenSubscription;

#[cfg(test)]
mod tests;
