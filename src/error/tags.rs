//! Errors about tags: forbidden characters, reserved keys, and too many tags.

use super::exception::{Error, Kind};
use crate::model::{AccountId, AccountRegion, StreamArn};
use std::fmt;

/// The owner of the tags that a message is about. The text of this value names the owner in the
/// message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TagOwner<'a> {
    kind: &'static str,
    name: &'a str,
    account: AccountId,
}

impl<'a> TagOwner<'a> {
    /// Creates the owner for the tags of a stream. Messages about the tags of a new consumer name
    /// the consumer's stream as the owner.
    pub(crate) fn stream(arn: &'a StreamArn) -> Self {
        Self {
            kind: "stream",
            name: &arn.name,
            account: arn.scope.account,
        }
    }

    /// Creates the owner for the tags of a queue. The queue need not exist yet. Messages about tags
    /// were recorded only for streams, so the word "queue" in a message is a choice.
    pub(crate) fn queue(scope: &AccountRegion, name: &'a str) -> Self {
        Self {
            kind: "queue",
            name,
            account: scope.account,
        }
    }

    /// Creates the owner for the tags of a channel. The channel need not exist yet. Messages about
    /// tags were recorded only for streams, so the word "channel" in a message is a choice.
    pub(crate) fn channel(scope: &AccountRegion, name: &'a str) -> Self {
        Self {
            kind: "channel",
            name,
            account: scope.account,
        }
    }

    /// Creates the owner for the tags of a resource that the request names by the ARN `arn`.
    pub(crate) fn resource(arn: &'a str, account: AccountId) -> Self {
        Self {
            kind: "resource",
            name: arn,
            account,
        }
    }
}

impl fmt::Display for TagOwner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} under account {}",
            self.kind, self.name, self.account
        )
    }
}

impl Error {
    /// A tag contains a character that the service does not allow in tags. The service makes this
    /// check before its other checks of tags.
    pub(crate) fn tag_characters() -> Self {
        Kind::InvalidArgumentException.says(
            "Some tags contain invalid characters. Valid characters: Unicode letters, digits, \
             white space, _ . / = + - % @.",
        )
    }

    /// The key of a tag has the reserved prefix `aws:`. The message was recorded for
    /// AddTagsToStream and TagResource in September 2026 (radkawar/stackd,
    /// testdata/aws/kinesis/controls.json).
    pub(crate) fn tag_key_reserved() -> Self {
        Kind::InvalidArgumentException.says(
            "Some tag keys in the request started with 'aws:'. System tags cannot be modified.",
        )
    }

    /// A tag contains a `%`. The service's first check of characters (`Error::tag_characters`)
    /// accepts a `%`, but its second check refuses a `%` with this message. `verb` and
    /// `preposition` are words of the message, such as `add` and `to`.
    pub(crate) fn tags_illegal(verb: &str, preposition: &str, owner: TagOwner<'_>) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "Failed to {verb} tags {preposition} {owner} because some tags contained illegal \
             characters. The allowed characters are Unicode letters, \
             white-spaces, '_',',','/','=','+','-','@'."
        ))
    }

    /// The resource would have more tags than the limit. For a stream the service's message says
    /// 10, although the limit is 50. The message for a resource named by its ARN was recorded for
    /// TagResource in September 2026 (radkawar/stackd, testdata/aws/kinesis/controls.json).
    pub(crate) fn too_many_tags(owner: TagOwner<'_>) -> Self {
        let kind = owner.kind;
        let most = if kind == "resource" { 50 } else { 10 };
        Kind::InvalidArgumentException.says(format!(
            "Failed to add tags to {owner} because a given {kind} cannot have more than {most} tags \
             associated with it."
        ))
        .by(["tags"])
    }
}
