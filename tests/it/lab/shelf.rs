//! Destinations of channels that are not there: their checks answer what a test sets.

use minikin::internals::engine::channel::{DestinationError, Destinations, ObjectPut};
use minikin::internals::engine::event_source::Pending;
use minikin::internals::lock::Lock;
use minikin::internals::model::channel::ChannelSettings;
use std::sync::Arc;
use tokio::sync::watch;

/// Destinations whose checks answer what a test sets.
#[derive(Debug)]
pub(crate) struct Shelf {
    check: Lock<Result<(), String>>,
    /// A check waits until this is true.
    pub(crate) is_open: watch::Sender<bool>,
}

impl Shelf {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            check: Lock::new(Ok(())),
            is_open: watch::Sender::new(true),
        })
    }

    pub(crate) fn set_check(&self, check: Result<(), &str>) {
        *self.check.lock() = check.map_err(str::to_owned);
    }
}

impl Destinations for Shelf {
    fn check(&self, _settings: &ChannelSettings) -> Pending<Result<(), String>> {
        let mut is_open = self.is_open.subscribe();
        let check = self.check.lock().clone();
        Box::pin(async move {
            let _opened = is_open.wait_for(|is_open| *is_open).await;
            check
        })
    }

    fn put(&self, _object: ObjectPut) -> Pending<Result<(), DestinationError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
