//! The definition of a channel's table, and the entries of Iceberg's metadata that belong to the
//! channel.

use super::error::TableError;
use crate::model::channel::TableCompression;
use iceberg::spec::TableMetadata;
use iceberg::{NamespaceIdent, TableIdent};

/// Name of the table property that holds the ARN of the channel that writes the table.
pub(super) const CHANNEL: &str = "minikin.channel";
/// Name of the table property that holds the JSON Schema from which the columns were made.
pub(super) const JSON_SCHEMA: &str = "minikin.json-schema";
/// Name of the entry in a snapshot's summary that holds the channel's positions.
pub(super) const POSITIONS: &str = "minikin.positions";

/// The definition of a channel's table.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    /// ARN of the channel.
    pub(super) channel: String,
    /// Names of the table bucket, the namespace and the table.
    pub(super) names: [String; 3],
    pub(super) compression: TableCompression,
    /// Names of the time columns to which the `hour` partitions of the table apply.
    pub(super) partition_columns: Vec<String>,
}

impl Definition {
    /// Returns the identifier of the table in a catalog, which is its namespace and its name.
    pub(super) fn ident(&self) -> TableIdent {
        let [_, namespace, table] = &self.names;
        TableIdent::new(NamespaceIdent::new(namespace.clone()), table.clone())
    }

    /// Returns an error if the table with this metadata was created by another channel, or by
    /// another program. `name` is the name of the table for messages.
    pub(super) fn check_owner(
        &self,
        metadata: &TableMetadata,
        name: &str,
    ) -> Result<(), TableError> {
        if metadata.properties().get(CHANNEL) == Some(&self.channel) {
            return Ok(());
        }
        Err(TableError::Unusable(format!(
            "The table {name} exists already. A channel writes only a table that it has created."
        )))
    }
}

/// The channel's positions in its stream, from the newest snapshot that has positions. Other
/// programs commit snapshots without positions, for example when they compact the table. None for a
/// table to which the channel has committed nothing.
pub(super) fn positions(metadata: &TableMetadata) -> Option<&str> {
    let mut snapshot = metadata.current_snapshot();
    // The number of rounds is bounded, because in damaged metadata the parents of a snapshot may
    // lead back to the snapshot.
    for _ in 0..metadata.snapshots().len() {
        let summary = &snapshot?.summary().additional_properties;
        if let Some(positions) = summary.get(POSITIONS) {
            return Some(positions);
        }
        let parent = snapshot?.parent_snapshot_id()?;
        snapshot = metadata.snapshot_by_id(parent);
    }
    None
}
