//! The storage of the files of tables in REST catalogs: local files, and objects of the server that
//! the option `channels.s3.endpoint` names. The scheme of a location chooses between them.

use crate::engine::channel::DestinationError;
use crate::outbound::s3_files::{S3Files, is_s3};
use crate::outbound::spool::Spool;
use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use iceberg::io::{
    FileMetadata, FileRead, FileWrite, InputFile, LocalFsStorage, OutputFile, Storage,
    StorageConfig, StorageFactory,
};
use iceberg::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::future::poll_fn;
use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;

/// The storage of the files of tables. The Iceberg library requires a type that can be serialized.
/// The serialized form does not contain the server.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct TableFiles {
    local: LocalFsStorage,
    #[serde(skip)]
    server: Option<S3Files>,
}

impl TableFiles {
    pub(super) fn new(server: Option<S3Files>) -> Self {
        Self {
            local: LocalFsStorage,
            server,
        }
    }

    /// True if a server is configured. Without a server, objects cannot be read or written.
    pub(super) const fn has_server(&self) -> bool {
        self.server.is_some()
    }

    /// Returns the server of the file at `path`. Returns `None` for a local file.
    fn server(&self, path: &str) -> Result<Option<&S3Files>> {
        if !is_s3(path) {
            return Ok(None);
        }
        let missing = || {
            Error::new(
                ErrorKind::FeatureUnsupported,
                "no S3 endpoint is configured",
            )
        };
        self.server.as_ref().map(Some).ok_or_else(missing)
    }
}

fn failed(error: DestinationError) -> Error {
    Error::new(ErrorKind::Unexpected, error.to_string())
}

fn missing(path: &str) -> Error {
    Error::new(ErrorKind::DataInvalid, format!("{path} does not exist"))
}

#[typetag::serde]
impl StorageFactory for TableFiles {
    fn build(&self, _config: &StorageConfig) -> Result<Arc<dyn Storage>> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
#[typetag::serde]
impl Storage for TableFiles {
    async fn exists(&self, path: &str) -> Result<bool> {
        match self.server(path)? {
            Some(server) => Ok(server.size(path).await.map_err(failed)?.is_some()),
            None => self.local.exists(path).await,
        }
    }

    async fn metadata(&self, path: &str) -> Result<FileMetadata> {
        let Some(server) = self.server(path)? else {
            return self.local.metadata(path).await;
        };
        let size = server.size(path).await.map_err(failed)?;
        let size = size.ok_or_else(|| missing(path))?;
        Ok(FileMetadata { size })
    }

    async fn read(&self, path: &str) -> Result<Bytes> {
        match self.server(path)? {
            Some(server) => server.read(path, None).await.map_err(failed),
            None => self.local.read(path).await,
        }
    }

    async fn reader(&self, path: &str) -> Result<Box<dyn FileRead>> {
        match self.server(path)? {
            Some(server) => Ok(Box::new(S3Reader {
                server: server.clone(),
                path: path.to_owned(),
            })),
            None => self.local.reader(path).await,
        }
    }

    async fn write(&self, path: &str, content: Bytes) -> Result<()> {
        let mut writer = self.writer(path).await?;
        writer.write(content).await?;
        writer.close().await
    }

    async fn writer(&self, path: &str) -> Result<Box<dyn FileWrite>> {
        match self.server(path)? {
            Some(server) => Ok(Box::new(S3Writer {
                server: server.clone(),
                path: path.to_owned(),
                content: Spool::new(),
            })),
            None => self.local.writer(path).await,
        }
    }

    async fn delete(&self, path: &str) -> Result<()> {
        match self.server(path)? {
            Some(server) => server.delete(path).await.map_err(failed),
            None => self.local.delete(path).await,
        }
    }

    async fn delete_prefix(&self, path: &str) -> Result<()> {
        match self.server(path)? {
            Some(_) => Err(Error::new(
                ErrorKind::FeatureUnsupported,
                "objects are deleted one by one",
            )),
            None => self.local.delete_prefix(path).await,
        }
    }

    async fn delete_stream(&self, mut paths: BoxStream<'static, String>) -> Result<()> {
        while let Some(path) = poll_fn(|context| paths.as_mut().poll_next(context)).await {
            self.delete(&path).await?;
        }
        Ok(())
    }

    fn new_input(&self, path: &str) -> Result<InputFile> {
        Ok(InputFile::new(Arc::new(self.clone()), path.to_owned()))
    }

    fn new_output(&self, path: &str) -> Result<OutputFile> {
        Ok(OutputFile::new(Arc::new(self.clone()), path.to_owned()))
    }
}

/// Reads ranges of an object.
#[derive(Debug)]
struct S3Reader {
    server: S3Files,
    path: String,
}

#[async_trait]
impl FileRead for S3Reader {
    async fn read(&self, range: Range<u64>) -> Result<Bytes> {
        let read = self.server.read(&self.path, Some(range));
        read.await.map_err(failed)
    }
}

/// Collects the bytes of an object, and sends them when the writer is closed.
#[derive(Debug)]
struct S3Writer {
    server: S3Files,
    path: String,
    content: Spool,
}

#[async_trait]
impl FileWrite for S3Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let written = self.content.write_all(&bytes);
        written.map_err(|error| failed(error.into()))
    }

    async fn close(&mut self) -> Result<()> {
        let content = std::mem::replace(&mut self.content, Spool::new());
        let written = self.server.write(&self.path, content).await;
        written.map_err(failed)
    }
}
