//! The elements `Principal` and `NotPrincipal` of statements in resource policies.

use super::document::Document;
use super::identity::{Identity, Named};
use super::truth::Truth;
use crate::model::arn::AccountId;

/// The relation between a caller and the principals that a statement of a resource policy lists.
/// The values are in ascending order. If a statement lists several principals, the greatest value
/// decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// The statement does not name the caller.
    No,
    /// minikin cannot decide if the statement names the caller. The statement lists a principal
    /// that minikin does not understand, or is an Allow with `NotPrincipal`.
    Unknown,
    /// The statement names the caller's account as a whole, so the caller's own policies decide.
    Account,
    /// The statement names the caller itself.
    Itself,
}

/// The principals that the element `Principal` or `NotPrincipal` of a statement lists.
#[derive(Debug, Clone)]
pub(super) struct Principals {
    /// True for `NotPrincipal`: the statement applies to all principals except the listed
    /// principals.
    is_negated: bool,
    listed: Vec<Listed>,
}

#[derive(Debug, Clone)]
enum Listed {
    Anyone,
    Account(AccountId),
    Arn(String),
    /// A service, a federated user or a canonical user. No caller of minikin is such a principal.
    Foreign,
    Flawed,
}

impl Principals {
    /// Reads the element `Principal`, or `NotPrincipal` if `is_negated` is true.
    pub(super) fn read(document: &Document, is_negated: bool) -> Self {
        let listed = match document {
            Document::Text(text) if text == "*" => vec![Listed::Anyone],
            Document::Map(kinds) => kinds
                .iter()
                .flat_map(|(kind, names)| names.items().iter().map(|name| Listed::read(kind, name)))
                .collect(),
            Document::Null | Document::Scalar(_) | Document::Text(_) | Document::List(_) => {
                vec![Listed::Flawed]
            }
        };
        Self { is_negated, listed }
    }

    /// Returns the relation between `caller` and the principals of an Allow statement. An Allow
    /// with `NotPrincipal` allows no caller. The reason is that the ARNs in its list do not
    /// determine which sessions of roles are excluded.
    pub(super) fn allow(&self, caller: &Identity) -> Reach {
        if self.is_negated {
            return Reach::Unknown;
        }
        let reaches = self.listed.iter().map(|listed| listed.reaches(caller));
        reaches.max().unwrap_or(Reach::No)
    }

    /// Decides if a Deny statement with these principals applies to `caller`. With `NotPrincipal`,
    /// the statement applies to every caller except the listed principals. An account that
    /// `NotPrincipal` lists stands only for the root of this account.
    pub(super) fn deny(&self, caller: &Identity) -> Truth {
        let mut reaches = self.listed.iter().map(|listed| listed.reaches(caller));
        if self.is_negated {
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
            return Self::Flawed;
        };
        match kind {
            "AWS" if text == "*" => Self::Anyone,
            "AWS" => {
                let root = Named::read(text).filter(|named| named.is_root);
                let account = AccountId::parse(text).or(root.map(|root| root.account));
                match account {
                    Some(account) => Self::Account(account),
                    None if Named::read(text).is_some() => Self::Arn(text.to_owned()),
                    None => Self::Flawed,
                }
            }
            "CanonicalUser" | "Federated" | "Service" => Self::Foreign,
            _ => Self::Flawed,
        }
    }

    fn reaches(&self, caller: &Identity) -> Reach {
        match self {
            Self::Anyone => Reach::Itself,
            Self::Account(account) if *account != caller.account() => Reach::No,
            Self::Account(_) if caller.is_root() => Reach::Itself,
            Self::Account(_) => Reach::Account,
            Self::Arn(arn) if caller.is_called(arn) => Reach::Itself,
            Self::Arn(_) | Self::Foreign => Reach::No,
            Self::Flawed => Reach::Unknown,
        }
    }
}
