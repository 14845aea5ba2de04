//! Documents in JSON and CBOR: what is read, what is written, and what is refused.

mod broken;
mod equal;
mod jackson;
mod lenient;
mod written;
