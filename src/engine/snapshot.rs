//! Snapshots: everything that an engine holds, saved to a file and loaded from one.
//!
//! A save reads the engine while it works. For each stream the state of its queues and the positions
//! of its mappings are taken first, and then its shards with the ends of their logs, under one lock:
//! the records before these ends are saved, so nothing refers to a record that is not in the file.
//!
//! A load builds everything aside: records go to logs of their own, which nobody sees. When the file
//! was read to its end and everything in it is sound, the engine changes over in one step. A load that
//! fails leaves nothing but a gap in the sequence indexes.
//!
//! A load begins a run of its own, as a start does, above all runs of the engine and of the snapshot:
//! so no sequence number is given out twice. Streams and queues get new incarnations, and a stream
//! keeps its identity, by which iterators know it.

mod error;
mod load;
mod save;

pub use error::SnapshotError;
pub(crate) use load::Loading;
pub(crate) use save::Saving;
