//! Reads the records that the setup puts into streams. The records stand in the setup file, or on
//! the lines of a separate file.

use super::document::{self, Node};
use super::fields::{self, Fields};
use super::problem::Problem;
use crate::limits;
use crate::operation::StartRecord;
use crate::options::bounded_file;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::path::Path;

/// The names of the members that the definition of a record may have.
const MEMBERS: [&str; 5] = ["PartitionKey", "ExplicitHashKey", "Data", "Text", "Json"];

/// Reads the definition of a record in `node`, which is at `path` in the setup file.
pub(super) fn record(path: String, node: Node) -> Result<StartRecord, Problem> {
    let mut fields = Fields::of(node, path)?;
    let (path, line) = (fields.path().to_owned(), fields.line());
    let partition_key = fields.parsed("PartitionKey", partition_key)?;
    let explicit_hash_key = fields.text("ExplicitHashKey")?;
    let base64 = |value| {
        let text = fields::text(value)?;
        STANDARD
            .decode(text)
            .map_err(|_| "this is not base64 with padding".to_owned())
    };
    let as_json = |value: serde_json::Value| Ok(value.to_string().into_bytes());
    let given = [
        fields.parsed("Data", base64)?,
        fields.text("Text")?.map(String::into_bytes),
        fields.parsed("Json", as_json)?,
    ];
    fields.end(&MEMBERS)?;
    let mut given = given.into_iter().flatten();
    let refused = |text: &str| Problem::at(line, text).of(&path);
    let data = match (given.next(), given.next()) {
        (Some(data), None) => data,
        _ => return Err(refused("a record needs exactly one of Data, Text and Json")),
    };
    let partition_key = partition_key.ok_or_else(|| refused("a record needs a PartitionKey"))?;
    Ok(StartRecord {
        partition_key,
        explicit_hash_key,
        data,
    })
}

fn partition_key(value: serde_json::Value) -> Result<String, String> {
    let key = fields::text(value)?;
    match key.chars().count() {
        1..=256 => Ok(key),
        _ => Err("a partition key has 1 to 256 characters".to_owned()),
    }
}

/// Reads the records in a file, one on each line. If the name of the file ends in `.json`, `.jsonl`
/// or `.ndjson`, a line is a record as a JSON object. In any other file, a line is the data of a
/// record. The partition key of such a record is the line's number, which is a choice. Empty lines
/// are skipped.
///
/// Returns each record with the number of its line.
pub(super) fn from_file(path: &Path) -> Result<Vec<(StartRecord, usize)>, Problem> {
    let source = path.display().to_string();
    let text = text_of(path).map_err(|problem| problem.in_source(&source))?;
    let extension = path.extension().unwrap_or_default();
    let is_json = ["json", "jsonl", "ndjson"]
        .iter()
        .any(|json| extension.eq_ignore_ascii_case(json));
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.is_empty());
    let record = |(text, line): (&str, usize)| {
        if is_json {
            let record = record_of_line(text, line);
            return match record {
                Ok(record) => Ok((record, line)),
                Err(problem) => Err(problem.in_source(&source)),
            };
        }
        let record = StartRecord {
            partition_key: line.to_string(),
            explicit_hash_key: None,
            data: text.as_bytes().to_vec(),
        };
        Ok((record, line))
    };
    lines.map(record).collect()
}

/// Reads the file at `path` as UTF-8 text.
pub(super) fn text_of(path: &Path) -> Result<String, Problem> {
    let bytes = bounded_file::bytes(path, limits::SETUP_FILE_BYTES);
    let bytes = bytes.map_err(|error| Problem::new(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + memchr::memchr_iter(b'\n', valid).count();
        Problem::at(line, "this is not UTF-8")
    })
}

/// Reads a record from `text`, a JSON object on one line. `line` is the line's number, for error
/// messages.
///
/// # Errors
/// The record is invalid. The error contains the line, the member and the reason.
pub(crate) fn record_of_line(text: &str, line: usize) -> Result<StartRecord, Problem> {
    let mut node = document::from_json(text).map_err(|problem| problem.on_line(line))?;
    node.line = line;
    record(String::new(), node).map_err(|problem| problem.on_line(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<StartRecord, String> {
        record_of_line(text, 7).map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_record_has_its_data_in_one_of_three_forms() {
        let data = |text: &str| read(text).map(|record| record.data);
        let base64 = r#"{"PartitionKey":"k","Data":"aGk="}"#;
        assert_eq!(data(base64).unwrap(), b"hi");
        let text = r#"{"PartitionKey":"k","Text":"hi"}"#;
        assert_eq!(data(text).unwrap(), b"hi");
        let json = r#"{"PartitionKey":"k","Json":{"a": [1, 2]}}"#;
        assert_eq!(data(json).unwrap(), br#"{"a":[1,2]}"#);
    }

    #[test]
    fn a_record_that_cannot_be_is_refused() {
        for (text, refusal) in [
            (
                r#"{"PartitionKey":"k"}"#,
                "line 7: a record needs exactly one of Data, Text and Json",
            ),
            (
                r#"{"PartitionKey":"k","Data":"aGk=","Text":"hi"}"#,
                "line 7: a record needs exactly one of Data, Text and Json",
            ),
            (r#"{"Text":"hi"}"#, "line 7: a record needs a PartitionKey"),
            (
                r#"{"PartitionKey":"","Text":"hi"}"#,
                "line 7: PartitionKey: a partition key has 1 to 256 characters",
            ),
            (
                r#"{"PartitionKey":"k","text":"hi"}"#,
                "line 7: text: there is no such member; did you mean Text?",
            ),
            ("[]", "line 7: this has to be a table"),
        ] {
            assert_eq!(read(text).unwrap_err(), refusal);
        }
        let broken = read(r#"{"PartitionKey":"k","Data":"a"}"#).unwrap_err();
        assert!(broken.starts_with("line 7: Data: this is not base64"));
    }
}
