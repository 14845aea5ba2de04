//! The account and the region that a definition in a setup file names.

use super::fields::{self, Fields};
use super::problem::Problem;
use crate::model::{AccountId, AccountRegion, Region};

/// The names of the members of a definition that give its account and its region.
pub(super) const ACCOUNT_REGION_MEMBERS: [&str; 2] = ["Account", "Region"];

/// The account and the region that a definition names. None stands for the configured account or
/// region.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct AccountRegionSetting {
    pub account: Option<AccountId>,
    pub region: Option<Region>,
}

impl AccountRegionSetting {
    /// Removes the members `Account` and `Region` of a definition, and returns their values.
    pub(super) fn take(fields: &mut Fields) -> Result<Self, Problem> {
        Ok(Self {
            account: fields.parsed("Account", account)?,
            region: fields.parsed("Region", region)?,
        })
    }

    /// The account and the region of the definition. `home` supplies the account, the region or
    /// both if the definition does not name them.
    pub(crate) fn within(&self, home: &AccountRegion) -> AccountRegion {
        AccountRegion {
            account: self.account.unwrap_or(home.account),
            region: self.region.clone().unwrap_or_else(|| home.region.clone()),
        }
    }
}

fn account(value: serde_json::Value) -> Result<AccountId, String> {
    let text = fields::text(value)?;
    AccountId::parse(&text).ok_or_else(|| "an account is a text of twelve digits".to_owned())
}

fn region(value: serde_json::Value) -> Result<Region, String> {
    let text = fields::text(value)?;
    super::super::value::region(&text).map(|name| Region::new(&name))
}
