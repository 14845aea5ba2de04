//! The name of a stream in messages.

use crate::model::StreamArn;

/// The stream's name and account in the words of most messages, even when the request gave an ARN.
pub(super) fn named(stream: &StreamArn) -> String {
    format!("{} under account {}", stream.name, stream.scope.account)
}
