//! The disk below the store. Only the files in this folder access files.
//!
//! The store uses only the traits in `seam.rs`. `sled.rs` implements them for a data directory,
//! `temp_files.rs` for records that do not fit in memory and need not survive a restart, and
//! `simulated_disk.rs` in memory, for tests that simulate power cuts. `few_databases.rs` wraps one
//! of these implementations when the limit of open files is low.

pub(crate) mod directory;
pub(crate) mod few_databases;
pub(crate) mod layout;
pub(crate) mod read_only;
pub(crate) mod seam;
pub(crate) mod simulated_disk;
pub(crate) mod sled;
pub(crate) mod temp_files;
