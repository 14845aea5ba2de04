//! Deliveries into Iceberg tables in a local directory.

use super::delivering::flush;
use super::*;
use crate::lab::{Request, Stream, ms};
use iceberg::TableIdent;
use iceberg::io::FileIO;
use iceberg::table::StaticTable;
use minikin::internals::world::{Fault, Point, Rule};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::RowAccessor as _;
use std::fs::{self, File};
use std::path::Path;
use tempfile::TempDir;

const SCHEMA: &str = r#"{"type": "object", "required": ["id"], "properties": {
    "id": {"type": "integer"}, "ordered_at": {"type": "string", "format": "date-time"}}}"#;

/// Runs a test with tables, buckets and the schema in a directory.
fn to_tables<F: Future<Output = ()>>(place: Place, test: impl FnOnce(Lab, Arc<TempDir>) -> F) {
    let home = Arc::new(TempDir::new().unwrap());
    let folder = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let (tables, buckets, schemas) = (folder("tables"), folder("buckets"), folder("schemas"));
    fs::create_dir_all(home.path().join("schemas/registry")).unwrap();
    fs::write(home.path().join("schemas/registry/schema.json"), SCHEMA).unwrap();
    let flags = [
        "--channels-s3tables-local-dir",
        &tables,
        "--channels-s3-local-dir",
        &buckets,
        "--channels-schemas-dir",
        &schemas,
    ];
    block_on(async {
        let lab = Lab::start(place, &flags).await;
        test(lab.clone(), home.clone()).await;
        lab.stop().await;
    });
}

fn table(home: &TempDir) -> std::path::PathBuf {
    home.path().join("tables/tables/shop/orders")
}

/// The sorted ids of all rows of the table. The function finds the newest metadata by the version
/// hint.
async fn ids(home: &TempDir) -> Vec<i64> {
    let metadata = table(home).join("metadata");
    let hint = fs::read_to_string(metadata.join("version-hint.text")).unwrap();
    let newest = metadata.join(format!("{hint}.metadata.json"));
    let name = TableIdent::from_strs(["shop", "orders"]).unwrap();
    let io = FileIO::new_with_fs();
    let newest = newest.to_str().unwrap();
    let table = StaticTable::from_metadata_file(newest, name, io.clone()).await;
    let table = table.unwrap().into_table();
    let Some(snapshot) = table.metadata().current_snapshot() else {
        return Vec::new();
    };
    let mut ids = Vec::new();
    let manifests = table.manifest_list_reader(snapshot).load().await.unwrap();
    for manifest in manifests.entries() {
        let manifest = manifest.load_manifest(&io).await.unwrap();
        for file in manifest.entries() {
            ids.extend(ids_of_file(Path::new(
                file.file_path().strip_prefix("file://").unwrap(),
            )));
        }
    }
    ids.sort_unstable();
    ids
}

fn ids_of_file(path: &Path) -> Vec<i64> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().get_long(0).unwrap()).collect()
}

async fn put(lab: &Lab, numbers: std::ops::Range<i64>) {
    let stream = Stream::existing(lab, "s");
    for number in numbers {
        let hour = number % 24;
        let text = format!("{{\"id\":{number},\"ordered_at\":\"2026-01-01T{hour:02}:00:00Z\"}}");
        stream.put(&number.to_string(), &text).await;
    }
}

async fn active(lab: &Lab) -> String {
    create_stream(lab, "s").await;
    let arn = created(lab, to_table("n", "s")).await;
    assert_eq!(ended(lab, &arn).await["ChannelStatus"], "ACTIVE");
    arn
}

/// The description of a channel after its creation.
async fn ended(lab: &Lab, arn: &str) -> Value {
    crate::lab::until("the creation to end", async || {
        let channel = describe(lab, arn).await;
        (channel["ChannelStatus"] != "CREATING").then_some(channel)
    })
    .await
}

#[test]
fn a_table_holds_every_record_once_across_restarts() {
    to_tables(Place::Disk, |lab, home| async move {
        active(&lab).await;
        put(&lab, 0..100).await;
        assert_eq!(ids(&home).await, [0_i64; 0]);
        assert_eq!(flush(&lab, "n").await.0, 204);
        assert_eq!(ids(&home).await, (0..100).collect::<Vec<_>>());
        let mut last = 100;
        for _ in 0..3 {
            put(&lab, last..last + 30).await;
            assert!(lab.restart().await);
            put(&lab, last + 30..last + 40).await;
            last += 40;
            assert_eq!(flush(&lab, "n").await.0, 204);
            assert_eq!(ids(&home).await, (0..last).collect::<Vec<_>>());
        }
    });
}

