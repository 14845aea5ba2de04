//! The destinations that channels write to: buckets and tables.

use super::buckets::Buckets;
use super::tables::Tables;
use crate::engine::channel::{
    DestinationError, Destinations, ObjectHead, ObjectWriter, OpenTable, not_configured,
};
use crate::engine::event_source::Pending;
use crate::model::ChannelArn;
use crate::model::channel::{ChannelSettings, Destination, DestinationKind};
use crate::options::ChannelOptions;
use crate::world::Random;
use std::future::ready;

/// The buckets and tables that the options define as destinations of channels.
#[derive(Debug)]
pub(crate) struct ChannelDestinations {
    buckets: Option<Buckets>,
    tables: Tables,
}

impl ChannelDestinations {
    /// Makes destinations from `buckets` and from the tables that `options` define.
    pub(crate) fn new(buckets: Option<Buckets>, options: &ChannelOptions, random: &Random) -> Self {
        let server = buckets.as_ref().and_then(Buckets::as_server).cloned();
        Self {
            buckets,
            tables: Tables::new(options, server, random),
        }
    }

    fn buckets(&self) -> Result<&Buckets, String> {
        let missing = || not_configured(DestinationKind::S3);
        self.buckets.as_ref().ok_or_else(missing)
    }
}

impl Destinations for ChannelDestinations {
    fn check(&self, settings: &ChannelSettings) -> Pending<Result<(), String>> {
        let records = match &settings.destination {
            Destination::S3(destination) => Some(&destination.bucket),
            Destination::S3Tables(_) => None,
        };
        let is_table = records.is_none();
        if let Some(reason) = self.tables.problem().filter(|_| is_table) {
            return Box::pin(ready(Err(reason.to_owned())));
        }
        let buckets = match self.buckets() {
            Ok(buckets) => buckets,
            Err(reason) if is_table => {
                let reason = format!("The dead-letter bucket cannot be written. {reason}");
                return Box::pin(ready(Err(reason)));
            }
            Err(reason) => return Box::pin(ready(Err(reason))),
        };
        let used = records.into_iter().chain([&settings.dead_letters.bucket]);
        let checks: Vec<_> = used
            .map(|bucket| buckets.check(bucket, &settings.role))
            .collect();
        Box::pin(async move {
            for check in checks {
                check.await?;
            }
            Ok(())
        })
    }

    fn begin(&self, object: ObjectHead) -> Result<Box<dyn ObjectWriter>, DestinationError> {
        let buckets = self.buckets().map_err(DestinationError::NotConfigured)?;
        buckets.begin(object)
    }

    fn create_table(
        &self,
        channel: &ChannelArn,
        settings: &ChannelSettings,
    ) -> Pending<Result<(), DestinationError>> {
        match &settings.destination {
            Destination::S3Tables(table) => self.tables.create(channel, settings, table),
            Destination::S3(_) => Box::pin(ready(Err(no_table()))),
        }
    }

    fn open_table(
        &self,
        channel: &ChannelArn,
        settings: &ChannelSettings,
    ) -> Pending<Result<OpenTable, DestinationError>> {
        match &settings.destination {
            Destination::S3Tables(table) => self.tables.open(channel, settings, table),
            Destination::S3(_) => Box::pin(ready(Err(no_table()))),
        }
    }
}

fn no_table() -> DestinationError {
    DestinationError::Refused("The channel writes objects, not a table.".to_owned())
}
