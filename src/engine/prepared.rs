//! Streams that no request finds yet, so that they can be filled before.
//!
//! The setup registers the consumers of a prepared stream and puts its records. The catalog entry of
//! the stream becomes durable only afterwards. Therefore a crash leaves either the whole stream or
//! no part of it: the next start deletes records whose stream is not in the catalog.

use super::core::Engine;
use super::creation::{CreateError, NewStream};
use super::stream::Stream;
use crate::model::StreamArn;
use std::sync::Arc;

/// Streams that no request finds yet. Dropping this value deletes the streams and their records.
pub(crate) struct PreparedStreams {
    engine: Arc<Engine>,
    streams: Vec<Arc<Stream>>,
}

impl PreparedStreams {
    pub(crate) const fn new(engine: Arc<Engine>) -> Self {
        let streams = Vec::new();
        Self { engine, streams }
    }

    /// Prepares a further stream.
    ///
    /// # Errors
    /// Returns the reason if the engine refuses the stream.
    pub(crate) fn prepare(
        &mut self,
        arn: StreamArn,
        new: NewStream,
    ) -> Result<Arc<Stream>, CreateError> {
        let stream = self.engine.prepare_stream(arn, new)?;
        self.streams.push(stream.clone());
        Ok(stream)
    }

    /// Adds all prepared streams to their accounts, except the streams whose names are taken. Such a
    /// stream is deleted. Returns the added streams when they are as durable as the `durability`
    /// option promises. After a crash, either all or none of them exist.
    ///
    /// # Errors
    /// Returns a refused stream, and the reason. In this case no stream is added.
    pub(crate) async fn add_new(&mut self) -> Result<Vec<Arc<Stream>>, (Arc<Stream>, CreateError)> {
        loop {
            match self.add().await {
                Err((taken, CreateError::Exists)) => self.delete(&taken),
                added => return added,
            }
        }
    }

    /// Adds all prepared streams to their accounts. Returns the streams when they are durable.
    async fn add(&mut self) -> Result<Vec<Arc<Stream>>, (Arc<Stream>, CreateError)> {
        let Some(first) = self.streams.first().cloned() else {
            return Ok(Vec::new());
        };
        let begun = self.engine.begin_add(&self.streams);
        let ticket = begun.map_err(|(at, error)| (self.streams[at].clone(), error))?;
        let streams = std::mem::take(&mut self.streams);
        let added = self.engine.finish_add(streams.clone(), ticket).await;
        added.map(|()| streams).map_err(|error| (first, error))
    }

    fn delete(&mut self, stream: &Arc<Stream>) {
        self.streams.retain(|other| !Arc::ptr_eq(other, stream));
        stream.look(|state| state.delete_logs(&self.engine.store));
    }
}

impl Engine {
    /// Creates a stream. Returns when the stream is as durable as the `durability` option promises.
    ///
    /// # Errors
    /// Returns the reason if the stream is refused or cannot be saved. In that case the engine does
    /// not keep any part of the stream.
    pub async fn create(
        self: &Arc<Self>,
        arn: StreamArn,
        new: NewStream,
    ) -> Result<(), CreateError> {
        let mut prepared = PreparedStreams::new(self.clone());
        prepared.prepare(arn, new)?;
        let added = prepared.add().await;
        added.map(drop).map_err(|(_, error)| error)
    }
}

impl Drop for PreparedStreams {
    fn drop(&mut self) {
        for stream in std::mem::take(&mut self.streams) {
            self.delete(&stream);
        }
    }
}
