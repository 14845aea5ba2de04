//! Policies: what a document says about a request, and what several of them say together.
//!
//! One reader serves both kinds. It keeps what it understands, and notes as a flaw what it does
//! not; then the statement of the flaw allows nothing, and denies whatever its other elements do
//! not exclude. The policies of principals are refused for their flaws at the start; those of
//! resources come with requests and are taken as the service takes them.

mod condition;
mod document;
mod pattern;
mod principal;
mod statement;
mod truth;

pub(super) use document::Document;
pub use principal::Principal;

use super::{AccountRegion, ConsumerArn, Region, StreamArn, Tags};
use pattern::PARTS;
use statement::{Effect, Statement};
use std::fmt;
use std::net::IpAddr;
use truth::Truth;

/// A policy, as far as it is understood.
#[derive(Debug, Clone)]
pub struct Policy(Vec<Statement>);

/// What is asked of policies.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub caller: &'a Principal,
    /// What for: `kinesis:PutRecord`.
    pub action: &'a str,
    /// On what.
    pub target: &'a Target,
    /// Whether the policy of a resource can allow it.
    pub shared: bool,
    /// The target's tags.
    pub tags: &'a Tags,
    /// Where from.
    pub address: IpAddr,
    /// Whether over TLS.
    pub over_tls: bool,
}

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The account in the region: only a `*` names it.
    Account(AccountRegion),
    /// A stream.
    Stream(StreamArn),
    /// A consumer.
    Consumer(ConsumerArn),
}

/// Why a request is refused.
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

    /// Whether an ARN with wildcards names it. The parts are compared as they are, not as text:
    /// any text is a region, one with colons too.
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
    /// Where it says what is not understood, for people.
    pub(super) fn of_identity(document: &Document) -> Result<Self, String> {
        let mut flaws = Flaws::default();
        let policy = Self(statement::read_all(document, false, &mut flaws));
        match flaws.found.into_iter().next() {
            None => Ok(policy),
            Some(flaw) => Err(flaw),
        }
    }

    /// Reads the policy of a resource. One that is no policy at all denies everything.
    pub fn of_resource(text: &str) -> Self {
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

/// Whether `request` may be done, by the policies of its caller and that of its target.
///
/// A denial anywhere wins. Within an account either side's word is enough, and an account that a
/// resource's policy allows still has to allow it to its own; across accounts both sides have to.
///
/// # Errors
/// Why it may not.
pub fn judge(request: &Request<'_>, resource: Option<&Policy>) -> Result<(), Refusal> {
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

/// What a reader did not understand, and where.
#[derive(Debug, Default)]
struct Flaws {
    place: Vec<String>,
    found: Vec<String>,
}

impl Flaws {
    fn note(&mut self, what: impl fmt::Display) {
        self.found.push(format!("{} {what}", self.place.join(".")));
    }

    /// Reads a part, whose flaws are told with its name.
    fn within<R>(&mut self, part: &str, read: impl FnOnce(&mut Self) -> R) -> R {
        self.place.push(part.to_owned());
        let read = read(self);
        self.place.pop();
        read
    }
}

#[cfg(test)]
mod tests;
