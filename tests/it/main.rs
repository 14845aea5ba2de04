//! The integration tests, one binary: black boxes, through the wire.

mod errors;
mod formats;
mod lab;
mod routing;
