//! Tests of the tables of channels: their creation, and the records that they refuse.

use super::SCHEMA;
use crate::engine::channel::DestinationError;
use crate::model::channel::{
    BucketRef, ChannelSettings, DeadLetterBucket, Destination, LogSettings, RecordFormat,
    TableCompression, TableDestination,
};
use crate::model::{AccountId, AccountRegion, ChannelArn, Region};
use crate::options::ChannelOptions;
use crate::outbound::tables::Tables;
use crate::world::Random;
use bytes::Bytes;
use std::fs;
use std::path::Path;

pub(super) fn channel(id: &str) -> ChannelArn {
    ChannelArn {
        scope: AccountRegion {
            account: AccountId::parse("000000000000").unwrap(),
            region: Region::new("us-east-1"),
        },
        id: id.into(),
    }
}

pub(super) fn settings(
    format: RecordFormat,
    schema: &str,
    partition: &str,
) -> (ChannelSettings, TableDestination) {
    let table = TableDestination {
        bucket_arn: "arn:aws:s3tables:us-east-1:000000000000:bucket/bucket".to_owned(),
        namespace: "space".to_owned(),
        table: "orders".to_owned(),
        compression: TableCompression::Snappy,
        partition_columns: vec![partition.to_owned()],
    };
    let settings = ChannelSettings {
        role: "arn:aws:iam::000000000000:role/r".to_owned(),
        format,
        schema: Some(format!(
            "arn:aws:glue:us-east-1:000000000000:schema/{schema}"
        )),
        destination: Destination::S3Tables(table.clone()),
        freshness_s: 300,
        dead_letters: DeadLetterBucket {
            bucket: BucketRef {
                arn: "arn:aws:s3:::errors".to_owned(),
                owner: "000000000000".to_owned(),
            },
            prefix: "errors/".to_owned(),
        },
        key_id: None,
        log: LogSettings::default(),
    };
    (settings, table)
}

fn tables(home: &Path, has_schemas: bool) -> Tables {
    let schemas = home.join("schemas");
    fs::create_dir_all(schemas.join("shop")).unwrap();
    fs::write(schemas.join("shop/order.json"), SCHEMA).unwrap();
    fs::write(
        schemas.join("versions.json"),
        r#"{"00000000-0000-0000-0000-000000000001": "shop/order"}"#,
    )
    .unwrap();
    let options = ChannelOptions {
        s3tables_local_dir: Some(home.join("tables")),
        schemas_dir: has_schemas.then_some(schemas),
        ..ChannelOptions::default()
    };
    Tables::new(&options, None, &Random::seeded(3))
}

#[tokio::test]
async fn creation_fails_with_the_reason() {
    let home = tempfile::tempdir().unwrap();
    let refused = |error| match error {
        DestinationError::Refused(reason) => reason,
        other => panic!("{other:?}"),
    };
    for (has_schemas, schema, partition, expected) in [
        (
            false,
            "shop/order",
            "at",
            "No schemas are configured. Set channels.schemas.dir",
        ),
        (
            true,
            "shop/none",
            "at",
            "schema/shop/none cannot be found: there is no file",
        ),
        (
            true,
            "shop/order",
            "id",
            "The partition column 'id' is not a string of the format",
        ),
        (
            true,
            "shop/order",
            "x",
            "The partition column 'x' is not a property of the schema.",
        ),
    ] {
        let tables = tables(home.path(), has_schemas);
        let (settings, table) = settings(RecordFormat::Json, schema, partition);
        let created = tables.create(&channel("c1"), &settings, &table).await;
        let reason = refused(created.unwrap_err());
        assert!(reason.contains(expected), "{reason}");
    }
    let tables = tables(home.path(), true);
    let (settings, table) = settings(RecordFormat::Json, "shop/order", "at");
    let missing = tables.open(&channel("c1"), &settings, &table).await;
    let reason = refused(missing.unwrap_err());
    assert_eq!(
        reason,
        "The table bucket/space/orders does not exist any more."
    );
    tables
        .create(&channel("c1"), &settings, &table)
        .await
        .unwrap();
    tables
        .create(&channel("c1"), &settings, &table)
        .await
        .unwrap();
    let other = tables.create(&channel("c2"), &settings, &table).await;
    assert!(refused(other.unwrap_err()).contains("exists already"));
}

#[tokio::test]
async fn invalid_records_are_answered_and_the_others_written() {
    let home = tempfile::tempdir().unwrap();
    let tables = tables(home.path(), true);
    let (settings, table) = settings(RecordFormat::GsrJson, "shop/order", "at");
    tables
        .create(&channel("c1"), &settings, &table)
        .await
        .unwrap();
    let opened = tables
        .open(&channel("c1"), &settings, &table)
        .await
        .unwrap();
    assert_eq!(opened.positions(), None);
    let framed = |id: u8, json: &str| {
        let mut head = [0; 18];
        (head[0], head[17]) = (3, id);
        Bytes::from([head.as_slice(), json.as_bytes()].concat())
    };
    let good = r#"{"id": 1, "at": "2026-01-01T00:00:00Z"}"#;
    let records = vec![
        framed(1, good),
        framed(2, good),
        Bytes::from_static(b"{}"),
        framed(1, "{\"id\": 1}"),
        framed(1, good),
    ];
    let written = opened.write(records).await.unwrap();
    let invalid: Vec<(usize, &str)> = written
        .invalid
        .iter()
        .map(|(at, reason)| (*at, reason.code))
        .collect();
    let expected = [
        (1, "UnknownSchemaVersion"),
        (2, "InvalidSchemaFrame"),
        (3, "SchemaValidationFailed"),
    ];
    assert_eq!(invalid, expected);
    let committed = written.table.commit("p".to_owned()).await.unwrap();
    assert_eq!(committed.positions(), Some("p"));
    let opened = tables
        .open(&channel("c1"), &settings, &table)
        .await
        .unwrap();
    assert_eq!(opened.positions(), Some("p"));
    // Another channel cannot use the table.
    let other = tables.open(&channel("c2"), &settings, &table).await;
    assert!(matches!(other, Err(DestinationError::Refused(_))));
}
