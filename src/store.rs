//! The store of the records of all shards, and of the catalog.
//!
//! A [`Log`] holds the records of one shard: the newest records in memory, older records on disk.
//! With a data directory, a [`Committer`] makes all writes durable. Without a data directory, the
//! store writes records to the disk only if memory is full. It then writes to temporary files
//! without names.
//!
//! Each file of the store uses only the files that stand above it in this table:
//!
//! | file | holds |
//! |---|---|
//! | `error` | the errors of the store, and its counters for metrics |
//! | `format/` | the encodings of records, segments, frames, summaries, keys and the catalog |
//! | `disk/` | the traits of a disk; the names in a data directory; the disks: sled, temporary files, a simulated disk, and a disk with few open databases |
//! | `generations` | the databases of records: their opening, and reads of segments |
//! | `shared/` | settings, budgets and the signal to the committer; names logs only by their ids |
//! | `log/`, `logs` | the records of a shard and their publication to readers; the registry of all logs |
//! | `commit/` | the durable committer, the spiller, sweeps, housekeeping |
//! | `replay`, `recovery` | reading the contents of a data directory at the start |
//! | `snapshot/` | the whole contents of the store in one portable file |
//! | `handle`, `open`, `check` | the store, its start, the check of a data directory |

/// Implements `Debug` for a type. The implementation prints only the name of the type, because the
/// fields of the type are of no use in a message.
macro_rules! opaque {
    ($name:ident) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(stringify!($name))
            }
        }
    };
}

mod check;
mod commit;
mod disk;
mod error;
mod format;
mod generations;
mod handle;
mod log;
mod logs;
mod open;
mod recovery;
mod replay;
mod shared;
pub(crate) mod snapshot;
#[cfg(test)]
mod tests;

pub use check::{Report, ShardReport, StreamReport, check};

pub use disk::simulated_disk::SimulatedDisk;
pub(crate) use error::Figures;
pub use error::{OpenError, StoreError};
pub use format::catalog::Catalog;
pub(crate) use format::catalog::Change;
#[cfg(any(test, fuzzing))]
pub use format::fuzzing;
pub(crate) use format::key::run_of;
pub(crate) use format::record::unpack as packed_records;
pub use format::record::{LogId, Record};
pub(crate) use format::value::{AccountValue, Consumer};
pub(crate) use format::value::{ChannelValue, MappingValue, QueueValue};
pub use format::value::{
    History, PendingChange, ReshardingOrder, ShardValue, StreamSettings, StreamValue,
};
pub use handle::Store;
pub(crate) use log::peek::PeekResult;
pub(crate) use log::publish::BellRegistration;
pub(crate) use log::read::Batch;
pub use log::read::ReadLimit;
pub(crate) use log::read::{DiskRead, MemoryBound};
pub use log::shard_log::Log;
pub(crate) use log::ticket::{Ticket, WriteReservation};
#[cfg(test)]
pub(crate) use open::Opened;
pub use open::Recovered;
pub use recovery::Damage;
pub(crate) use shared::arrivals::{Arrivals, Receiver, Receivers};
pub(crate) use shared::meter::Meter;
pub(crate) use shared::settings::databases_within;
pub use shared::settings::{Durability, Settings};
#[cfg(any(test, fuzzing))]
pub use snapshot::fuzzing as snapshot_fuzzing;
