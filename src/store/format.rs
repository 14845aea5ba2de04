//! Encodings of everything that the store writes to disk: records, segments, commit frames,
//! summaries, keys and the catalog.
//!
//! The folder contains only pure functions and values. It uses no files, locks or threads.

pub(crate) mod bytes;
pub(crate) mod catalog;
pub(crate) mod frame;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub(crate) mod key;
pub(crate) mod marks;
pub(crate) mod record;
pub(crate) mod segment;
pub(crate) mod summary;
pub(crate) mod value;
pub(crate) mod wal;
