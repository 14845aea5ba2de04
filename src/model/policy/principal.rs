//! Principals: who sends a request, and how policies of resources name them.

use super::Policy;
use super::document::Document;
use super::pattern::parts;
use super::truth::Truth;
use crate::model::AccountId;

/// Who sends a request, and what its own policies say.
#[derive(Debug, Clone)]
pub struct Principal {
    arn: String,
    /// The role's ARN, if this is a session of one.
    role: Option<String>,
    account: AccountId,
    is_root: bool,
    policies: Vec<Policy>,
}

/// What an ARN says of a principal.
struct Named {
    account: AccountId,
    role: Option<String>,
    is_root: bool,
}

impl Principal {
    /// The account itself, which may do everything in it.
    pub fn root(account: AccountId, partition: &str) -> Self {
        Self {
            arn: format!("arn:{partition}:iam::{account}:root"),
            role: None,
            account,
            is_root: true,
            policies: Vec::new(),
        }
    }

    /// The principal of an ARN: a user, a role, a session of a role, or an account's root.
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

    /// Its ARN, as refusals tell it.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Its account.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Whether it is an account itself.
    pub fn is_root(&self) -> bool {
        self.is_root
    }

    /// Its policies.
    pub(super) fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// What `aws:PrincipalArn` is: of a session, its role.
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

/// How a statement reaches a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// Not at all.
    No,
    /// Nobody can tell.
    Unknown,
    /// By its account: what the account's own policies make of it is theirs to say.
    Account,
    /// By itself.
    Itself,
}

/// Whom a statement of a resource's policy is about.
#[derive(Debug, Clone)]
pub(super) struct Principals {
    /// All but those listed.
    but: bool,
    listed: Vec<Listed>,
}

#[derive(Debug, Clone)]
enum Listed {
    Anyone,
    Account(AccountId),
    Arn(String),
    /// A service or a user of another directory: none of those who come in here.
    Foreign,
    Unread,
}

impl Principals {
    /// Reads a `Principal`, or with `but` a `NotPrincipal`.
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

    /// How an Allow reaches `caller`. One for all but some is not followed: whom it leaves out
    /// cannot be told from a list of ARNs alone.
    pub(super) fn allow(&self, caller: &Principal) -> Reach {
        if self.but {
            return Reach::Unknown;
        }
        let reaches = self.listed.iter().map(|listed| listed.reaches(caller));
        reaches.max().unwrap_or(Reach::No)
    }

    /// Whether a Deny reaches `caller`. Who is left out is left out by name: an account that is
    /// left out leaves out its root only.
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
