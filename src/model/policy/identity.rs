//! The identities of the principals that send requests.

use super::pattern::parts;
use crate::model::arn::AccountId;

/// The identity of a principal, parsed from its ARN.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    arn: String,
    /// The ARN of the role if the principal is a session of a role, else `None`.
    role: Option<String>,
    account: AccountId,
    is_root: bool,
}

/// The parts of a principal's ARN that the comparison with policies needs.
pub(super) struct Named {
    pub(super) account: AccountId,
    role: Option<String>,
    pub(super) is_root: bool,
}

impl Identity {
    /// Creates the identity of an account's root, which may do everything in the account.
    pub(super) fn root(account: AccountId, partition: &str) -> Self {
        Self {
            arn: format!("arn:{partition}:iam::{account}:root"),
            role: None,
            account,
            is_root: true,
        }
    }

    /// Creates the identity that `arn` names: a user, a role, a session of a role, or the root of
    /// an account. `None` for any other ARN.
    pub(super) fn named(arn: &str) -> Option<Self> {
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
        })
    }

    /// The principal's ARN, in the form that error messages contain.
    pub(super) fn arn(&self) -> &str {
        &self.arn
    }

    pub(super) fn account(&self) -> AccountId {
        self.account
    }

    /// True for the root of an account.
    pub(super) fn is_root(&self) -> bool {
        self.is_root
    }

    /// Returns the value of the condition key `aws:PrincipalArn`: the ARN of the role for a session
    /// of a role, else the principal's own ARN.
    pub(super) fn principal_arn(&self) -> &str {
        self.role.as_deref().unwrap_or(&self.arn)
    }

    /// True if `arn` is the principal's ARN, or if the principal is a session of the role with this
    /// ARN.
    pub(super) fn is_called(&self, arn: &str) -> bool {
        self.arn == arn || self.role.as_deref() == Some(arn)
    }
}

impl Named {
    pub(super) fn read(arn: &str) -> Option<Self> {
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
