//! The check of a request against the policies of its requester and its resource.

use super::context::{Context, Requester};
use super::contract::HasTarget;
use super::resource::policy_and_tags;
use crate::error::Error;
use crate::model::{Policy, Request, Target, judge};

/// Checks the permissions of a valid request. The check precedes the look-up of the resource, so
/// that a requester without permission does not learn whether the resource exists. The service does
/// the same: in September 2026 it refused requests for a missing stream with AccessDeniedException
/// (radkawar/stackd, testdata/aws/kinesis/control_audit.json).
pub(super) fn check<O: HasTarget>(
    context: &Context,
    operation: &str,
    input: &O::Input,
) -> Result<(), Error> {
    let Some(requester) = &context.requester else {
        return Ok(());
    };
    let target = O::target(context, input)?;
    check_one(context, requester, operation, &target, O::SHARED)?;
    for (operation, target) in O::also_requires(context, input) {
        check_one(context, requester, operation, &target, false)?;
    }
    Ok(())
}

fn check_one(
    context: &Context,
    requester: &Requester,
    operation: &str,
    target: &Target,
    shared: bool,
) -> Result<(), Error> {
    let (policy, tags) = policy_and_tags(context, target).unwrap_or_default();
    let policy = policy.as_deref().map(Policy::of_resource);
    let action = format!("kinesis:{operation}");
    let request = Request {
        caller: &requester.principal,
        action: &action,
        target,
        shared,
        tags: &tags,
        address: requester.address,
        over_tls: requester.over_tls,
    };
    judge(&request, policy.as_ref()).map_err(|refusal| {
        Error::access_denied(requester.principal.arn(), &action, target, refusal)
    })
}
