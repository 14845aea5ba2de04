//! A stream in the words of messages.

use crate::model::StreamArn;

/// The stream as most messages name it, also when the request named it by ARN.
pub(super) fn named(stream: &StreamArn) -> String {
    format!("{} under account {}", stream.name, stream.scope.account)
}
