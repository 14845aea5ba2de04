//! The form in which messages name a stream.

use crate::model::StreamArn;

/// The stream's name and account, in the form of most messages. Messages have this form even if the
/// request gave the stream's ARN.
pub(super) fn named(stream: &StreamArn) -> String {
    format!("{} under account {}", stream.name, stream.scope.account)
}
