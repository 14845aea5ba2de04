//! The name of a stream in messages.

use crate::model::StreamArn;

/// Formats the stream's name and account as most messages do, even when the request gave an ARN.
pub(super) fn named(stream: &StreamArn) -> String {
    format!("{} under account {}", stream.name, stream.scope.account)
}
