//! The option `--fault`.

use super::setup::{Problem, rule_of_text};
use crate::world::FaultRule;
use std::str::FromStr;

/// The fault rule of an option, written as JSON or as `kind=KIND,percent=N,…`.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultSetting(pub FaultRule);

impl FromStr for FaultSetting {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        rule_of_text(text).map(Self)
    }
}
