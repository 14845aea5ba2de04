//! KMS keys. There is no key service here: every key is usable unless an option makes it unusable,
//! so that clients can be tested with each KMS error.

use super::context::Context;
use crate::engine::Stream;
use crate::error::{Error, KeyPurpose, KeyUse};
use crate::model::StreamArn;

/// Refuses a key that an option makes unusable.
pub(super) fn check_key(
    context: &Context,
    key: &str,
    stream: &StreamArn,
    purpose: KeyPurpose,
) -> Result<(), Error> {
    let Some(state) = context.engine.keys().get(key) else {
        return Ok(());
    };
    let user = context.user_arn();
    let attempt = KeyUse {
        user: &user,
        key,
        stream,
        purpose,
    };
    Err(Error::key_unusable(*state, &attempt))
}

/// Refuses to read or write an encrypted stream whose key is unusable.
pub(super) fn check_stream_key(
    context: &Context,
    stream: &Stream,
    purpose: KeyPurpose,
) -> Result<(), Error> {
    if context.engine.keys().is_empty() {
        return Ok(());
    }
    match stream.look(|state| state.settings.key_id.clone()) {
        Some(key) => check_key(context, &key, &stream.arn, purpose),
        None => Ok(()),
    }
}
