//! The form in which messages name a stream and its account.

use crate::model::StreamArn;

/// Returns the stream's name and account in the form that most messages have. Messages have this
/// form even if the request named the stream by its ARN.
pub(super) fn named(stream: &StreamArn) -> String {
    format!("{} under account {}", stream.name, stream.scope.account)
}
