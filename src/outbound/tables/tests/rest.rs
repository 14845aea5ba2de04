//! Tests of tables in a REST catalog.

use super::channels::{channel, settings};
use super::rest_server::{Fault, RestServer};
use super::{SCHEMA, definition, ids, numbered, rows};
use crate::engine::channel::DestinationError;
use crate::model::channel::RecordFormat;
use crate::options::ChannelOptions;
use crate::outbound::tables::Tables;
use crate::outbound::tables::catalog::TableCatalog;
use crate::outbound::tables::definition::Definition;
use crate::outbound::tables::error::TableError;
use crate::outbound::tables::rest::RestCatalogAddress;
use crate::outbound::tables::storage::TableFiles;
use crate::outbound::tables::table::Table;
use crate::world::Random;
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

fn catalog(server: &RestServer) -> TableCatalog {
    TableCatalog::Rest(RestCatalogAddress::read(&server.url, TableFiles::new(None)).unwrap())
}

fn started() -> (TempDir, RestServer) {
    let home = tempfile::tempdir().unwrap();
    let server = RestServer::start(&home.path().canonicalize().unwrap());
    (home, server)
}

async fn create(server: &RestServer) -> Result<Table, TableError> {
    let (catalog, random) = (catalog(server), Random::seeded(1));
    Table::create(&catalog, &definition(), SCHEMA, &random).await
}

/// Opens the table with a new seed of random numbers, so that the names of data files do not
/// repeat.
async fn open(server: &RestServer) -> Table {
    static SEED: AtomicU64 = AtomicU64::new(2);
    let random = Random::seeded(SEED.fetch_add(1, Ordering::Relaxed));
    let opened = Table::open(&catalog(server), &definition(), &random).await;
    opened.unwrap().unwrap()
}

/// Appends 10 rows like the delivery of a channel. After an error, opens the table again, and
/// repeats the append unless the table already has the new positions. Returns the number of
/// appends.
async fn deliver(server: &RestServer, from: i64) -> usize {
    let positions = format!("{{\"at\":{from}}}");
    for attempt in 1..10 {
        let mut table = open(server).await;
        if table.positions() == Some(&positions) {
            return attempt - 1;
        }
        let rows = rows(&table, &numbered(from..from + 10));
        table.write(&rows).await.unwrap();
        if table.commit(positions.clone()).await.is_ok() {
            return attempt;
        }
    }
    panic!("no attempt succeeds");
}

#[tokio::test]
async fn rows_and_positions_are_committed_together() {
    let (_home, server) = started();
    let mut table = create(&server).await.unwrap();
    assert_eq!(server.state.lock().namespaces, ["space"]);
    assert_eq!(table.positions(), None);
    for range in [0..10, 10..20] {
        let rows = rows(&table, &numbered(range.clone()));
        table.write(&rows).await.unwrap();
        table.commit(range.end.to_string()).await.unwrap();
    }
    assert_eq!(table.positions(), Some("20"));
    let table = open(&server).await;
    assert_eq!(table.positions(), Some("20"));
    assert_eq!(ids(&table).await, (0..20).collect::<Vec<_>>());
    let files = table.data_files().await;
    let place = format!(
        "{}/orders/data/at_hour=2026-01-01-0",
        server.state.lock().warehouse
    );
    assert!(
        files.iter().any(|file| file.starts_with(&place)),
        "{files:?}"
    );
    // Create a second table in the same namespace, which exists now.
    let other = Definition {
        names: ["bucket", "space", "returns"].map(str::to_owned),
        ..definition()
    };
    let (catalog, random) = (catalog(&server), Random::seeded(1));
    Table::create(&catalog, &other, SCHEMA, &random)
        .await
        .unwrap();
    assert_eq!(server.state.lock().namespaces, ["space"]);
}

