//! The integration tests, one binary: black boxes, through the wire.

mod errors;
mod lab;
mod routing;
