//! Snapshots. The engine saves its contents to a file, and loads its contents from such a file.
//!
//! A save runs while the engine works. First the save collects the positions of the mappings. Then,
//! for each stream, it collects the states of the queues and channels. After these states, it
//! collects the shards and the ends of their logs, all under the lock of the stream. The save
//! contains the records before these ends. Therefore no mapping, queue or channel refers to a
//! record that the file does not contain.
//!
//! A load first builds the new contents separately, and writes records to new logs that no request
//! can see. After the whole file was read and found valid, the engine replaces its contents in one
//! step. A load that fails before this step changes nothing.
//!
//! A load that succeeds begins a new run, as a start does. The number of the run is greater than
//! the numbers of all runs of the engine and of the snapshot. Therefore no sequence number is
//! issued twice. Streams, queues and channels get new incarnation numbers. A stream keeps its
//! identity number, because shard iterators contain this number.

mod error;
mod load;
mod save;

pub use error::SnapshotError;
pub(crate) use load::Loading;
pub(crate) use save::Saving;
