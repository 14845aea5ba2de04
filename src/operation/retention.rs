//! The common code of the operations that change a stream's retention period.

use super::context::Context;
use super::stream_status::check_active;
use crate::engine::{PendingChange, Stream};
use crate::error::Error;
use crate::limits;
use std::sync::Arc;

/// Sets the retention period of a stream to `hours`. `check` gets the new and the present period in
/// hours, and may refuse the new period. Setting the present period again has no effect, but is no
/// error: deployment tools rely on this.
pub(super) async fn set_retention(
    context: &Context,
    stream: &Arc<Stream>,
    hours: i32,
    check: impl FnOnce(u32, u32) -> Result<(), Error>,
) -> Result<(), Error> {
    let hours = check_hours(hours)?;
    let updated = context.engine.update(stream, |state, _| {
        check(hours, state.settings.retention_hours)?;
        check_active(&stream.arn, state)?;
        let mut settings = state.settings.clone();
        settings.retention_hours = hours;
        let changes = settings != state.settings;
        Ok::<_, Error>(changes.then_some(PendingChange {
            settings,
            resharding: None,
        }))
    });
    updated.await
}

/// Checks that a retention period in hours is within the service's bounds. Returns the period.
pub(super) fn check_hours(hours: i32) -> Result<u32, Error> {
    if hours < limits::MIN_RETENTION_HOURS {
        return Err(Error::retention_too_short(
            hours,
            limits::MIN_RETENTION_HOURS,
        ));
    }
    if hours > limits::MAX_RETENTION_HOURS {
        return Err(Error::retention_too_long(
            hours,
            limits::MAX_RETENTION_HOURS,
        ));
    }
    Ok(u32::try_from(hours).expect("at least a day"))
}
