//! A REST catalog in which a commit succeeds only if the channel's positions have not changed since
//! the table was opened.
//!
//! The Iceberg library loads the table before every attempt to commit, and adds the data files to
//! the newest snapshot of the loaded table. The answer to an earlier commit may have been lost, and
//! that commit may reach the catalog late, after the channel has opened the table again. The
//! library would then add the same rows a second time. The late commit has changed the channel's
//! positions, so the guard refuses the loaded table.

use super::definition::positions;
use super::warehouse::TableDirectory;
use crate::limits;
use crate::world::RealDeadline;
use async_trait::async_trait;
use iceberg::table::Table;
use iceberg::{
    Catalog, Error, ErrorKind, Namespace, NamespaceIdent, Result, TableCommit, TableCreation,
    TableIdent,
};
use iceberg_catalog_rest::RestCatalog;
use std::collections::HashMap;

/// The REST catalog for one commit. It refuses the commit if the channel's positions have changed.
#[derive(Debug)]
pub(super) struct Guard<'a> {
    pub(super) catalog: &'a RestCatalog,
    /// The channel's positions before the commit.
    pub(super) positions: Option<&'a str>,
    /// The directory of the table. None if the files of the table are in a bucket.
    pub(super) directory: Option<&'a TableDirectory>,
}

/// Waits for the answer of a catalog, for up to [`limits::TABLE_CATALOG_ANSWER`].
pub(super) async fn answer<T>(answer: impl Future<Output = Result<T>>) -> Result<T> {
    let time = limits::TABLE_CATALOG_ANSWER;
    let late = || {
        let text = format!("no answer in {} s", time.as_secs());
        Err(Error::new(ErrorKind::Unexpected, text))
    };
    let answer = RealDeadline::lasting(time).with(answer).await;
    answer.unwrap_or_else(late)
}

#[async_trait]
impl Catalog for Guard<'_> {
    async fn load_table(&self, table: &TableIdent) -> Result<Table> {
        let table = answer(self.catalog.load_table(table)).await?;
        if positions(table.metadata()) == self.positions {
            return Ok(table);
        }
        let text = "an earlier commit of the channel has arrived late";
        Err(Error::new(ErrorKind::PreconditionFailed, text))
    }

    async fn update_table(&self, commit: TableCommit) -> Result<Table> {
        if let Some(directory) = self.directory {
            // The commit names new manifests. Make their directory entries durable before the
            // commit.
            let synced = directory.sync_metadata();
            synced.map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
        }
        answer(self.catalog.update_table(commit)).await
    }

    async fn list_namespaces(
        &self,
        parent: Option<&NamespaceIdent>,
    ) -> Result<Vec<NamespaceIdent>> {
        self.catalog.list_namespaces(parent).await
    }

    async fn create_namespace(
        &self,
        namespace: &NamespaceIdent,
        properties: HashMap<String, String>,
    ) -> Result<Namespace> {
        self.catalog.create_namespace(namespace, properties).await
    }

    async fn get_namespace(&self, namespace: &NamespaceIdent) -> Result<Namespace> {
        self.catalog.get_namespace(namespace).await
    }

    async fn namespace_exists(&self, namespace: &NamespaceIdent) -> Result<bool> {
        self.catalog.namespace_exists(namespace).await
    }

    async fn update_namespace(
        &self,
        namespace: &NamespaceIdent,
        properties: HashMap<String, String>,
    ) -> Result<()> {
        self.catalog.update_namespace(namespace, properties).await
    }

    async fn drop_namespace(&self, namespace: &NamespaceIdent) -> Result<()> {
        self.catalog.drop_namespace(namespace).await
    }

    async fn list_tables(&self, namespace: &NamespaceIdent) -> Result<Vec<TableIdent>> {
        self.catalog.list_tables(namespace).await
    }

    async fn create_table(
        &self,
        namespace: &NamespaceIdent,
        creation: TableCreation,
    ) -> Result<Table> {
        self.catalog.create_table(namespace, creation).await
    }

    async fn drop_table(&self, table: &TableIdent) -> Result<()> {
        self.catalog.drop_table(table).await
    }

    async fn purge_table(&self, table: &TableIdent) -> Result<()> {
        self.catalog.purge_table(table).await
    }

    async fn table_exists(&self, table: &TableIdent) -> Result<bool> {
        self.catalog.table_exists(table).await
    }

    async fn rename_table(&self, source: &TableIdent, target: &TableIdent) -> Result<()> {
        self.catalog.rename_table(source, target).await
    }

    async fn register_table(&self, table: &TableIdent, location: String) -> Result<Table> {
        self.catalog.register_table(table, location).await
    }
}
