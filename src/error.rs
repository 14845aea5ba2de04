//! The service's exceptions and the text of each, grouped by subject.

mod access;
mod changes;
mod consumers;
mod exception;
mod kms;
mod logged;
mod reading;
mod requests;
mod shards;
mod signatures;
mod stream_name;
mod streams;

pub(crate) use exception::{Error, Kind};
pub(crate) use kms::{KeyPurpose, KeyUse};
