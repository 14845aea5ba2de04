//! Documents in JSON and CBOR: reading, writing and refusals.

mod broken;
mod equal;
mod jackson;
mod lenient;
mod written;
