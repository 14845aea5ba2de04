//! The service's exceptions with the message of each, grouped by subject.
//!
//! Most messages were recorded at the service. "Our own text" marks a message that was never
//! recorded, so minikin words it itself.

mod access;
mod changes;
mod channels;
mod consumers;
mod exception;
mod kms;
mod logged;
mod queues;
mod reading;
mod requests;
mod shards;
mod signatures;
mod stream_name;
mod streams;
mod tags;

pub(crate) use exception::{Error, Kind};
pub(crate) use kms::{KeyPurpose, KeyUse};
pub(crate) use queues::entry_failure;
pub(crate) use tags::TagOwner;
