//! The functions that fuzzers run: they take any bytes, and panic if a rule is broken.
//!
//! Each target in `targets/` is one of these functions and nothing else; `tests/it` runs them over
//! the committed inputs as well, on stable and without libfuzzer, so that they cannot rot.
//! `tests/long/fuzz` runs them for a while.
//!
//! An input means the same in every run: each run makes everything that its target needs.
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a package of its own, and a part of the tests: a test that cannot go on fails"
)]

mod arns;
mod authorization;
mod document;
mod event_stream;
mod requests;
mod restored;
mod script;
mod server;
mod tokens;

pub use arns::arns;
pub use authorization::authorization;
pub use event_stream::event_stream;
pub use requests::{cbor_request, json_request, rpc_v2_request, story};
pub use restored::restored;
pub use tokens::tokens;
