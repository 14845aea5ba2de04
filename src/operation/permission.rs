//! Whether a request may do what it asks for: what the policies say, where there are any.

use super::shared::policy_and_tags;
use super::{Context, Operation};
use crate::error::Error;
use crate::model::{Policy, Principal, Request, Target, judge};
use std::net::IpAddr;
use std::sync::Arc;

/// Who sends a request, and from where.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Whose access key it is signed with.
    pub principal: Arc<Principal>,
    /// The address it comes from.
    pub address: IpAddr,
    /// Whether it comes over TLS.
    pub over_tls: bool,
}

/// Checks a request whose members are good; before anything is looked for, so that whoever may not
/// know does not learn what there is (a choice).
pub(super) fn check<O: Operation>(
    context: &Context,
    operation: &str,
    input: &O::Input,
) -> Result<(), Error> {
    let Some(sender) = &context.sender else {
        return Ok(());
    };
    let target = O::target(context, input)?;
    check_one(context, sender, operation, &target, O::SHARED)?;
    match O::beside(context, input) {
        Some((operation, target)) => check_one(context, sender, operation, &target, false),
        None => Ok(()),
    }
}

fn check_one(
    context: &Context,
    sender: &Sender,
    operation: &str,
    target: &Target,
    shared: bool,
) -> Result<(), Error> {
    let (policy, tags) = policy_and_tags(context, target).unwrap_or_default();
    let policy = policy.as_deref().map(Policy::of_resource);
    let action = format!("kinesis:{operation}");
    let request = Request {
        caller: &sender.principal,
        action: &action,
        target,
        shared,
        tags: &tags,
        address: sender.address,
        over_tls: sender.over_tls,
    };
    judge(&request, policy.as_ref())
        .map_err(|refusal| Error::access_denied(sender.principal.arn(), &action, target, refusal))
}
