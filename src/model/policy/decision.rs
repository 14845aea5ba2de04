//! The decision whether policies allow a request.

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

/// A policy: a list of statements. A statement has marks for the elements that minikin does not
/// understand.
#[derive(Debug, Clone)]
pub(crate) struct Policy(Vec<Statement>);

/// The sender of a request, and the policies that apply to this sender.
#[derive(Debug, Clone)]
pub struct Principal {
    identity: Identity,
    policies: Vec<Policy>,
}

/// A request that the policies allow or refuse, with the attributes that the decision needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    /// The principal that sent the request.
    pub caller: &'a Principal,
    /// The action of the request, such as `kinesis:PutRecord`.
    pub action: &'a str,
    /// The resource that the request concerns.
    pub target: &'a Target,
    /// True if a resource policy can allow the request's action.
    pub shared: bool,
    /// The tags of the resource.
    pub tags: &'a Tags,
    /// The IP address from which the request comes.
    pub address: IpAddr,
    /// True if the request came over TLS.
    pub over_tls: bool,
}

/// The reason why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A policy of the principal denies the request.
    DeniedByIdentity,
    /// The policy of the resource denies the request.
    DeniedByResource,
    /// The request needs an Allow in a policy of the principal, but no policy of the principal
    /// allows the request.
    NotAllowedByIdentity,
    /// The resource belongs to another account than the principal, and the policy of the resource
    /// does not allow the request.
    NotAllowedByResource,
}

impl Principal {
    /// Creates the root principal of an account, which may do everything in this account.
    pub(crate) fn root(account: AccountId, partition: &str) -> Self {
        Self {
            identity: Identity::root(account, partition),
            policies: Vec::new(),
        }
    }

    /// Creates the principal that `arn` names: a user, a role, a session of a role, or the root of
    /// an account. `None` for any other ARN.
    pub(in crate::model) fn named(arn: &str, policies: Vec<Policy>) -> Option<Self> {
        let identity = Identity::named(arn)?;
        Some(Self { identity, policies })
    }

    /// The principal's ARN, in the form that error messages contain.
    pub(crate) fn arn(&self) -> &str {
        self.identity.arn()
    }

    pub(crate) fn account(&self) -> AccountId {
        self.identity.account()
    }

    /// True for the root principal of an account.
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
    /// Reads a policy of a principal.
    ///
    /// # Errors
    /// The policy has an element that minikin does not understand. The error is a message for the
    /// user, with the place of the first flaw.
    pub(in crate::model) fn of_identity(document: &Document) -> Result<Self, String> {
        let mut flaws = Flaws::default();
        let policy = Self(statement::read_all(document, false, &mut flaws));
        match flaws.found.into_iter().next() {
            None => Ok(policy),
            Some(flaw) => Err(flaw),
        }
    }

    /// Reads the policy of a resource. If `text` is not a policy, the result is a policy that
    /// denies everything.
    pub(crate) fn of_resource(text: &str) -> Self {
        match Document::read(text) {
            Ok(document) => Self(statement::read_all(&document, true, &mut Flaws::default())),
            Err(_) => Self(vec![Statement::malformed()]),
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

/// Decides if the policies of the caller and the policy of the resource allow `request`.
///
/// A Deny in any of these policies refuses the request. If the caller and the resource belong to
/// the same account, one Allow suffices: in a policy of the caller, or in the policy of the
/// resource. An Allow of the resource's policy for the account as a whole is not enough, so a
/// policy of the caller must then have an Allow. If the caller and the resource belong to different
/// accounts, a policy of the caller and the policy of the resource must both have an Allow.
///
/// # Errors
/// The reason why the request is refused.
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
