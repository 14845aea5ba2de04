//! The disk below the store. Only the files in this folder access files.
//!
//! The rest of the store uses only the traits in `seam.rs`. The disk in `sled.rs` is for a data
//! directory. The disk in `temp_files.rs` is for records that do not fit in memory and need not
//! survive a restart. The disk in `simulated_disk.rs` is in memory, for tests that simulate power
//! cuts. The disk in `read_only.rs` is for the check of a data directory. The disk in
//! `few_databases.rs` wraps another disk if the limit of open files is low.

pub(crate) mod directory;
pub(crate) mod few_databases;
pub(crate) mod layout;
pub(crate) mod read_only;
pub(crate) mod seam;
pub(crate) mod simulated_disk;
pub(crate) mod sled;
pub(crate) mod temp_files;
