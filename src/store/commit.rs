//! Commits, which write the new records and the catalog changes to the databases. Only the files in
//! this folder write to databases. The thread in `housekeeping.rs` opens databases before commits
//! need them, and removes the files of dead generations.

pub(crate) mod committer;
pub(crate) mod durable;
pub(crate) mod generation_writer;
pub(crate) mod housekeeping;
pub(crate) mod spiller;
pub(crate) mod sweep;
