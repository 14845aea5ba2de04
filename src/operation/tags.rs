//! Conversion of tags from requests and to answers, and the changes of a resource's tags.

use super::context::Context;
use super::present::present;
use super::shapes::{TagKeyList, TagMap};
use crate::error::{Error, TagOwner};
use crate::model::{TagFault, Tags};
use crate::wire::{Present, output};

output! {
    /// A tag in an answer: a key and a value.
    pub struct Tag {
        "Key" => key: String,
        "Value" => value: String,
    }
}
present!(Tag);

/// The tags of an answer, sorted by key.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(transparent)]
pub(super) struct TagList(pub(super) Vec<Tag>);

impl Present for TagList {}

impl TagList {
    pub(super) fn of(tags: &Tags) -> Self {
        let tag = |(key, value): (&str, &str)| Tag {
            key: key.into(),
            value: value.into(),
        };
        Self(tags.iter().map(tag).collect())
    }
}

/// Returns the tags of a request as pairs of key and value.
pub(super) fn tag_texts(given: Option<TagMap>) -> Vec<(String, String)> {
    let given = given.map(|tags| tags.0).unwrap_or_default();
    given
        .into_iter()
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

/// Adds the given tags to `tags`. Adds no tag if one of the given tags is refused. The error names
/// `owner`.
pub(super) fn add_tags(
    context: &Context,
    owner: TagOwner<'_>,
    tags: &mut Tags,
    given: &TagMap,
) -> Result<(), Error> {
    let given = given
        .0
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    let added = tags.add(given, context.engine.most_tags());
    added.map_err(|fault| tag_refusal(fault, owner))
}

/// Removes the tags with the given keys from `tags`, or no tag if one key is refused. The error
/// names `owner`.
pub(super) fn remove_tags(
    owner: TagOwner<'_>,
    tags: &mut Tags,
    keys: &TagKeyList,
) -> Result<(), Error> {
    let removed = tags.remove(keys.0.iter().map(|key| key.as_str()));
    removed.map_err(|fault| match fault {
        TagFault::Characters => Error::tag_characters(),
        _ => Error::tags_illegal("remove", "from", owner),
    })
}

/// Returns the error for tags that cannot be added.
pub(super) fn tag_refusal(fault: TagFault, owner: TagOwner<'_>) -> Error {
    match fault {
        TagFault::Characters => Error::tag_characters(),
        TagFault::Reserved => Error::tag_key_reserved(),
        TagFault::Illegal => Error::tags_illegal("add", "to", owner),
        TagFault::TooMany => Error::too_many_tags(owner),
    }
}
