//! Errors for requests that policies do not allow.

use super::exception::{Error, Kind};
use crate::model::{Refusal, Target};

impl Error {
    /// A web page of an origin that may not call the service. A choice: the service lets every page
    /// call it.
    pub fn origin_refused(origin: &str) -> Self {
        Kind::AccessDeniedException.says(format!(
            "Web pages of the origin '{origin}' may not call this server. To allow them start it \
             with --allow-origin {origin}"
        ))
    }

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
