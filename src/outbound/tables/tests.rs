//! Tests of tables in a temporary directory.

use super::catalog::TableCatalog;
use super::definition::Definition;
use super::table::Table;
use crate::limits;
use crate::model::channel::TableCompression;
use crate::model::channel::schema::Row;
use crate::world::Random;
use arrow_array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;
use tempfile::TempDir;

mod channels;
mod http;
mod rest;
mod rest_server;
mod storage;

const SCHEMA: &str = r#"{"type": "object", "required": ["id"], "properties": {
    "id": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}}}"#;

fn definition() -> Definition {
    Definition {
        channel: "arn:one".to_owned(),
        names: ["bucket", "space", "orders"].map(str::to_owned),
        compression: TableCompression::Zstd,
        partition_columns: vec!["at".to_owned()],
    }
}

async fn create(home: &TempDir, definition: &Definition, schema: &str) -> Table {
    let (catalog, random) = (local(home), Random::seeded(1));
    let created = Table::create(&catalog, definition, schema, &random).await;
    created.unwrap()
}

fn local(home: &TempDir) -> TableCatalog {
    TableCatalog::Local(home.path().to_owned())
}

async fn open(home: &TempDir) -> Table {
    let opened = Table::open(&local(home), &definition(), &Random::seeded(2)).await;
    opened.unwrap().unwrap()
}

fn rows(table: &Table, records: &[serde_json::Value]) -> Vec<Row> {
    let columns = table.columns();
    let rows = records
        .iter()
        .map(|record| columns.row(record.to_string().as_bytes()));
    rows.collect::<Result<_, _>>().unwrap()
}

fn numbered(ids: std::ops::Range<i64>) -> Vec<serde_json::Value> {
    let record = |id: i64| json!({"id": id, "at": format!("2026-01-01T{:02}:30:00Z", id % 24)});
    ids.map(record).collect()
}

/// Reads all data files of the newest snapshot.
async fn batches(table: &Table) -> Vec<RecordBatch> {
    let mut batches = Vec::new();
    for path in table.data_files().await {
        let file = File::open(path.strip_prefix("file://").unwrap()).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        batches.extend(reader.build().unwrap().map(Result::unwrap));
    }
    batches
}

async fn ids(table: &Table) -> Vec<i64> {
    use arrow_array::cast::AsArray as _;
    let mut ids = Vec::new();
    for batch in batches(table).await {
        let column = batch.column_by_name("id").unwrap();
        ids.extend(
            column
                .as_primitive::<arrow_array::types::Int64Type>()
                .values(),
        );
    }
    ids.sort_unstable();
    ids
}

fn metadata_files(home: &TempDir) -> Vec<PathBuf> {
    let directory = home.path().join("bucket/space/orders/metadata");
    let entries = fs::read_dir(directory).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(".metadata.json"))
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn rows_and_positions_are_committed_together() {
    let home = tempfile::tempdir().unwrap();
    let mut table = create(&home, &definition(), SCHEMA).await;
    assert_eq!(table.positions(), None);
    let first = rows(&table, &numbered(0..100));
    table.write(&first).await.unwrap();
    assert_eq!(ids(&table).await, [0_i64; 0]);
    table.commit("{\"a\":1}".to_owned()).await.unwrap();
    assert_eq!(ids(&table).await, (0..100).collect::<Vec<_>>());

    let mut table = open(&home).await;
    assert_eq!(table.positions(), Some("{\"a\":1}"));
    for range in [100..120, 120..150] {
        let more = rows(&table, &numbered(range));
        table.write(&more).await.unwrap();
    }
    table.commit("{\"a\":2}".to_owned()).await.unwrap();
    // Write rows, but do not commit them.
    let lost = rows(&table, &numbered(150..160));
    table.write(&lost).await.unwrap();

    let mut table = open(&home).await;
    assert_eq!(table.positions(), Some("{\"a\":2}"));
    assert_eq!(ids(&table).await, (0..150).collect::<Vec<_>>());
    // Commit positions without rows, as for a batch whose records are all invalid.
    table.commit("{\"a\":3}".to_owned()).await.unwrap();
    let table = open(&home).await;
    assert_eq!(table.positions(), Some("{\"a\":3}"));
    assert_eq!(ids(&table).await.len(), 150);
}

