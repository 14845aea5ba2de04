//! Errors for requests that policies do not allow.

use super::exception::{Error, Kind};
use crate::model::{Refusal, Target};

impl Error {
    /// The policies do not allow the request. The text of `NotAllowedByIdentity` was seen at the
    /// service; the others follow the IAM user guide, "Troubleshoot access denied error messages",
    /// and a request about no single resource names `*` (choices).
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
        Kind::AccessDeniedException.says(format!(
            "User: {caller} is not authorized to perform: {action} on resource: {target} {because}"
        ))
    }
}
