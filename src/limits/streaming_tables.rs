//! Limits of streaming tables that a user cannot set. The comment of each limit names the source of
//! the value. "A choice" means that minikin chose it.

#[cfg(feature = "streaming-tables")]
use std::time::Duration;

/// Maximum number of types in the JSON Schema of a table's records. Each column, each field of a
/// structure and each list element has a type. The value is a choice.
pub(crate) const SCHEMA_TYPES: usize = 4_000;
/// Greatest nesting depth of the JSON Schema of a table's records. A reference to another part of
/// the schema adds to the depth. The value is a choice.
pub(crate) const SCHEMA_DEPTH: usize = 32;
/// Maximum size of a record that was decompressed from a frame of the Glue schema registry, in
/// bytes. The value is a choice. Without a limit, a compressed record of 10 MiB could become a
/// thousand times larger.
pub(crate) const FRAMED_BYTES: u64 = 32 << 20;
/// Maximum size of a JSON Schema file, and of a file with the list of schema versions, in bytes.
/// The value is a choice: Glue's schema registry accepts 170 KB.
#[cfg(feature = "streaming-tables")]
pub(crate) const SCHEMA_FILE_BYTES: u64 = 1 << 20;
/// Number of old metadata files that an Iceberg table keeps (the default of Iceberg's property
/// `write.metadata.previous-versions-max`).
#[cfg(feature = "streaming-tables")]
pub(crate) const TABLE_METADATA_FILES: usize = 100;
/// Number of snapshots that an Iceberg table keeps. The value is a choice: each snapshot takes a
/// kilobyte in every metadata file.
#[cfg(feature = "streaming-tables")]
pub(crate) const TABLE_SNAPSHOTS: usize = 100;
/// Number of superfluous snapshots at which a commit removes them from a table. The snapshots
/// beyond [`TABLE_SNAPSHOTS`] are superfluous. The value is a choice.
#[cfg(feature = "streaming-tables")]
pub(crate) const TABLE_SNAPSHOTS_REMOVED: usize = 20;
/// Maximum size of a table's file that is read from an S3-compatible server, in bytes. The value is
/// a choice: only lists of manifests are read, and a list has about 300 bytes for each snapshot
/// since the table was created.
#[cfg(feature = "streaming-tables")]
pub(crate) const TABLE_FILE_BYTES: usize = 64 << 20;
/// Time limit for the answer of a REST catalog to a request, in real time. The value is a choice:
/// Apache Iceberg's server can take more than 10 s for its first table in a bucket.
#[cfg(feature = "streaming-tables")]
pub(crate) const TABLE_CATALOG_ANSWER: Duration = Duration::from_secs(30);
