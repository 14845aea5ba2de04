//! Replaces `tables` in a build without the cargo feature `streaming-tables`: no channel can write
//! to a table.

use super::buckets::Server;
use crate::engine::channel::{DestinationError, OpenTable, not_configured};
use crate::engine::event_source::Pending;
use crate::model::ChannelArn;
use crate::model::channel::{ChannelSettings, DestinationKind, TableDestination};
use crate::options::ChannelOptions;
use crate::world::Random;
use std::future::ready;
use std::sync::Arc;

/// Stands for the tables that the options define. Every use of a table fails, with the reason.
#[derive(Debug)]
pub(super) struct Tables {
    reason: String,
}

impl Tables {
    pub(super) fn new(
        options: &ChannelOptions,
        _server: Option<Arc<Server>>,
        _random: &Random,
    ) -> Self {
        let is_configured =
            options.s3tables_local_dir.is_some() || options.s3tables_rest_catalog.is_some();
        let reason = match is_configured {
            true => "This build of minikin writes no tables: it was built without the cargo \
                feature streaming-tables."
                .to_owned(),
            false => not_configured(DestinationKind::S3Tables),
        };
        Self { reason }
    }

    /// The reason why no channel can write to a table.
    pub(super) fn problem(&self) -> Option<&str> {
        Some(&self.reason)
    }

    pub(super) fn create(
        &self,
        _channel: &ChannelArn,
        _settings: &ChannelSettings,
        _table: &TableDestination,
    ) -> Pending<Result<(), DestinationError>> {
        Box::pin(ready(Err(self.error())))
    }

    pub(super) fn open(
        &self,
        _channel: &ChannelArn,
        _settings: &ChannelSettings,
        _table: &TableDestination,
    ) -> Pending<Result<OpenTable, DestinationError>> {
        Box::pin(ready(Err(self.error())))
    }

    fn error(&self) -> DestinationError {
        DestinationError::NotConfigured(self.reason.clone())
    }
}
