//! Streams, and everything that time and requests do to them.
//!
//! # Files
//! - `core`: the engine's parts. `accounts`, `capacity`, `commitment`, `call_rates`: accounts.
//! - `stream`, `stream_state`, `shard`, `batch`: one stream, its shards, and records read from them.
//! - `creation`, `deletion`, `update`, `resharding`, `consumers`, `put`, `subscription` with
//!   `active_subscriptions`, `tail`: one kind of request each. `slots`: how many are in progress.
//! - `transitions` with `deadlines`, `retention`, `scaling`: the tasks. `tasks` spawns them.
//! - `event_source`: event source mappings, a folder of its own.
//! - `queue/`: queues.
//! - `saved`: how a stream is written to the catalog. `start`: how an engine starts from it.
//!
//! # The order of locks
//! A thread takes locks in this order only, and never two of one line together. Debug builds check
//! this ([`crate::lock`]).
//!
//! 1. All accounts.
//! 2. The queues of all accounts.
//! 3. One stream.
//! 4. One queue.
//! 5. The writers of one shard.
//! 6. Deadlines, call rates, active subscriptions, or the read rates of one shard.
//! 7. Every other lock of the program: the list of mappings before one mapping; those of the store,
//!    the clock, the fault rules, the tasks.

mod accounts;
mod active_subscriptions;
mod batch;
mod call_rates;
mod capacity;
mod clear;
mod commitment;
mod consumers;
mod core;
mod creation;
mod deadlines;
mod deletion;
pub mod event_source;
mod lock_order;
mod put;
pub(crate) mod queue;
mod record_count;
mod reset;
mod resharding;
mod retention;
mod saved;
mod scaling;
mod shard;
mod slots;
mod start;
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
pub(crate) use batch::{Batch, Read, RecordView};

pub(crate) use commitment::Commitment;
pub(crate) use consumers::{ConsumerStatus, consumer_arn, consumer_status};
pub(crate) use creation::{CreateError, NewStream};
pub(crate) use deletion::DeleteError;
pub(crate) use put::{Placed, PutFailure};
pub(crate) use shard::Shard;
pub use start::RestoreError;
pub(crate) use start::saved_time;
pub(crate) use stream::{PutSettings, Stream, StreamSnapshot};
pub(crate) use stream_state::{StreamState, new_settings};
pub(crate) use subscription::{Event, Subscription};
pub(crate) use tail::{Tail, TailError, TailStart, TailStep};

#[cfg(test)]
mod tests;
