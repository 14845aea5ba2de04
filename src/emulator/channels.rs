//! The destinations that the channels of an emulator write to.

use crate::engine::channel::{ChannelBehaviour, Destinations};
use crate::options::ChannelOptions;
use std::sync::Arc;

/// The settings for channels that the options define. `given` replaces the destinations of the
/// options.
pub(super) fn behaviour(
    options: &ChannelOptions,
    given: Option<Arc<dyn Destinations>>,
) -> ChannelBehaviour {
    let unset = ChannelBehaviour::default();
    ChannelBehaviour {
        destinations: given.unwrap_or(unset.destinations),
        flush_interval_ms: options.flush_interval(),
        max_object_bytes: options.max_object_bytes,
    }
}