#[tokio::test]
async fn files_lie_by_hour_and_the_hint_leads_to_the_newest_metadata() {
    let home = tempfile::tempdir().unwrap();
    let mut table = create(&home, &definition(), SCHEMA).await;
    let rows = rows(&table, &numbered(0..48));
    table.write(&rows).await.unwrap();
    table.commit("{}".to_owned()).await.unwrap();
    let table_dir = home.path().join("bucket/space/orders");
    let hours: BTreeSet<String> = fs::read_dir(table_dir.join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(hours.len(), 24);
    assert!(hours.contains("at_hour=2026-01-01-07"), "{hours:?}");
    let hint = fs::read_to_string(table_dir.join("metadata/version-hint.text")).unwrap();
    let newest = metadata_files(&home).pop().unwrap();
    assert!(newest.ends_with(format!("{hint}.metadata.json")), "{hint}");
}

#[tokio::test]
async fn a_commit_that_a_crash_cut_short_is_passed_over() {
    let home = tempfile::tempdir().unwrap();
    let mut table = create(&home, &definition(), SCHEMA).await;
    for (range, positions) in [(0..10, "1"), (10..20, "2")] {
        let rows = rows(&table, &numbered(range));
        table.write(&rows).await.unwrap();
        table.commit(positions.to_owned()).await.unwrap();
    }
    let newest = metadata_files(&home).pop().unwrap();
    let whole = fs::read(&newest).unwrap();
    for length in [0, 1, whole.len() / 2, whole.len() - 1] {
        fs::write(&newest, &whole[..length]).unwrap();
        let table = open(&home).await;
        assert_eq!(table.positions(), Some("1"), "{length}");
        assert_eq!(ids(&table).await.len(), 10, "{length}");
    }
    // The next commit writes a metadata file with the same number as the interrupted commit. The
    // new file is complete, so it is the state of the table.
    let mut table = open(&home).await;
    let again = rows(&table, &numbered(10..20));
    table.write(&again).await.unwrap();
    table.commit("2".to_owned()).await.unwrap();
    let table = open(&home).await;
    assert_eq!(table.positions(), Some("2"));
    assert_eq!(ids(&table).await, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_channel_writes_only_its_own_table() {
    let home = tempfile::tempdir().unwrap();
    create(&home, &definition(), SCHEMA).await;
    let other = Definition {
        channel: "arn:two".to_owned(),
        ..definition()
    };
    let error = Table::open(&local(&home), &other, &Random::seeded(1))
        .await
        .unwrap_err();
    let expected = "The table bucket/space/orders exists already. A channel writes only a table \
        that it has created.";
    assert_eq!(error.to_string(), expected);
    let used = Definition {
        names: ["bucket", "space", "used"].map(str::to_owned),
        ..definition()
    };
    fs::create_dir(home.path().join("bucket/space/used")).unwrap();
    fs::write(home.path().join("bucket/space/used/file"), "x").unwrap();
    let random = Random::seeded(1);
    let opened = Table::open(&local(&home), &used, &random).await;
    assert!(opened.unwrap().is_none());
    let created = Table::create(&local(&home), &used, SCHEMA, &random).await;
    let error = created.unwrap_err().to_string();
    assert!(
        error.contains("is not empty, and holds no table"),
        "{error}"
    );
}

#[tokio::test]
async fn every_type_is_written_and_nested_columns_partition() {
    let schema = json!({"type": "object", "properties": {
        "flag": {"type": "boolean"}, "int": {"type": "integer", "maximum": 9},
        "long": {"type": "integer"}, "double": {"type": "number"},
        "decimal": {"type": "number", "multipleOf": 0.01},
        "date": {"type": "string", "format": "date"}, "time": {"type": "string", "format": "time"},
        "uuid": {"type": "string", "format": "uuid"}, "bytes": {"type": "string", "format": "byte"},
        "text": {"type": "string", "description": "a text"}, "one": {"enum": ["x", "y"]},
        "list": {"type": "array", "items": {"type": ["integer", "null"]}},
        "map": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
        "event": {"type": "object", "properties": {
            "at": {"type": "string", "format": "date-time"}, "note": {"type": "string"}}}}});
    for compression in [
        TableCompression::None,
        TableCompression::Zstd,
        TableCompression::Snappy,
    ] {
        let home = tempfile::tempdir().unwrap();
        let definition = Definition {
            compression,
            partition_columns: vec!["event.at".to_owned()],
            ..definition()
        };
        let mut table = create(&home, &definition, &schema.to_string()).await;
        let full = json!({
            "flag": true, "int": 1, "long": 2, "double": 0.5, "decimal": 1.25,
            "date": "2026-01-01", "time": "12:00:00", "uuid": "00000000-0000-0000-0000-000000000001",
            "bytes": "AAE=", "text": "t", "one": "x", "list": [1, null], "map": {"k": ["v", "w"]},
            "event": {"at": "2026-01-01T12:00:00Z", "note": "n"}});
        let sparse = json!({"event": {"at": "1969-12-31T23:59:59Z"}});
        let rows = rows(&table, &[full, sparse.clone(), sparse]);
        table.write(&rows).await.unwrap();
        table.commit("{}".to_owned()).await.unwrap();
        let batches = batches(&table).await;
        let counts: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
        assert_eq!(counts.iter().sum::<usize>(), 3);
        assert_eq!(batches.len(), 2, "two hours");
        let directory = "data/event_at_hour=1969-12-31-23/";
        let files = table.data_files().await;
        assert!(
            files.iter().any(|file| file.contains(directory)),
            "{files:?}"
        );
        let nulls = |batch: &RecordBatch| {
            let columns = batch.columns().iter();
            columns.filter(|column| column.null_count() > 0).count()
        };
        let full = batches.iter().find(|batch| batch.num_rows() == 1).unwrap();
        assert_eq!(nulls(full), 0);
        let sparse = batches.iter().find(|batch| batch.num_rows() == 2).unwrap();
        assert_eq!(nulls(sparse), 13, "all but the event");
    }
}

#[tokio::test]
async fn the_number_of_snapshots_and_metadata_files_is_bounded() {
    let home = tempfile::tempdir().unwrap();
    let mut table = create(&home, &definition(), SCHEMA).await;
    let commits = limits::TABLE_SNAPSHOTS + 2 * limits::TABLE_SNAPSHOTS_REMOVED + 5;
    for at in 0..commits as i64 {
        let rows = rows(&table, &numbered(at..at + 1));
        table.write(&rows).await.unwrap();
        table.commit(at.to_string()).await.unwrap();
    }
    let most = limits::TABLE_METADATA_FILES + limits::TABLE_SNAPSHOTS_REMOVED + 1;
    assert!(metadata_files(&home).len() <= most);
    assert!(table.snapshots() < limits::TABLE_SNAPSHOTS + limits::TABLE_SNAPSHOTS_REMOVED);
    let table = open(&home).await;
    assert_eq!(table.positions(), Some((commits - 1).to_string().as_str()));
    assert_eq!(ids(&table).await, (0..commits as i64).collect::<Vec<_>>());
}
