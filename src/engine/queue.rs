//! Queues, which distribute the records of a stream among competing consumers.
//!
//! # Files
//! - `item`: one queue and its state. `view`: the shards that a queue reads.
//! - `journal`: saves the receive states of a queue's records in a separate log.
//! - `pick`, `receive`, `settle`: requests that receive records, and requests that use receipt
//!   handles.
//! - `peek`: shows records without receiving them, and purges a queue.
//! - `registry`, `lookup`: finds queues by account, name and id.
//! - `creation`, `changes`, `start`: creation, change and deletion of queues, and the restoration
//!   of queues at the start.
//! - `plausible`: checks of the queues in a snapshot.
//! - `transitions`: the task that ends statuses and visibility timeouts.
//!
//! # Locks
//! A thread that holds a queue's lock works only in memory: it changes the states of records, and
//! looks up the indexes of records in the logs. The thread reads the data of records after it has
//! released the lock.

mod changes;
mod creation;
mod item;
mod journal;
mod lookup;
mod peek;
mod pick;
mod plausible;
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
pub(in crate::engine) use plausible::{check_attributes, check_state};
pub(crate) use receive::{ReceiveError, Received, Receiving};
pub(in crate::engine) use registry::{AccountQueues, Queues};
pub(crate) use settle::{EntryFault, NotServing, Outcomes};
pub(in crate::engine) use transitions::run;
