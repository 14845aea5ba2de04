//! The integration tests, one binary: black boxes, through the wire.

mod errors;
mod formats;
mod iterators;
mod lab;
mod limits;
mod listing;
mod records;
mod routing;
mod streams;
mod time;
