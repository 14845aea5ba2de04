//! The checks of CreateEventSourceMapping and UpdateEventSourceMapping, in the order in which the
//! service makes them.

use super::mapping::{Mapping, Origin};
use super::registry::{ChangedMapping, EventSources, NewMapping};
use super::supervisor::has_consumer;
use crate::engine::Stream;
use crate::model::event_source::{
    Changes, CreateRequest, Destination, FunctionArn, Refusal, Settings, Source, StartRequest,
    StartingPosition,
};
use crate::model::{AccountRegion, StreamArn};
use crate::world::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

/// Looks up a stream by its ARN. Returns None if the stream does not exist.
pub type FindStream<'a> = &'a dyn Fn(&StreamArn) -> Option<Arc<Stream>>;

impl EventSources {
    /// Creates the mapping that a CreateEventSourceMapping request describes.
    ///
    /// # Errors
    /// Returns the refusal of the first check that fails. The checks are, in this order:
    /// - the source ARN, the function and the starting position,
    /// - for a request to Lambda's API, the existence of the stream or consumer,
    /// - the settings, the on-failure destination and the filters,
    /// - the existence of a mapping with the same source and function.
    pub fn create_by_request(
        &self,
        scope: &AccountRegion,
        request: &CreateRequest,
        (origin, uuid): (Origin, Option<Uuid>),
        find: FindStream<'_>,
    ) -> Result<ChangedMapping, Refusal> {
        loop {
            let created = self.try_create(scope, request, (origin, uuid), find)?;
            if let Some(created) = created {
                return Ok(created);
            }
        }
    }

    /// Creates the mapping of a request. Returns `None` and creates nothing if a reset or the load
    /// of a snapshot overlaps the checks.
    fn try_create(
        &self,
        scope: &AccountRegion,
        request: &CreateRequest,
        (origin, uuid): (Origin, Option<Uuid>),
        find: FindStream<'_>,
    ) -> Result<Option<ChangedMapping>, Refusal> {
        let now = self.context().world.clock.now();
        let source = source_of(request.source.as_deref().unwrap_or_default())?;
        let function = request.changes.function.as_deref().unwrap_or_default();
        let function = self.function(function, scope)?;
        let position = starting_position(&request.start, now)?;
        let replacements = self.replacements();
        let stream = find(source.stream());
        let is_there = stream
            .as_ref()
            .is_some_and(|stream| has_consumer(&source, stream));
        if !is_there && origin == Origin::Api {
            return Err(Refusal::no_stream(&source.to_string()));
        }
        let settings = request.changes.applied_to(&Settings::default())?;
        self.check_destination(&request.changes, &settings, &source, origin)?;
        let new = NewMapping {
            scope: scope.clone(),
            position,
            function,
            settings,
            enabled: request.changes.enabled.unwrap_or(true),
            tags: request.tags.clone(),
            origin,
            uuid,
            source: source.clone(),
        };
        let created = self.create(new, stream.filter(|_| is_there), replacements)?;
        let Some(created) = created else {
            return Ok(None);
        };
        // The stream may have been created or deleted after it was looked up above.
        match (find(source.stream()), created.mapping.stream()) {
            (Some(stream), _) => self.stream_changed(&stream),
            (None, Some(stream)) => self.stream_gone(&stream),
            (None, None) => {}
        }
        Ok(Some(created))
    }

    /// Applies the changes of an UpdateEventSourceMapping request to a mapping.
    ///
    /// # Errors
    /// Returns the refusal of the first check that fails.
    pub fn update_by_request(
        &self,
        mapping: &Arc<Mapping>,
        changes: &Changes,
    ) -> Result<ChangedMapping, Refusal> {
        let function = changes.function.as_deref();
        let function = function.map(|text| self.function(text, &mapping.scope));
        self.update(mapping, changes, function.transpose(), |settings| {
            self.check_destination(changes, settings, &mapping.source, mapping.origin)
        })
    }

    /// Restarts a mapping from the position in `start`. If `start` contains no position, restarts
    /// the mapping from its starting position.
    ///
    /// # Errors
    /// Returns a refusal if the position and the timestamp in `start` contradict each other, or if
    /// the timestamp is in the future.
    pub fn reset_by_request(
        &self,
        mapping: &Arc<Mapping>,
        start: &StartRequest,
    ) -> Result<(), Refusal> {
        let now = self.context().world.clock.now();
        let position = match start {
            StartRequest {
                position: None,
                timestamp_ms: None,
            } => None,
            start => Some(starting_position(start, now)?),
        };
        self.reset(mapping, position);
        Ok(())
    }

    /// Resolves the name or ARN of a function. Returns a refusal if the function is not configured.
    pub(super) fn function(
        &self,
        text: &str,
        scope: &AccountRegion,
    ) -> Result<FunctionArn, Refusal> {
        let function = FunctionArn::resolve(text, scope)?;
        if self.has_function(&function) {
            Ok(function)
        } else {
            Err(Refusal::no_function())
        }
    }

    pub(super) fn check_destination(
        &self,
        changes: &Changes,
        settings: &Settings,
        source: &Source,
        origin: Origin,
    ) -> Result<(), Refusal> {
        if changes.on_success {
            return Err(Refusal::on_success());
        }
        let Some(text) = &settings.on_failure else {
            return Ok(());
        };
        let refused = |reason: &str| Err(Refusal::invalid(format!("{reason}: {text}")));
        match Destination::parse(text) {
            None => refused("Invalid on-failure destination"),
            Some(destination) if destination.is_fifo() => {
                refused("FIFO queues and topics cannot be on-failure destinations")
            }
            Some(Destination::File(_)) if origin == Origin::Api => {
                refused("Only options can name a file as on-failure destination")
            }
            Some(Destination::Kinesis(stream)) if stream == *source.stream() => {
                refused("A stream cannot be the on-failure destination of its own mapping")
            }
            Some(Destination::Kinesis(_)) if !self.context().own_stream_destinations => {
                refused("A stream cannot be an on-failure destination")
            }
            Some(destination) => {
                if !self.context().outbound.deliver.has_endpoint(&destination) {
                    tracing::warn!(
                        destination = text,
                        "no --destination has an endpoint for this: discarded batches are only \
                         listed under /_minikin/event-sources"
                    );
                }
                Ok(())
            }
        }
    }
}

pub(super) fn source_of(text: &str) -> Result<Source, Refusal> {
    Source::parse(text).ok_or_else(Refusal::unrecognized_source)
}

fn starting_position(start: &StartRequest, now: Timestamp) -> Result<StartingPosition, Refusal> {
    match (start.position.as_deref(), start.timestamp_ms) {
        (None, _) => Err(Refusal::no_starting_position()),
        (Some("AT_TIMESTAMP"), None) => Err(Refusal::no_timestamp()),
        (Some("AT_TIMESTAMP"), Some(ms)) if ms > now.millis() => {
            Err(Refusal::future_timestamp(ms, now.millis()))
        }
        // The service drops the milliseconds of the timestamp, as a recording shows.
        (Some("AT_TIMESTAMP"), Some(ms)) => Ok(StartingPosition::AtTimestamp(ms.div_euclid(1000))),
        (Some(_), Some(_)) => Err(Refusal::needless_timestamp()),
        (Some("LATEST"), None) => Ok(StartingPosition::Latest),
        (Some(_), None) => Ok(StartingPosition::TrimHorizon),
    }
}
