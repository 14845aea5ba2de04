//! DescribeAccountSettings: returns the account's minimum throughput billing commitment.
use super::prelude::*;

pub(super) struct DescribeAccountSettings;

input! { pub struct Input {} }

impl Operation for DescribeAccountSettings {
    type Input = Input;
    type Output = AccountSettings;

    async fn run(context: &Context, _input: Input) -> Result<AccountSettings, Error> {
        Ok(AccountSettings::of(
            context.engine.commitment(&context.caller),
        ))
    }
}

impl HasTarget for DescribeAccountSettings {
    fn target(context: &Context, _input: &Input) -> Result<Target, Error> {
        Ok(Target::Account(context.caller.clone()))
    }
}
