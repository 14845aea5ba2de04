//! Refusals of requests whose sender is known and may not.

use super::exception::{Error, Kind};
use crate::model::{Refusal, Target};

impl Error {
    /// What policies say against it. The text of the first kind was seen at the service; those of
    /// the others are built as IAM's guide describes them (a choice), and what is of no one
    /// resource is told as `*` (a choice).
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
