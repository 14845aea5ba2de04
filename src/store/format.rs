//! The stored bytes: records, segments, commit frames, summaries, keys, the catalog.
//!
//! Nothing here knows a file, a lock or a thread.

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
