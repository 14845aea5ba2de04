//! Reading and writing of JSON and CBOR documents. Nothing in this module is specific to Kinesis.
//!
//! Two readers decode the bodies of requests, and check the bodies against the same shapes. The
//! fast reader ([`decode`]) decodes bytes to a typed input with serde. It borrows from the body and
//! builds no tree. The fast reader decodes the requests that transfer records or that clients send
//! for each batch of records. The explaining reader ([`explain`]) decodes all other requests, and
//! every body that the fast reader refuses. The explaining reader reads the body into a [`Node`],
//! compares the node with the [`Shape`] of the input, and returns the typed input or the service's
//! exact error message. The fast reader may refuse a valid body, but must never accept an invalid
//! one.
//!
//! Each file uses only files that stand before it in this order: `escape`, `pattern`,
//! `base64_text`, `item_count`, `format`, `name` → `shape`, `node` → `blob`, `timestamp`, `scalar`, `structure`,
//! `mismatch`, `violations`, `json`, `cbor` → `declare`, `codec`.

mod base64_text;
mod blob;
mod cbor;
mod codec;
pub(crate) mod declare;
mod escape;
mod event_stream;
mod format;
mod item_count;
mod json;
mod mismatch;
mod name;
mod node;
mod pattern;
mod scalar;
mod shape;
mod structure;
mod timestamp;
mod violations;

pub use blob::Blob;
pub(crate) use blob::BlobView;
pub(crate) use codec::{
    Explained, explain, item_text, member_text, mismatch_path, unreadable_reason,
};
pub use codec::{decode, encode, parses};
pub(crate) use declare::Present;
pub(crate) use declare::{choice, input, integer, list, map, output, string};
pub(crate) use escape::escaped;
pub use event_stream::frame;
pub use format::Format;

pub use node::Node;
pub(crate) use pattern::Pattern;
pub(crate) use scalar::Truth;
pub(crate) use shape::{Expected, Field, Ignored, Shaped};
pub use shape::{Member, Presence, Shape};
pub(crate) use structure::Structure;
pub(crate) use violations::Violations;
