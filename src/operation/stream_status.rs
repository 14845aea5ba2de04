//! Checks of a stream's status before it is changed.

use crate::engine::State;
use crate::error::Error;
use crate::model::{StreamArn, StreamStatus};

/// A stream is changed in one way at a time.
pub(super) fn check_active(arn: &StreamArn, state: &State) -> Result<(), Error> {
    match state.status {
        StreamStatus::Active => Ok(()),
        status => Err(Error::stream_not_active(arn, status)),
    }
}

/// Tags and policies wait until a stream is there and end when it goes.
pub(super) fn check_settled(arn: &StreamArn, state: &State) -> Result<(), Error> {
    match state.status {
        status @ (StreamStatus::Creating | StreamStatus::Deleting) => {
            Err(Error::stream_not_active(arn, status))
        }
        StreamStatus::Active | StreamStatus::Updating => Ok(()),
    }
}
