//! Queues: competing consumers receive the records of a stream. A queue delivers each record until
//! a consumer acknowledges the record.
//!
//! The code in this module does no I/O: the engine finds unread records in the logs, supplies the
//! time, and saves the changes.

mod attributes;
mod change;
mod entry;
mod handle;
mod order;
mod pages;
mod peek;
mod plausible;
mod record_id;
mod records;
mod saved;
mod settle;
mod start;
#[cfg(test)]
mod tests;

pub(crate) use attributes::QueueAttributes;
pub(crate) use entry::Entry as QueueEntry;
pub(crate) use handle::{HandleSeal, QUEUE_SECRET_BYTES, ReceiptHandle};
pub(crate) use order::RecordPlace;
pub(crate) use peek::PeekState;
pub(crate) use plausible::QueueBounds;
pub(crate) use record_id::RecordIds;
pub(crate) use records::{Delivery, QueueCounts, QueueRecords, UnreadRecord};
pub(crate) use saved::{QueueReplay, changes_document};
pub(crate) use settle::{HandleFault, RecordBefore};
pub(crate) use start::QueueStart;
