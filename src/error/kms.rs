//! Errors about KMS keys.

use super::exception::{Error, Kind};
use crate::model::{AccountRegion, KeyState, StreamArn};

/// The purpose for which a request uses a KMS key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPurpose {
    /// StartStreamEncryption checks that the key exists.
    Describe,
    /// PutRecord or PutRecords encrypts records.
    Encrypt,
    /// GetRecords or a subscription decrypts records.
    Decrypt,
}

/// An attempt of a request to use a KMS key.
#[derive(Debug)]
pub struct KeyUse<'a> {
    /// The ARN of the caller whose request uses the key.
    pub user: &'a str,
    /// The id, alias or ARN of the key in the StartStreamEncryption request.
    pub key: &'a str,
    pub stream: &'a StreamArn,
    pub purpose: KeyPurpose,
}

impl Error {
    /// A request uses a key that an option of the configuration declares unusable.
    ///
    /// PutRecord was seen to answer with the message of KMS (serverless-apigateway-service-proxy
    /// issue 101). Therefore this function uses the messages of KMS, as reported in credstash issue
    /// 86, botocore issue 2107 and AWS Prescriptive Guidance on throttling. The use of these
    /// messages for operations other than PutRecord is a choice.
    ///
    /// GetRecords was seen to send a message of its own (spring-cloud-stream-binder-aws-kinesis
    /// pull request 188). The report blanks out the names of the user and of the stream, so the
    /// form of these two names in the message is a choice.
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

    /// StartStreamEncryption: the key's ARN is in `region`, but the stream is in another region.
    /// The message was reported in September 2026 (badmintoncryer/cdk-preflight,
    /// rules/kinesis/pf-kinesis-encryption-key-region, meta.yaml and rule.rego).
    pub fn key_of_other_region(region: &str) -> Self {
        Kind::KMSNotFoundException.says(format!("Invalid arn {region}"))
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

/// Returns the ARN of the KMS key whose id, alias or ARN is `key`.
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
