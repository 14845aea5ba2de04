//! KMS keys. There is no key service here: every key is usable unless an option makes it unusable,
//! so that clients can be tested with each KMS error.

use super::context::Context;
use crate::engine::Stream;
use crate::error::{Error, Kind};
use crate::model::KeyState;

/// Refuses a key that the configuration makes unusable.
pub(super) fn check_key(context: &Context, key: &str) -> Result<(), Error> {
    let kind = match context.engine.keys().get(key) {
        None => return Ok(()),
        Some(KeyState::Disabled) => Kind::KMSDisabledException,
        Some(KeyState::Pending) => Kind::KMSInvalidStateException,
        Some(KeyState::Denied) => Kind::KMSAccessDeniedException,
        Some(KeyState::Missing) => Kind::KMSNotFoundException,
        Some(KeyState::OptIn) => Kind::KMSOptInRequired,
        Some(KeyState::Throttled) => Kind::KMSThrottlingException,
    };
    Err(Error::key_unusable(kind, key))
}

/// Refuses the use of an encrypted stream whose key is unusable.
pub(super) fn check_stream_key(context: &Context, stream: &Stream) -> Result<(), Error> {
    if context.engine.keys().is_empty() {
        return Ok(());
    }
    match stream.snapshot().key_id {
        Some(key) => check_key(context, &key),
        None => Ok(()),
    }
}
