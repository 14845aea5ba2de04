//! Queues: the records of a stream, handed to competing consumers.
//!
//! # Files
//! - `item`: one queue and its state. `view`: the shards that a queue reads.
//! - `journal`: the saved state of a queue's records, in a log of its own.
//! - `pick`, `receive`, `settle`: receiving, and the uses of receipt handles.
//! - `peek`: looks that receive nothing, and the purge.
//! - `registry`, `lookup`: the queues by account, name and id.
//! - `creation`, `changes`, `start`: creation, change, deletion, and the restart.
//! - `transitions`: the task for statuses and visibility timeouts that end.
//!
//! # Locks
//! A queue's lock is held for map operations and looks at the logs' indexes only: payloads are read
//! after its release.

mod changes;
mod creation;
mod item;
mod journal;
mod lookup;
mod peek;
mod pick;
mod receive;
mod registry;
mod settle;
mod start;
mod transitions;
mod view;

pub(crate) use creation::{NewQueue, QueueCounts};
pub(in crate::engine) use item::log_id;
pub(crate) use item::{Queue, QueueFigures};
pub(crate) use peek::{Peek, PeekedRecord};
pub(crate) use receive::{ReceiveError, Received, Receiving};
pub(in crate::engine) use registry::{AccountQueues, Queues};
pub(crate) use settle::{EntryFault, NotServing, Outcomes};
pub(in crate::engine) use transitions::run;
