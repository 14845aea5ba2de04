//! The functions that event source mappings invoke, and the destinations of failure records.

use crate::engine::Engine;
use crate::engine::event_source::{Function, Outbound, Pending};
use crate::model::{HashKey, NewRecord, StreamArn};
use crate::options::{FunctionSetting, Options, OptionsError};
use crate::outbound::{AddressError, Destinations, HttpFunctions, OwnStreams};
use crate::world::Clock;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, Weak};

/// Combines the functions and destinations that the options define with `own_functions`, the
/// functions of this process.
pub(super) fn outbound(
    options: &Options,
    functions: &[FunctionSetting],
    own_functions: BTreeMap<String, Function>,
    clock: &Clock,
    own: Arc<OwnPuts>,
) -> Result<Outbound, OptionsError> {
    let refused = |error: AddressError| OptionsError::EventSource(error.to_string());
    let functions = HttpFunctions::new(functions, own_functions, clock);
    let destinations = Destinations::new(
        &options.destination,
        options.destination_credential.as_ref(),
        (&options.region, clock),
        own,
    );
    Ok(Outbound {
        functions: Arc::new(functions.map_err(refused)?),
        deliver: Arc::new(destinations.map_err(refused)?),
    })
}

/// Puts failure records into streams of the engine. The engine needs this value at its start, so
/// the value is made before the engine. `set` stores the engine in the value afterwards.
#[derive(Debug, Default)]
pub(super) struct OwnPuts(OnceLock<Weak<Engine>>);

impl OwnPuts {
    pub(super) fn set(&self, engine: &Arc<Engine>) {
        let _first = self.0.set(Arc::downgrade(engine));
    }
}

impl OwnStreams for OwnPuts {
    fn put(&self, stream: StreamArn, key: String, data: Bytes) -> Pending<Result<(), String>> {
        let engine = self.0.get().and_then(Weak::upgrade);
        Box::pin(async move {
            let engine = engine.ok_or("the emulator stops")?;
            let found = engine.find(&stream.scope, &stream.name);
            let found = found.ok_or_else(|| format!("there is no stream {stream}"))?;
            let takes_turns = found.put_settings().auto_distribution;
            let record = NewRecord {
                hash_key: (!takes_turns).then(|| HashKey::of_partition_key(&key)),
                partition_key: Some(key.into()),
                data,
            };
            let put = found.put_one(&engine, record).await;
            put.map(drop).map_err(|failure| format!("{failure:?}"))
        })
    }
}
