//! Bytes to values and back, in JSON and CBOR alike; knows no Kinesis.
//!
//! Two readers share one table of shapes. The fast one ([`decode`]) goes straight from bytes to a
//! typed input by serde, borrows from the body and builds no tree. Only when it refuses is the body
//! read again into a [`Node`] and walked along its [`Shape`] by the explaining one ([`explain`]),
//! which finds the service's exact words or, where the fast reader was merely stricter, the value
//! after all.

mod base64_text;
mod blob;
mod cbor;
mod codec;
pub(crate) mod declare;
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
pub use codec::{Explained, decode, encode, explain, member_text, parses};
pub use declare::Present;
pub(crate) use declare::{choice, input, integer, list, map, output, string};
pub use event_stream::frame;
pub use format::Format;
pub use mismatch::Mismatch;
pub use name::Name;
pub use node::Node;
pub use pattern::Pattern;
pub use scalar::Truth;
pub use shape::{Expected, Field, Ignored, Member, Presence, Shape, Shaped};
pub use structure::Structure;
pub use violations::Violations;
