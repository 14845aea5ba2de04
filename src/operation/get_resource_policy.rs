//! GetResourcePolicy: returns the policy of a stream, a consumer or a queue, exactly as
//! PutResourcePolicy received it.
use super::prelude::*;

pub(super) struct GetResourcePolicy;

input! { pub struct Input {
    "ResourceARN" => arn: ResourceARN,
    "StreamId" => _id: Ignored<StreamId>,
} }

output! { pub struct Output { "Policy" => policy: String, } }
document!(Output);

/// The answer for a resource without a policy, as recorded from the service.
const NO_POLICY: &str = "{}";

impl Operation for GetResourcePolicy {
    type Input = Input;
    type Output = Output;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let resource = Resource::find_with_policy(context, &input.arn)?;
        let policy = resource.look(|_, policy| policy.unwrap_or(NO_POLICY).to_owned())?;
        Ok(Output { policy })
    }
}

impl HasTarget for GetResourcePolicy {
    fn target(_context: &Context, input: &Input) -> Result<Target, Error> {
        resource_target(&input.arn)
    }
}
