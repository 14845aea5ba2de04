//! Replaces `tables` in a build without the cargo feature `streaming-tables`: no channel can write
//! to a table.

use super::buckets::Server;
use crate::engine::channel::{DestinationError, OpenTable};
use crate::engine::event_source::Pending;
use crate::model::ChannelArn;
use crate::model::channel::{ChannelSettings, TableDestination};
use crate::options::ChannelOptions;
use crate::world::Random;
use std::future::ready;
use std::sync::Arc;

/// The reason why no channel can write to a table.
const REASON: &str = "This build of minikin writes no tables: it was built without the cargo \
                      feature streaming-tables.";

/// Stands for the tables that the options define. Every use of a table fails, with the reason.
#[derive(Debug)]
pub(super) struct Tables;

impl Tables {
    pub(super) fn new(
        _options: &ChannelOptions,
        _server: Option<Arc<Server>>,
        _random: &Random,
    ) -> Self {
        Self
    }

    /// The reason why no channel can write to a table.
    pub(super) fn problem(&self) -> Option<&str> {
        Some(REASON)
    }

    pub(super) fn create(
        &self,
        _channel: &ChannelArn,
        _settings: &ChannelSettings,
        _table: &TableDestination,
    ) -> Pending<Result<(), DestinationError>> {
        Box::pin(ready(Err(no_tables())))
    }

    pub(super) fn open(
        &self,
        _channel: &ChannelArn,
        _settings: &ChannelSettings,
        _table: &TableDestination,
    ) -> Pending<Result<OpenTable, DestinationError>> {
        Box::pin(ready(Err(no_tables())))
    }
}

fn no_tables() -> DestinationError {
    DestinationError::NotConfigured(REASON.to_owned())
}
