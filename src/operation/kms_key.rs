//! The state of KMS keys. The emulator has no key service: every key is usable, unless an option
//! gives the key a state such as disabled. Users can thus test their clients with each KMS error.

use super::context::Context;
use crate::engine::Stream;
use crate::error::{Error, KeyPurpose, KeyUse};
use crate::model::StreamArn;

/// Refuses a key that an option declares unusable. A request to start the encryption of a stream
/// (`KeyPurpose::Describe`) is also refused if the ARN of the key names another region than the
/// stream's region.
pub(super) fn check_key(
    context: &Context,
    key: &str,
    stream: &StreamArn,
    purpose: KeyPurpose,
) -> Result<(), Error> {
    let begins = purpose == KeyPurpose::Describe;
    let elsewhere = |region: &&str| begins && *region != stream.scope.region.as_str();
    if let Some(region) = region_of(key).filter(elsewhere) {
        return Err(Error::key_of_other_region(region));
    }
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

/// Returns the region in the ARN of a key or of an alias. `None` if `key` is the id of a key or the
/// name of an alias.
fn region_of(key: &str) -> Option<&str> {
    let mut fields = key.split(':');
    let is_arn = fields.next() == Some("arn") && fields.nth(1) == Some("kms");
    fields.next().filter(|_| is_arn)
}

/// Refuses a read or a write of an encrypted stream whose key is unusable.
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
