//! The destinations that the channels of an emulator write to.

use crate::engine::channel::{ChannelBehaviour, Destinations};
use crate::options::{Options, OptionsError, Secret};
use crate::outbound::{AddressError, Buckets, ChannelDestinations, S3Endpoint};
use crate::world::{Clock, World};
use std::sync::Arc;

/// Builds the settings of channels from the options. `given`, if present, replaces the destinations
/// that the options define.
pub(super) fn behaviour(
    options: &Options,
    world: &World,
    given: Option<Arc<dyn Destinations>>,
) -> Result<ChannelBehaviour, OptionsError> {
    let refused = |error: AddressError| OptionsError::Channels(error.to_string());
    let buckets = buckets(options, &world.clock).map_err(refused)?;
    let defined = || ChannelDestinations::new(buckets, &options.channels, &world.random);
    Ok(ChannelBehaviour {
        destinations: given.unwrap_or_else(|| Arc::new(defined())),
        flush_interval_ms: options.channels.flush_interval(),
        max_object_bytes: options.channels.max_object_bytes,
    })
}

/// The buckets that the options define. None if the options name neither a directory nor a server
/// for buckets.
fn buckets(options: &Options, clock: &Clock) -> Result<Option<Buckets>, AddressError> {
    let channels = &options.channels;
    if let Some(path) = &channels.s3_local_dir {
        let creates_buckets = channels.s3_create_buckets.0;
        let account = options.account.clone();
        let local = Buckets::local(path.clone(), creates_buckets, account);
        return Ok(Some(local));
    }
    let Some((url, ca)) = channels.s3_server() else {
        return Ok(None);
    };
    let region = channels.s3_region.as_ref().unwrap_or(&options.region);
    let endpoint = S3Endpoint {
        url: url.to_owned(),
        ca: ca.map(Into::into),
        credential: credential(options),
        region: region.clone(),
        path_style: channels.s3_path_style.0,
    };
    Buckets::server(endpoint, clock).map(Some)
}

fn credential(options: &Options) -> Secret {
    let channels = &options.channels;
    let key = channels.s3_access_key_id.as_deref().unwrap_or("minikin");
    let secret = channels.s3_secret_access_key.as_ref();
    let secret = secret.map_or("minikin", |secret| secret.expose());
    Secret::from(format!("{key}:{secret}").as_str())
}
