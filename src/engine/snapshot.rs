//! Snapshots: saves everything that an engine holds to a file, and loads it from a file.
//!
//! A save runs while the engine works. For each stream it first takes the states of the queues and
//! the positions of the mappings. Then it takes the shards and the ends of their logs, under one
//! lock. The records before these ends are saved, so no queue or mapping refers to a record that is
//! not in the file.
//!
//! A load builds everything separately: records go to new logs that no request can see. After the
//! file was read to its end and found valid, the engine replaces its whole contents in one step. A
//! load that fails changes nothing.
//!
//! A load that succeeds begins a new run, as a start does. The run's number is greater than the
//! numbers of all runs of the engine and of the snapshot, so that no sequence number is issued
//! twice. Streams and queues get new incarnation numbers. A stream keeps its identity number, which
//! shard iterators contain.

mod error;
mod load;
mod save;

pub use error::SnapshotError;
pub(crate) use load::Loading;
pub(crate) use save::Saving;
