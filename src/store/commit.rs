//! Commits: the only writers of the databases, and the thread that opens and removes databases.

pub(crate) mod committer;
pub(crate) mod durable;
pub(crate) mod generation_writer;
pub(crate) mod housekeeping;
pub(crate) mod spiller;
pub(crate) mod sweep;