#[tokio::test]
async fn a_conflict_is_resolved_and_positions_outlive_foreign_snapshots() {
    let (_home, server) = started();
    create(&server).await.unwrap();
    assert_eq!(deliver(&server, 0).await, 1);
    server.fault(Fault::Conflict);
    server.fault(Fault::Conflict);
    assert_eq!(deliver(&server, 10).await, 1);
    let table = open(&server).await;
    assert_eq!(ids(&table).await, (0..20).collect::<Vec<_>>());
    assert_eq!(table.snapshots(), 4);
    // Another program commits the newest snapshot, whose parent has the channel's positions.
    server.fault(Fault::Conflict);
    server.fault(Fault::Refused);
    let mut table = open(&server).await;
    assert!(table.commit("{}".to_owned()).await.is_err());
    let table = open(&server).await;
    assert_eq!(table.positions(), Some("{\"at\":10}"));
    assert_eq!(table.snapshots(), 5);
}

#[tokio::test]
async fn a_lost_answer_and_a_late_commit_repeat_no_row() {
    for (fault, expected) in [
        (Fault::LostAnswer, 1),
        (Fault::Timeout, 1),
        (Fault::Refused, 2),
        // The next opening of the table makes load 0 of the table. The next commit makes load 1.
        (Fault::LateBefore(0), 1),
        (Fault::LateAfter(0), 2),
        (Fault::LateBefore(1), 2),
        (Fault::LateAfter(1), 2),
    ] {
        let (_home, server) = started();
        create(&server).await.unwrap();
        deliver(&server, 0).await;
        server.fault(fault);
        assert_eq!(deliver(&server, 10).await, expected, "{fault:?}");
        deliver(&server, 20).await;
        let table = open(&server).await;
        assert_eq!(table.positions(), Some("{\"at\":20}"), "{fault:?}");
        assert_eq!(ids(&table).await, (0..30).collect::<Vec<_>>(), "{fault:?}");
        assert_eq!(server.commits(), 4, "{fault:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_to_the_creation_leaves_the_table_to_the_channel() {
    let (_home, server) = started();
    server.fault(Fault::LostAnswer);
    create(&server).await.unwrap();
    assert_eq!(deliver(&server, 0).await, 1);
}

#[tokio::test]
async fn a_catalog_that_is_down_is_tried_again() {
    let (_home, server) = started();
    let mut table = create(&server).await.unwrap();
    let first = rows(&table, &numbered(0..10));
    table.write(&first).await.unwrap();
    server.set_down(true);
    let failed = table.commit("1".to_owned()).await.unwrap_err();
    assert!(matches!(failed, TableError::Unavailable(_)), "{failed:?}");
    let (catalog, random) = (catalog(&server), Random::seeded(2));
    let failed = Table::open(&catalog, &definition(), &random).await;
    assert!(matches!(failed, Err(TableError::Unavailable(_))));
    server.set_down(false);
    assert_eq!(deliver(&server, 0).await, 1);
    assert_eq!(ids(&open(&server).await).await, (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_channel_follows_new_columns_and_no_new_partitions() {
    use iceberg::spec::{NestedField, PrimitiveType, Type, UnboundPartitionSpec};
    let (_home, server) = started();
    create(&server).await.unwrap();
    deliver(&server, 0).await;
    {
        let mut state = server.state.lock();
        let (metadata, location) = state.tables["orders"].clone();
        let text = Type::Primitive(PrimitiveType::String);
        let added = NestedField::optional(3, "note", text).into();
        let builder = metadata.current_schema().as_ref().clone().into_builder();
        let builder = builder.with_schema_id(1).with_fields([added]);
        let schema = builder.build().unwrap();
        let builder = metadata.into_builder(Some(location));
        let builder = builder.add_current_schema(schema).unwrap();
        state.put("orders", builder);
    }
    deliver(&server, 10).await;
    let table = open(&server).await;
    assert_eq!(ids(&table).await, (0..20).collect::<Vec<_>>());
    {
        let mut state = server.state.lock();
        let (metadata, location) = state.tables["orders"].clone();
        let builder = metadata.into_builder(Some(location));
        let spec = UnboundPartitionSpec::builder().build();
        let builder = builder.add_default_partition_spec(spec).unwrap();
        state.put("orders", builder);
    }
    let opened = Table::open(&catalog(&server), &definition(), &Random::seeded(2)).await;
    let error = opened.unwrap_err();
    assert!(matches!(&error, TableError::Unusable(_)), "{error}");
    assert!(error.to_string().ends_with("were changed."), "{error}");
}

fn tables(home: &Path, url: &str) -> Tables {
    let schemas = home.join("schemas");
    std::fs::create_dir_all(schemas.join("shop")).unwrap();
    std::fs::write(schemas.join("shop/order.json"), SCHEMA).unwrap();
    let options = ChannelOptions {
        s3tables_rest_catalog: Some(url.to_owned()),
        schemas_dir: Some(schemas),
        ..ChannelOptions::default()
    };
    Tables::new(&options, None, &Random::seeded(3))
}

async fn reason_of_creation(tables: &Tables, id: &str) -> String {
    let (settings, table) = settings(RecordFormat::Json, "shop/order", "at");
    let created = tables.create(&channel(id), &settings, &table).await;
    created.map_or_else(|error| error.to_string(), |()| "created".to_owned())
}

#[tokio::test]
async fn a_catalog_that_cannot_be_used_fails_the_creation_with_the_reason() {
    let (home, server) = started();
    let setting = "(channels.s3tables.rest_catalog)";
    let tables_of = |url: &str| tables(home.path(), url);
    for url in ["https://127.0.0.1:1", "127.0.0.1:1", "http://"] {
        let tables = tables_of(url);
        let problem = tables.problem().unwrap();
        assert!(problem.contains("which is not an http URL"), "{problem}");
    }
    let unused = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let reason = reason_of_creation(&tables_of(&format!("http://{unused}")), "c1").await;
    assert!(
        reason.contains(setting) && reason.contains("Connection refused"),
        "{reason}"
    );

    let tables = tables_of(&server.url);
    assert_eq!(tables.problem(), None);
    server.fault(Fault::Refused);
    let reason = reason_of_creation(&tables, "c1").await;
    assert!(
        reason.contains(setting) && reason.contains("403 Forbidden"),
        "{reason}"
    );
    assert!(!reason.contains("headers"), "{reason}");

    let warehouse = server.state.lock().warehouse.clone();
    for (location, expected) in [
        ("gs://bucket", "Only locations that begin with file: or s3:"),
        (
            "file://host/path",
            "Only locations that begin with file: or s3:",
        ),
        ("s3://bucket/path", "Set channels.s3.endpoint"),
    ] {
        server.state.lock().warehouse = location.to_owned();
        let reason = reason_of_creation(&tables, "c1").await;
        assert!(
            reason.contains(setting) && reason.contains(expected),
            "{reason}"
        );
        assert!(
            server.state.lock().tables.is_empty(),
            "the table is removed again"
        );
    }
    server.state.lock().warehouse = warehouse;
    assert_eq!(reason_of_creation(&tables, "c1").await, "created");
    assert_eq!(reason_of_creation(&tables, "c1").await, "created");
    let reason = reason_of_creation(&tables, "c2").await;
    let expected = format!(
        "The table space.orders of the catalog {} {setting} exists already.",
        server.url
    );
    assert!(reason.starts_with(&expected), "{reason}");
}

#[tokio::test]
async fn a_table_that_disappears_ends_the_channel() {
    let (home, server) = started();
    let tables = tables(home.path(), &server.url);
    assert_eq!(reason_of_creation(&tables, "c1").await, "created");
    let (settings, table) = settings(RecordFormat::Json, "shop/order", "at");
    let metadata = server.state.lock().tables.remove("orders").unwrap();
    let opened = tables.open(&channel("c1"), &settings, &table).await;
    assert!(
        matches!(opened, Err(DestinationError::Refused(reason)) if reason.contains("does not exist any more"))
    );
    std::fs::remove_file(metadata.1.strip_prefix("file://").unwrap()).unwrap();
    server
        .state
        .lock()
        .tables
        .insert("orders".to_owned(), metadata);
    let opened = tables.open(&channel("c1"), &settings, &table).await;
    assert!(
        matches!(opened, Err(DestinationError::Unreachable(reason)) if reason.contains("is not on this machine"))
    );
}
