//! Commits. Only the files in this folder write to databases. A second thread opens and removes
//! databases.

pub(crate) mod committer;
pub(crate) mod durable;
pub(crate) mod generation_writer;
pub(crate) mod housekeeping;
pub(crate) mod spiller;
pub(crate) mod sweep;
