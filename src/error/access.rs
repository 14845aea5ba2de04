//! Errors about requests that a policy or the list of allowed origins refuses.

use super::exception::{Error, Kind};
use crate::model::{Refusal, StreamArn, Target};

impl Error {
    /// The request comes from a web page of an origin that the option `--allow-origin` does not
    /// name. Only minikin makes this check. The service accepts requests from the web pages of
    /// every origin.
    pub fn origin_refused(origin: &str) -> Self {
        Kind::AccessDeniedException.says(format!(
            "Web pages of the origin '{origin}' may not call this server. To allow them start it \
             with --allow-origin {origin}"
        ))
    }

    /// The policies do not allow the request. The message for `NotAllowedByIdentity` was recorded
    /// at the service. The messages for an explicit deny in a session policy and in a resource
    /// policy were recorded in September 2026 (radkawar/stackd, testdata/aws/kinesis/dry_run.json
    /// and controls.json). The other messages are choices, worded as in the IAM user guide,
    /// "Troubleshoot access denied error messages".
    ///
    /// The message about a request that names no single resource contains no resource. Only the
    /// message about DescribeLimits contains a resource, a stream called `null`. Both messages were
    /// recorded in September 2026 (controls.json).
    pub fn access_denied(caller: &str, action: &str, target: &Target, refusal: Refusal) -> Self {
        let because = match refusal {
            Refusal::NotAllowedByIdentity => {
                format!("because no identity-based policy allows the {action} action")
            }
            Refusal::NotAllowedByResource => {
                format!("because no resource-based policy allows the {action} action")
            }
            Refusal::DeniedByIdentity => {
                "with an explicit deny in an identity-based policy".to_owned()
            }
            Refusal::DeniedByResource => {
                "with an explicit deny in a resource-based policy".to_owned()
            }
        };
        let on = match target {
            Target::Account(scope) if action == "kinesis:DescribeLimits" => {
                format!(" on resource: {}", StreamArn::new(scope.clone(), "null"))
            }
            Target::Account(_) => String::new(),
            target => format!(" on resource: {target}"),
        };
        Kind::AccessDeniedException.says(format!(
            "User: {caller} is not authorized to perform: {action}{on} {because}"
        ))
    }
}
