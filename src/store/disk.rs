//! The disk below the store: the only folder that touches files.
//!
//! The store knows only the traits of `seam.rs`. `sled.rs` implements them for a data directory,
//! `temp_files.rs` for records that do not fit in memory and need not survive, and
//! `simulated_disk.rs` in memory, for tests that cut the power.

pub(crate) mod directory;
pub(crate) mod layout;
pub(crate) mod read_only;
pub(crate) mod seam;
pub(crate) mod simulated_disk;
pub(crate) mod sled;
pub(crate) mod temp_files;
