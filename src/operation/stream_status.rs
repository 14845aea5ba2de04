//! Checks of a stream's status before the stream is changed.

use crate::engine::StreamState;
use crate::error::Error;
use crate::model::{StreamArn, StreamStatus};

/// Refuses a change unless the stream is ACTIVE.
pub(super) fn check_active(arn: &StreamArn, state: &StreamState) -> Result<(), Error> {
    match state.status {
        StreamStatus::Active => Ok(()),
        status => Err(Error::stream_not_active(arn, status)),
    }
}

/// Refuses a change of tags or policies while the stream is CREATING or DELETING.
pub(super) fn check_settled(arn: &StreamArn, state: &StreamState) -> Result<(), Error> {
    match state.status {
        status @ (StreamStatus::Creating | StreamStatus::Deleting) => {
            Err(Error::stream_not_active(arn, status))
        }
        StreamStatus::Active | StreamStatus::Updating => Ok(()),
    }
}
