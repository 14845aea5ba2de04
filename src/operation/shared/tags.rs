//! Tags, refused in the service's words.

use crate::error::Error;
use crate::model::{StreamArn, TagFault};

/// Why tags are not added to a stream.
pub(in crate::operation) fn tag_refusal(fault: TagFault, stream: &StreamArn) -> Error {
    match fault {
        TagFault::Characters => Error::tag_characters(),
        TagFault::Illegal => Error::tags_illegal("add", "to", stream),
        TagFault::TooMany => Error::too_many_tags(stream),
    }
}
