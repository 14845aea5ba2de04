//! Limits of streaming tables that a user cannot set. The comment of each limit names its source in
//! parentheses; "our choice" means that minikin chose the value.

/// Maximum number of types (of columns, fields and elements) in a schema (our choice).
pub(crate) const SCHEMA_TYPES: usize = 4_000;
/// Greatest nesting depth of a schema, references counted (our choice).
pub(crate) const SCHEMA_DEPTH: usize = 32;
/// Largest record after the decompression of a frame of the Glue schema registry, in bytes (our
/// choice: the compressed record has up to 10 MiB, and zlib compresses zeros to a thousandth).
pub(crate) const FRAMED_BYTES: u64 = 32 << 20;
/// Largest file of a JSON Schema, and of the schema versions, in bytes (our choice; Glue's schema
/// registry takes 170 KB).
#[cfg(feature = "streaming-tables")]
pub(crate) const SCHEMA_FILE_BYTES: u64 = 1 << 20;
/// Number of metadata files of a table that are kept (the default of Iceberg's property
/// `write.metadata.previous-versions-max`).
#[cfg(feature = "streaming-tables")]
pub(crate) const TABLE_METADATA_FILES: usize = 100;
/// Number of snapshots of a table that are kept (our choice: each snapshot takes a kilobyte of
/// every metadata file).
#[cfg(feature = "streaming-tables")]
pub(crate) const TABLE_SNAPSHOTS: usize = 100;
/// Number of snapshots beyond [`TABLE_SNAPSHOTS`] that are removed together (our choice).
#[cfg(feature = "streaming-tables")]
pub(crate) const TABLE_SNAPSHOTS_REMOVED: usize = 20;
