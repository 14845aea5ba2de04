//! Simulated destinations of channels. A test sets the results of their checks, and they store the
//! objects in memory.

use minikin::internals::engine::channel::{
    DestinationError, Destinations, ObjectHead, ObjectWriter,
};
use minikin::internals::engine::event_source::Pending;
use minikin::internals::lock::Lock;
use minikin::internals::model::channel::ChannelSettings;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// Destinations with check results that a test sets.
#[derive(Debug)]
pub(crate) struct Shelf {
    check: Lock<Result<(), String>>,
    /// A check waits until this is true.
    pub(crate) is_open: watch::Sender<bool>,
    objects: Arc<Objects>,
}

#[derive(Debug, Default)]
struct Objects {
    /// Keys and contents of the completed objects, in the order of their completion. An object that
    /// was written again is in the list again.
    puts: Lock<Vec<(String, Vec<u8>)>>,
    /// True while no object can be completed.
    is_down: AtomicBool,
}

impl Shelf {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            check: Lock::new(Ok(())),
            is_open: watch::Sender::new(true),
            objects: Arc::default(),
        })
    }

    pub(crate) fn set_check(&self, check: Result<(), &str>) {
        *self.check.lock() = check.map_err(str::to_owned);
    }

    /// Makes later objects fail, or lets them succeed again.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.objects.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Keys and contents of the completed objects, in the order of their completion.
    pub(crate) fn puts(&self) -> Vec<(String, Vec<u8>)> {
        self.objects.puts.lock().clone()
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

    fn begin(&self, object: ObjectHead) -> Result<Box<dyn ObjectWriter>, DestinationError> {
        Ok(Box::new(Object {
            objects: self.objects.clone(),
            key: object.key,
            body: Vec::new(),
        }))
    }
}

/// An object that is being written.
#[derive(Debug)]
struct Object {
    objects: Arc<Objects>,
    key: String,
    body: Vec<u8>,
}

impl Write for Object {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.body.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ObjectWriter for Object {
    fn finish(self: Box<Self>) -> Pending<Result<u64, DestinationError>> {
        if self.objects.is_down.load(Ordering::SeqCst) {
            let down = DestinationError::Unreachable("the shelf is down".to_owned());
            return Box::pin(std::future::ready(Err(down)));
        }
        let length = self.body.len() as u64;
        self.objects.puts.lock().push((self.key, self.body));
        Box::pin(std::future::ready(Ok(length)))
    }
}
