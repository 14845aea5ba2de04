//! DeleteResourcePolicy: removes the policy of a stream, a consumer or a queue.
use super::prelude::*;

pub(super) struct DeleteResourcePolicy;

input! { pub struct Input {
    "ResourceARN" => arn: ResourceARN,
    "StreamId" => _id: Ignored<StreamId>,
} }

impl Operation for DeleteResourcePolicy {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let resource = Resource::find_with_policy(context, &input.arn)?;
        let deleted = resource.amend(context, |of| match of.policy.take() {
            Some(_) => Ok(()),
            None => Err(Error::policy_not_found(input.arn.as_str())),
        });
        deleted.await?;
        Ok(Nothing)
    }
}

impl HasTarget for DeleteResourcePolicy {
    fn target(_context: &Context, input: &Input) -> Result<Target, Error> {
        resource_target(&input.arn)
    }
}
