//! The setup: streams and more that are made before the emulator answers.

mod document;
mod fields;
mod origin;
mod plan;
mod problem;
mod read;
mod records;
mod shorthand;
#[cfg(test)]
mod tests;

pub(crate) use plan::{Setup, StreamSetup};
pub use problem::Problem;
pub(super) use read::read;
pub(crate) use records::record_of_line;
