//! Converts records to rows, according to the record format of a channel.

use super::schema_files::SchemaVersions;
use crate::model::channel::InvalidRecord;
use crate::model::channel::gsr::Framed;
use crate::model::channel::schema::{Columns, Row};

/// Error code in the dead-letter object for a record that lacks the frame of the Glue schema
/// registry.
const FRAME_CODE: &str = "InvalidSchemaFrame";
/// Error code in the dead-letter object for a record whose frame names an unknown schema version.
const VERSION_CODE: &str = "UnknownSchemaVersion";

/// Converts records to rows of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decoder<'a> {
    pub(super) columns: &'a Columns,
    /// The versions of all schemas, and the name of the channel's schema. None unless the channel's
    /// format is GSR_JSON.
    pub(super) registry: Option<(&'a SchemaVersions, &'a str)>,
}

impl Decoder<'_> {
    /// Converts a record to a row.
    ///
    /// # Errors
    /// The record is not in the channel's format, or does not follow its schema.
    pub(super) fn row(&self, record: &[u8]) -> Result<Row, InvalidRecord> {
        let Some((versions, schema)) = self.registry else {
            return self.columns.row(record);
        };
        let invalid = |code, message: String| InvalidRecord { code, message };
        let framed =
            Framed::read(record).map_err(|error| invalid(FRAME_CODE, error.to_string()))?;
        let version = framed.schema_version;
        match versions.schema_of(version) {
            Some(name) if name == schema => self.columns.row(&framed.data),
            Some(name) => {
                let message = format!("The schema version {version} belongs to the schema {name}.");
                Err(invalid(VERSION_CODE, message))
            }
            None => {
                let message = format!("The schema version {version} is not in versions.json.");
                Err(invalid(VERSION_CODE, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn framed(version: u128, data: &[u8]) -> Vec<u8> {
        [
            &[3, 0],
            Uuid::from_u128(version).as_bytes().as_slice(),
            data,
        ]
        .concat()
    }

    #[test]
    fn framed_records_name_a_version_of_the_schema() {
        let schema = br#"{"properties": {"a": {"type": "string"}}}"#;
        let columns = Columns::of_json_schema(schema).unwrap();
        let table = [(1, "shop/order"), (2, "shop/refund")];
        let versions = SchemaVersions::of(&table.map(|(id, name)| (Uuid::from_u128(id), name)));
        let decoder = Decoder {
            columns: &columns,
            registry: Some((&versions, "shop/order")),
        };
        assert!(decoder.row(&framed(1, b"{\"a\": \"x\"}")).is_ok());
        let code = |record: &[u8]| decoder.row(record).unwrap_err().code;
        assert_eq!(code(&framed(2, b"{}")), "UnknownSchemaVersion");
        assert_eq!(code(&framed(3, b"{}")), "UnknownSchemaVersion");
        assert_eq!(code(b"{}"), "InvalidSchemaFrame");
        assert_eq!(code(&framed(1, b"{")), "InvalidJson");
        assert_eq!(code(&framed(1, b"{\"a\": 1}")), "SchemaValidationFailed");
        let plain = Decoder {
            registry: None,
            ..decoder
        };
        assert!(plain.row(b"{\"a\": null}").is_ok());
    }
}
