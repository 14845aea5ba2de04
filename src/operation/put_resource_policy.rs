//! PutResourcePolicy: sets the policy of a stream, a consumer or a queue. The text is stored
//! exactly as it was sent.
use super::prelude::*;

pub(super) struct PutResourcePolicy;

input! { pub struct Input {
    "Policy" => policy: Policy,
    "ResourceARN" => arn: ResourceARN,
    "StreamId" => _id: Ignored<StreamId>,
} }

impl Operation for PutResourcePolicy {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let resource = Resource::find_with_policy(context, &input.arn)?;
        let put = resource.amend(context, |of| {
            if let Some((consumer, arn)) = of.consumer
                && !active(consumer)
            {
                return Err(Error::consumer_not_active(arn));
            }
            if !is_policy(input.policy.as_str()) {
                return Err(Error::policy_invalid());
            }
            *of.policy = Some(input.policy.to_string());
            Ok(())
        });
        put.await?;
        Ok(Nothing)
    }
}

impl HasTarget for PutResourcePolicy {
    fn target(_context: &Context, input: &Input) -> Result<Target, Error> {
        resource_target(&input.arn)
    }
}

/// True when the text is a JSON object with at least one statement. Nothing else is checked (a
/// choice).
fn is_policy(text: &str) -> bool {
    let Ok(serde_json::Value::Object(policy)) = serde_json::from_str(text) else {
        return false;
    };
    match policy.get("Statement") {
        Some(serde_json::Value::Array(statements)) => {
            !statements.is_empty() && statements.iter().all(serde_json::Value::is_object)
        }
        Some(statement) => statement.is_object(),
        None => false,
    }
}
