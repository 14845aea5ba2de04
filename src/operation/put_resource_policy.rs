//! PutResourcePolicy: sets the policy of a stream, a consumer or a queue. The emulator stores the
//! text exactly as received.
use super::prelude::*;
use serde_json::{Map, Value};

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
            check_policy(input.policy.as_str())?;
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

/// Refuses a policy without statements, and a policy with a statement that has `NotPrincipal` or
/// lacks `Principal`. No other element is checked, which is a choice.
fn check_policy(text: &str) -> Result<(), Error> {
    let statements = statements(text).ok_or_else(Error::policy_invalid)?;
    for statement in statements {
        if statement.contains_key("NotPrincipal") {
            return Err(Error::policy_not_principal());
        }
        if !statement.contains_key("Principal") {
            return Err(Error::policy_without_principal());
        }
    }
    Ok(())
}

/// Returns the statements of a policy. `None` if the text is not a JSON object with at least one
/// statement.
fn statements(text: &str) -> Option<Vec<Map<String, Value>>> {
    let mut policy: Map<_, _> = serde_json::from_str(text).ok()?;
    let statements = match policy.remove("Statement")? {
        Value::Array(statements) => statements,
        statement => vec![statement],
    };
    let objects = statements.into_iter().map(|statement| match statement {
        Value::Object(statement) => Some(statement),
        _ => None,
    });
    let objects: Vec<_> = objects.collect::<Option<_>>()?;
    (!objects.is_empty()).then_some(objects)
}
