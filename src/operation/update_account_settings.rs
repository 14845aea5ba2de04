//! UpdateAccountSettings: starts or ends the minimum throughput billing commitment of an account.
use super::prelude::*;

pub(super) struct UpdateAccountSettings;

input! { pub struct Input {
    "MinimumThroughputBillingCommitment" => commitment: CommitmentInput,
} }

input! {
    /// The minimum throughput billing commitment that the request asks for.
    pub struct CommitmentInput { "Status" => status: CommitmentStatus, }
}

impl Operation for UpdateAccountSettings {
    type Input = Input;
    type Output = AccountSettings;

    async fn run(context: &Context, input: Input) -> Result<AccountSettings, Error> {
        let enable = input.commitment.status == CommitmentStatus::Enabled;
        let commitment = context
            .engine
            .set_commitment(&context.caller, enable)
            .await?;
        Ok(AccountSettings::of(commitment))
    }
}

impl HasTarget for UpdateAccountSettings {
    fn target(context: &Context, _input: &Input) -> Result<Target, Error> {
        Ok(Target::Account(context.caller.clone()))
    }
}
