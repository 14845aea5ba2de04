//! Destinations of channels that are not there: their checks answer what a test sets.

use minikin::internals::engine::channel::{
    DestinationError, Destinations, ObjectHead, ObjectWriter,
};
use minikin::internals::engine::event_source::Pending;
use minikin::internals::lock::Lock;
use minikin::internals::model::channel::ChannelSettings;
use std::io::{self, Write};
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

    fn begin(&self, _object: ObjectHead) -> Result<Box<dyn ObjectWriter>, DestinationError> {
        Ok(Box::new(Forgotten(0)))
    }
}

/// An object that is accepted and forgotten; its bytes so far.
#[derive(Debug)]
struct Forgotten(u64);

impl Write for Forgotten {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ObjectWriter for Forgotten {
    fn finish(self: Box<Self>) -> Pending<Result<u64, DestinationError>> {
        Box::pin(std::future::ready(Ok(self.0)))
    }
}
