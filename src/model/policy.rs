//! IAM policies and resource policies: the parser of policies, and the decision whether policies
//! allow a request.
//!
//! One parser reads the policies of principals and of resources. It records each element that it
//! does not understand as a flaw. An Allow statement with a flaw allows nothing. A Deny statement
//! with a flaw denies every request that its other elements do not exclude. minikin refuses to
//! start when a principal's policy has a flaw. A resource's policy arrives in a request and is
//! accepted despite flaws, because the service also accepts such policies.

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
