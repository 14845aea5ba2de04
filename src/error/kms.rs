//! Errors about KMS keys.

use super::exception::{Error, Kind};
use crate::model::{AccountRegion, KeyState, StreamArn};

/// The purpose of using a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPurpose {
    /// StartStreamEncryption looks the key up.
    Describe,
    /// A write encrypts records.
    Encrypt,
    /// A read decrypts records.
    Decrypt,
}

/// An attempt to use a key.
#[derive(Debug)]
pub struct KeyUse<'a> {
    /// ARN of the caller.
    pub user: &'a str,
    /// The key by id, alias or ARN, as the stream's settings hold it.
    pub key: &'a str,
    /// The stream that is encrypted with the key.
    pub stream: &'a StreamArn,
    /// The purpose of the attempt.
    pub purpose: KeyPurpose,
}

impl Error {
    /// A key that cannot be used, because an option says so.
    ///
    /// PutRecord was seen to pass on the text of KMS (serverless-apigateway-service-proxy issue
    /// 101), so the texts are those of KMS itself, as reported for it (credstash issue 86, botocore
    /// issue 2107, AWS Prescriptive Guidance on throttling). Passing them on in the other cases is
    /// a choice. GetRecords was seen to answer a text of its own (spring-cloud-stream-binder-aws-
    /// kinesis pull request 188, where user and stream are blanked out: their form is a choice).
    pub fn key_unusable(state: KeyState, attempt: &KeyUse<'_>) -> Self {
        let scope = &attempt.stream.scope;
        let key = key_arn(attempt.key, scope);
        let (kind, message) = match state {
            KeyState::Disabled => (Kind::KMSDisabledException, format!("{key} is disabled.")),
            KeyState::Pending => (
                Kind::KMSInvalidStateException,
                format!("{key} is pending deletion."),
            ),
            KeyState::Denied => (Kind::KMSAccessDeniedException, denied(attempt, &key)),
            KeyState::Missing if attempt.key.contains("alias/") => (
                Kind::KMSNotFoundException,
                format!("Alias {key} is not found."),
            ),
            KeyState::Missing => (
                Kind::KMSNotFoundException,
                format!("Key '{key}' does not exist"),
            ),
            KeyState::OptIn => (
                Kind::KMSOptInRequired,
                "The AWS Access Key Id needs a subscription for the service".to_owned(),
            ),
            KeyState::Throttled => (
                Kind::KMSThrottlingException,
                "You have exceeded the rate at which you may call KMS. Reduce the frequency of \
                 your calls."
                    .to_owned(),
            ),
        };
        kind.says(message)
    }
}

fn denied(attempt: &KeyUse<'_>, key: &str) -> String {
    let (user, stream) = (attempt.user, attempt.stream);
    let action = match attempt.purpose {
        KeyPurpose::Decrypt => {
            let (account, name) = (stream.scope.account, &stream.name);
            return format!(
                "User {user} is not authorized to decrypt records in stream {account}:{name}"
            );
        }
        KeyPurpose::Encrypt => "kms:GenerateDataKey",
        KeyPurpose::Describe => "kms:DescribeKey",
    };
    format!("User: {user} is not authorized to perform: {action} on resource: {key}")
}

/// The ARN of a key that is given by id, alias or ARN.
fn key_arn(key: &str, scope: &AccountRegion) -> String {
    if key.starts_with("arn:") {
        return key.to_owned();
    }
    let (account, region) = (scope.account, scope.region.as_str());
    let partition = scope.region.partition();
    let path = if key.starts_with("alias/") {
        key.to_owned()
    } else {
        format!("key/{key}")
    };
    format!("arn:{partition}:kms:{region}:{account}:{path}")
}
