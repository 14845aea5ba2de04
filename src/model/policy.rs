//! Policies: the answer of one document to a request, and of several documents together.
//!
//! One reader serves the policies of principals and of resources. It notes elements that it does
//! not understand as flaws. A statement with a flaw allows nothing, and it denies every request
//! that its other elements do not exclude. The start refuses policies of principals with flaws.
//! Policies of resources come in requests, and are accepted as the service accepts them.

mod attributes;
mod condition;
mod decision;
mod document;
mod flaws;
mod identity;
mod pattern;
mod principals;
mod statement;
mod target;
mod truth;

pub(crate) use decision::{Policy, Principal, Refusal, Request, judge};
pub(super) use document::Document;
pub(crate) use target::Target;

#[cfg(test)]
mod tests;
