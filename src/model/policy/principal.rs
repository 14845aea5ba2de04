//! Principals: the senders of requests, and the elements of policies that name them.

use super::Policy;
use super::document::Document;
use super::pattern::parts;
use super::truth::Truth;
use crate::model::AccountId;

/// The sender of a request, with its policies.
#[derive(Debug, Clone)]
pub struct Principal {
    arn: String,
    /// The role's ARN, if the principal is a session of a role.
    role: Option<String>,
    account: AccountId,
    is_root: bool,
    policies: Vec<Policy>,
}

/// The parts of a principal's ARN.
struct Named {
    account: AccountId,
    role: Option<String>,
    is_root: bool,
}

impl Principal {
    /// The root of the account, which may do everything in the account.
    pub fn root(account: AccountId, partition: &str) -> Self {
        Self {
            arn: format!("arn:{partition}:iam::{account}:root"),
            role: None,
            account,
            is_root: true,
            policies: Vec::new(),
        }
    }

    /// The principal with this ARN: a user, a role, a session of a role, or the root of an account.
    pub(in crate::model) fn named(arn: &str, policies: Vec<Policy>) -> Option<Self> {
        let Named {
            account,
            role,
            is_root,
        } = Named::read(arn)?;
        Some(Self {
            arn: arn.to_owned(),
            role,
            account,
            is_root,
            policies,
        })
    }

    /// The ARN, as error texts show it.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The account.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// True for the root of an account.
    pub fn is_root(&self) -> bool {
        self.is_root
    }

    /// The policies of the principal.
    pub(super) fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The value of `aws:PrincipalArn`. For a session it is the ARN of the role.
    pub(super) fn principal_arn(&self) -> &str {
        self.role.as_deref().unwrap_or(&self.arn)
    }

    fn is_called(&self, arn: &str) -> bool {
        self.arn == arn || self.role.as_deref() == Some(arn)
    }
}

impl Named {
    fn read(arn: &str) -> Option<Self> {
        let ["arn", partition, service, "", account, name] = parts(arn)? else {
            return None;
        };
        let account = AccountId::parse(account).filter(|_| partition.starts_with("aws"))?;
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && !b"*?$".contains(&b))
        };
        if !is_name(name) {
            return None;
        }
        let mut role = None;
        match (service, name.split_once('/')) {
            ("iam", None) if name == "root" => {}
            ("iam", Some(("user" | "role", name))) if is_name(name) => {}
            ("sts", Some(("assumed-role", session))) => {
                let (name, session) = session.split_once('/')?;
                if !is_name(name) || !is_name(session) || session.contains('/') {
                    return None;
                }
                role = Some(format!("arn:{partition}:iam::{account}:role/{name}"));
            }
            _ => return None,
        }
        Some(Self {
            account,
            role,
            is_root: name == "root",
        })
    }
}

/// The way in which a statement applies to a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// The statement does not apply.
    No,
    /// It cannot be decided.
    Unknown,
    /// The statement names the account; the account's own policies decide.
    Account,
    /// The statement names the principal.
    Itself,
}

/// The principals of a statement in a resource's policy.
#[derive(Debug, Clone)]
pub(super) struct Principals {
    /// The list names the exceptions (`NotPrincipal`).
    but: bool,
    listed: Vec<Listed>,
}

#[derive(Debug, Clone)]
enum Listed {
    Anyone,
    Account(AccountId),
    Arn(String),
    /// A service or a user of another directory. No request here has such a principal.
    Foreign,
    Unread,
}

impl Principals {
    /// Reads a `Principal`. With `but`, the element is a `NotPrincipal`.
    pub(super) fn read(document: &Document, but: bool) -> Self {
        let listed = match document {
            Document::Text(text) if text == "*" => vec![Listed::Anyone],
            Document::Map(kinds) => kinds
                .iter()
                .flat_map(|(kind, names)| names.items().iter().map(|name| Listed::read(kind, name)))
                .collect(),
            Document::Null | Document::Scalar(_) | Document::Text(_) | Document::List(_) => {
                vec![Listed::Unread]
            }
        };
        Self { but, listed }
    }

    /// The way in which an Allow applies to `caller`. An Allow with `NotPrincipal` does not apply:
    /// a list of ARNs does not say which sessions it excludes.
    pub(super) fn allow(&self, caller: &Principal) -> Reach {
        if self.but {
            return Reach::Unknown;
        }
        let reaches = self.listed.iter().map(|listed| listed.reaches(caller));
        reaches.max().unwrap_or(Reach::No)
    }

    /// Whether a Deny applies to `caller`. `NotPrincipal` excludes the named principals only: the
    /// name of an account excludes its root.
    pub(super) fn deny(&self, caller: &Principal) -> Truth {
        let mut reaches = self.listed.iter().map(|listed| listed.reaches(caller));
        if self.but {
            return Truth::from(!reaches.any(|reach| reach == Reach::Itself));
        }
        match reaches.max().unwrap_or(Reach::No) {
            Reach::No => Truth::No,
            Reach::Unknown => Truth::Unknown,
            Reach::Account | Reach::Itself => Truth::Yes,
        }
    }
}

impl Listed {
    fn read(kind: &str, name: &Document) -> Self {
        let Some(text) = name.text() else {
            return Self::Unread;
        };
        match kind {
            "AWS" if text == "*" => Self::Anyone,
            "AWS" => {
                let root = Named::read(text).filter(|named| named.is_root);
                let account = AccountId::parse(text).or(root.map(|root| root.account));
                match account {
                    Some(account) => Self::Account(account),
                    None if Named::read(text).is_some() => Self::Arn(text.to_owned()),
                    None => Self::Unread,
                }
            }
            "CanonicalUser" | "Federated" | "Service" => Self::Foreign,
            _ => Self::Unread,
        }
    }

    fn reaches(&self, caller: &Principal) -> Reach {
        match self {
            Self::Anyone => Reach::Itself,
            Self::Account(account) if *account != caller.account => Reach::No,
            Self::Account(_) if caller.is_root => Reach::Itself,
            Self::Account(_) => Reach::Account,
            Self::Arn(arn) if caller.is_called(arn) => Reach::Itself,
            Self::Arn(_) | Self::Foreign => Reach::No,
            Self::Unread => Reach::Unknown,
        }
    }
}
