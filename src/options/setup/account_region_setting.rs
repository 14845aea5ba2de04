//! The account and the region of a definition in a setup file.

use super::fields::{self, Fields};
use super::problem::Problem;
use crate::model::{AccountId, AccountRegion, Region};

/// The members that give the account and the region.
pub(super) const ACCOUNT_REGION_MEMBERS: [&str; 2] = ["Account", "Region"];

/// The account and the region that a definition names. None for the configured account or region.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct AccountRegionSetting {
    pub account: Option<AccountId>,
    pub region: Option<Region>,
}

impl AccountRegionSetting {
    /// Removes the members that give the account and the region, and returns their values.
    pub(super) fn take(fields: &mut Fields) -> Result<Self, Problem> {
        Ok(Self {
            account: fields.parsed("Account", account)?,
            region: fields.parsed("Region", region)?,
        })
    }

    /// The account and the region of the definition, with those of `home` as defaults.
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
