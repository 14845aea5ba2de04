//! Policies: the answer of one document to a request, and of several documents together.
//!
//! One reader serves the policies of principals and of resources. It notes elements that it does
//! not understand as flaws. A statement with a flaw allows nothing, and it denies every request
//! that its other elements do not exclude. The start refuses policies of principals with flaws.
//! Policies of resources come in requests, and are accepted as the service accepts them.

mod condition;
mod document;
mod pattern;
mod principal;
mod statement;
mod truth;

pub(super) use document::Document;
pub(crate) use principal::Principal;

use super::{AccountRegion, ConsumerArn, Region, StreamArn, Tags};
use pattern::PARTS;
use statement::{Effect, Statement};
use std::fmt;
use std::net::IpAddr;
use truth::Truth;

/// A policy: the statements, as far as they are understood.
#[derive(Debug, Clone)]
pub(crate) struct Policy(Vec<Statement>);

/// A request that policies decide about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    /// The principal that sends the request.
    pub caller: &'a Principal,
    /// The action, such as `kinesis:PutRecord`.
    pub action: &'a str,
    /// The resource of the request.
    pub target: &'a Target,
    /// True when the policy of a resource can allow the action.
    pub shared: bool,
    /// The target's tags.
    pub tags: &'a Tags,
    /// The address that the request comes from.
    pub address: IpAddr,
    /// True when the request came over TLS.
    pub over_tls: bool,
}

/// The resource of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The account in the region. Only the pattern `*` matches it.
    Account(AccountRegion),
    /// A stream.
    Stream(StreamArn),
    /// A consumer.
    Consumer(ConsumerArn),
}

/// The reason why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A policy of the principal denies it.
    DeniedByIdentity,
    /// The resource's policy denies it.
    DeniedByResource,
    /// No policy of the principal allows it.
    NotAllowedByIdentity,
    /// The principal is of another account, and the resource's policy does not allow it.
    NotAllowedByResource,
}

impl Target {
    /// Account and region.
    pub fn scope(&self) -> &AccountRegion {
        match self {
            Self::Account(scope) => scope,
            Self::Stream(arn) => &arn.scope,
            Self::Consumer(arn) => &arn.stream.scope,
        }
    }

    /// True when an ARN with wildcards matches the resource. The parts are compared one by one: the
    /// name of a region may have colons.
    fn is_like(&self, pattern: &str) -> bool {
        let resource = match self {
            Self::Account(_) => return pattern == "*",
            Self::Stream(arn) => format!("stream/{}", arn.name),
            Self::Consumer(arn) => {
                let (stream, name) = (&arn.stream.name, &arn.name);
                format!("stream/{stream}/consumer/{name}:{}", arn.created_s)
            }
        };
        let AccountRegion { account, region } = self.scope();
        let (account, region): (_, &Region) = (account.to_string(), region);
        let arn: [&str; PARTS] = [
            "arn",
            region.partition(),
            "kinesis",
            region.as_str(),
            &account,
            &resource,
        ];
        pattern == "*" || pattern::is_arn_like(pattern, &arn)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(_) => f.write_str("*"),
            Self::Stream(arn) => arn.fmt(f),
            Self::Consumer(arn) => arn.fmt(f),
        }
    }
}

impl Policy {
    /// Reads the policy of a principal.
    ///
    /// # Errors
    /// The place of the first flaw, for people.
    pub(super) fn of_identity(document: &Document) -> Result<Self, String> {
        let mut flaws = Flaws::default();
        let policy = Self(statement::read_all(document, false, &mut flaws));
        match flaws.found.into_iter().next() {
            None => Ok(policy),
            Some(flaw) => Err(flaw),
        }
    }

    /// Reads the policy of a resource. A text that is no policy denies everything.
    pub(crate) fn of_resource(text: &str) -> Self {
        match Document::read(text) {
            Ok(document) => Self(statement::read_all(&document, true, &mut Flaws::default())),
            Err(_) => Self(vec![Statement::unread()]),
        }
    }

    fn denies(&self, request: &Request<'_>) -> bool {
        let mut denials = self.0.iter().filter(|s| s.effect == Effect::Deny);
        denials.any(|statement| statement.denies(request) != Truth::No)
    }

    fn allows(&self, request: &Request<'_>, delegated: bool) -> bool {
        let mut allowances = self.0.iter().filter(|s| s.effect == Effect::Allow);
        allowances.any(|statement| statement.allows(request, delegated) == Truth::Yes)
    }
}

/// Decides `request` by the policies of its caller and the policy of its resource.
///
/// A Deny in any policy wins. Within an account one Allow is enough, of the caller's policies or of
/// the resource's; an Allow for the account itself leaves the decision to the caller's policies.
/// Across accounts both sides have to allow the request.
///
/// # Errors
/// The reason for the refusal.
pub(crate) fn judge(request: &Request<'_>, resource: Option<&Policy>) -> Result<(), Refusal> {
    let caller = request.caller;
    if caller
        .policies()
        .iter()
        .any(|policy| policy.denies(request))
    {
        return Err(Refusal::DeniedByIdentity);
    }
    if resource.is_some_and(|policy| policy.denies(request)) {
        return Err(Refusal::DeniedByResource);
    }
    let identity = caller.is_root() || caller.policies().iter().any(|p| p.allows(request, false));
    let at_home = request.target.scope().account == caller.account();
    let resource = resource.filter(|_| request.shared);
    let resource = resource.is_some_and(|policy| policy.allows(request, !at_home));
    match (identity, resource) {
        (true, _) if at_home => Ok(()),
        (_, true) if at_home => Ok(()),
        (true, true) => Ok(()),
        (false, _) => Err(Refusal::NotAllowedByIdentity),
        (true, false) => Err(Refusal::NotAllowedByResource),
    }
}

/// The elements that a reader did not understand, and their places.
#[derive(Debug, Default)]
struct Flaws {
    place: Vec<String>,
    found: Vec<String>,
}

impl Flaws {
    fn note(&mut self, what: impl fmt::Display) {
        self.found.push(format!("{} {what}", self.place.join(".")));
    }

    /// Reads a part of a document. Its flaws are noted with the part's name.
    fn within<R>(&mut self, part: &str, read: impl FnOnce(&mut Self) -> R) -> R {
        self.place.push(part.to_owned());
        let read = read(self);
        self.place.pop();
        read
    }
}

#[cfg(test)]
mod tests;
