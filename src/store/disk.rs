//! The disk below the store. Only the files in this folder access files.
//!
//! The store uses only the traits in `seam.rs`. Three files implement them. `sled.rs` is for a data
//! directory. `temp_files.rs` is for records that do not fit in memory and need not survive a
//! restart. `simulated_disk.rs` is in memory, for tests that simulate power cuts.
//! `few_databases.rs` wraps one of these implementations if the limit of open files is low.

pub(crate) mod directory;
pub(crate) mod few_databases;
pub(crate) mod layout;
pub(crate) mod read_only;
pub(crate) mod seam;
pub(crate) mod simulated_disk;
pub(crate) mod sled;
pub(crate) mod temp_files;
