//! The service's exceptions and their messages, grouped by subject.
//!
//! Most messages were recorded at the service. A comment calls a message, or the name of an
//! exception, "a choice" if the service was never seen to send it.

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