#[test]
fn a_commit_whose_checkpoint_was_lost_is_not_repeated() {
    to_tables(Place::Disk, |lab, home| async move {
        active(&lab).await;
        for round in 0..4 {
            let stop = Rule::new(Point::Checkpoint, Fault::Drop).unwrap();
            lab.set_faults(vec![stop]);
            put(&lab, round * 20..round * 20 + 20).await;
            let (status, _) = flush(&lab, "n").await;
            assert_eq!(status, 409, "the task ended before its checkpoint");
            assert_eq!(ids(&home).await, (0..round * 20 + 20).collect::<Vec<_>>());
            assert!(lab.restart().await);
        }
        assert_eq!(flush(&lab, "n").await.0, 204);
        assert_eq!(ids(&home).await, (0..80).collect::<Vec<_>>());
    });
}

#[test]
fn a_failed_attempt_is_repeated_without_duplicates() {
    to_tables(Place::Memory, |lab, home| async move {
        active(&lab).await;
        put(&lab, 0..20).await;
        assert_eq!(flush(&lab, "n").await.0, 204);
        // Move the metadata directory away for a while.
        let away = home.path().join("away");
        fs::rename(table(&home).join("metadata"), &away).unwrap();
        fs::write(table(&home).join("metadata"), "").unwrap();
        put(&lab, 20..40).await;
        let (status, text) = flush(&lab, "n").await;
        assert_eq!(status, 409, "{text}");
        fs::remove_file(table(&home).join("metadata")).unwrap();
        fs::rename(&away, table(&home).join("metadata")).unwrap();
        assert_eq!(flush(&lab, "n").await.0, 204);
        assert_eq!(ids(&home).await, (0..40).collect::<Vec<_>>());
    });
}

#[test]
fn records_are_delivered_when_they_are_old_enough() {
    to_tables(Place::Memory, |lab, home| async move {
        active(&lab).await;
        put(&lab, 0..10).await;
        lab.clock.advance(ms(299_999)).await;
        assert_eq!(ids(&home).await, [0_i64; 0]);
        lab.clock.advance(ms(1)).await;
        crate::lab::until("the delivery", async || {
            (ids(&home).await.len() == 10).then_some(())
        })
        .await;
    });
}

#[test]
fn records_against_the_schema_are_listed() {
    to_tables(Place::Memory, |lab, home| async move {
        active(&lab).await;
        let stream = Stream::existing(&lab, "s");
        for text in ["{", "{}", "{\"id\": 1}"] {
            stream.put("k", text).await;
        }
        // A batch without a valid record also moves the positions.
        assert_eq!(flush(&lab, "n").await.0, 204);
        put(&lab, 0..5).await;
        assert_eq!(flush(&lab, "n").await.0, 204);
        assert_eq!(ids(&home).await, (0..5).collect::<Vec<_>>());
        let mut codes = Vec::new();
        let mut folders = vec![home.path().join("buckets/errors/errors")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                for line in fs::read_to_string(path).unwrap().lines() {
                    let line: Value = serde_json::from_str(line).unwrap();
                    codes.push(line["errorCode"].as_str().unwrap().to_owned());
                }
            }
        }
        codes.sort();
        let schema = "SchemaValidationFailed";
        assert_eq!(codes, ["InvalidJson", schema, schema]);
    });
}

#[test]
fn a_channel_that_cannot_have_its_table_fails() {
    to_tables(Place::Memory, |lab, home| async move {
        active(&lab).await;
        create_stream(&lab, "other").await;
        let failed = ended(&lab, &created(&lab, to_table("m", "other")).await).await;
        assert_eq!(failed["ChannelStatus"], "FAILED");
        let reason = failed["ChannelStatusReason"].as_str().unwrap();
        assert!(
            reason.contains("tables/shop/orders exists already"),
            "{reason}"
        );
        let delete = Request::bare("POST", "/_minikin/channels/m/flush");
        assert_eq!(lab.send(&delete).await.status, 409);

        let mut body = to_table("k", "other");
        let configuration = &mut body["StreamConfigurationList"][0]["RecordConfiguration"];
        configuration["GSRSchemaARN"] = json!(format!(
            "arn:aws:glue:{REGION}:{ACCOUNT}:schema/registry/none"
        ));
        create_stream(&lab, "third").await;
        body["StreamConfigurationList"][0]["StreamARN"] = json!(arn_of("third"));
        let failed = ended(&lab, &created(&lab, body).await).await;
        let reason = failed["ChannelStatusReason"].as_str().unwrap();
        assert!(
            reason.contains("schema/registry/none cannot be found"),
            "{reason}"
        );
        drop(home);
    });
}

#[test]
fn a_table_that_disappears_fails_its_channel() {
    to_tables(Place::Memory, |lab, home| async move {
        let arn = active(&lab).await;
        fs::remove_dir_all(table(&home)).unwrap();
        put(&lab, 0..3).await;
        assert_eq!(flush(&lab, "n").await.0, 409);
        let _again = flush(&lab, "n").await;
        let channel = describe(&lab, &arn).await;
        assert_eq!(channel["ChannelStatus"], "FAILED");
        let reason = "The table tables/shop/orders does not exist any more.";
        assert_eq!(channel["ChannelStatusReason"], reason);
    });
}
