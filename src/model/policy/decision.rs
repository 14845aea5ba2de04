//! The decision about a request.

use super::attributes::Attributes;
use super::document::Document;
use super::flaws::Flaws;
use super::identity::Identity;
use super::statement::{self, Effect, Statement};
use super::target::Target;
use super::truth::Truth;
use crate::model::arn::AccountId;
use crate::model::tag::Tags;
use std::net::IpAddr;

/// A policy: the statements, as far as they are understood.
#[derive(Debug, Clone)]
pub(crate) struct Policy(Vec<Statement>);

/// The sender of a request, with its policies.
#[derive(Debug, Clone)]
pub struct Principal {
    identity: Identity,
    policies: Vec<Policy>,
}

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

impl Principal {
    /// The root of the account, which may do everything in the account.
    pub(crate) fn root(account: AccountId, partition: &str) -> Self {
        Self {
            identity: Identity::root(account, partition),
            policies: Vec::new(),
        }
    }

    /// The principal with this ARN: a user, a role, a session of a role, or the root of an account.
    pub(in crate::model) fn named(arn: &str, policies: Vec<Policy>) -> Option<Self> {
        let identity = Identity::named(arn)?;
        Some(Self { identity, policies })
    }

    /// The ARN, as error texts show it.
    pub(crate) fn arn(&self) -> &str {
        self.identity.arn()
    }

    /// The account.
    pub(crate) fn account(&self) -> AccountId {
        self.identity.account()
    }

    /// True for the root of an account.
    pub(crate) fn is_root(&self) -> bool {
        self.identity.is_root()
    }
}

impl Request<'_> {
    fn attributes(&self) -> Attributes<'_> {
        Attributes {
            caller: &self.caller.identity,
            action: self.action,
            target: self.target,
            tags: self.tags,
            address: self.address,
            over_tls: self.over_tls,
        }
    }
}

impl Policy {
    /// Reads the policy of a principal.
    ///
    /// # Errors
    /// The place of the first flaw, for people.
    pub(in crate::model) fn of_identity(document: &Document) -> Result<Self, String> {
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

    fn denies(&self, request: &Attributes<'_>) -> bool {
        let mut denials = self.0.iter().filter(|s| s.effect == Effect::Deny);
        denials.any(|statement| statement.denies(request) != Truth::No)
    }

    fn allows(&self, request: &Attributes<'_>, delegated: bool) -> bool {
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
    let (caller, attributes) = (request.caller, request.attributes());
    let policies = &caller.policies;
    if policies.iter().any(|policy| policy.denies(&attributes)) {
        return Err(Refusal::DeniedByIdentity);
    }
    if resource.is_some_and(|policy| policy.denies(&attributes)) {
        return Err(Refusal::DeniedByResource);
    }
    let allows = |policy: &Policy| policy.allows(&attributes, false);
    let identity = caller.is_root() || policies.iter().any(allows);
    let at_home = request.target.scope().account == caller.account();
    let resource = resource.filter(|_| request.shared);
    let resource = resource.is_some_and(|policy| policy.allows(&attributes, !at_home));
    match (identity, resource) {
        (true, _) if at_home => Ok(()),
        (_, true) if at_home => Ok(()),
        (true, true) => Ok(()),
        (false, _) => Err(Refusal::NotAllowedByIdentity),
        (true, false) => Err(Refusal::NotAllowedByResource),
    }
}
