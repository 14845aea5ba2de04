//! Errors about channels. All messages are choices: none was recorded at the service.

use super::exception::{Error, Kind};
use super::stream_name::named;
use crate::model::channel::{ChannelStatus, DestinationKind, KeyFault, RecordFormat};
use crate::model::{AccountId, StreamArn};

/// Errors about a channel's existence and status.
impl Error {
    /// The channel does not exist. `given` is the ARN in the request.
    pub(crate) fn channel_not_found(given: &str) -> Self {
        Kind::ResourceNotFoundException.says(format!("Channel {given} not found."))
    }

    /// CreateChannel: the account already has a channel of this name in the region. The exception's
    /// name is a choice.
    pub(crate) fn channel_exists(name: &str, account: AccountId) -> Self {
        Kind::ResourceInUseException.says(format!(
            "Channel {name} under account {account} already exists."
        ))
    }

    /// UpdateChannel: the channel's status does not allow a change.
    pub(crate) fn channel_not_active(
        name: &str,
        account: AccountId,
        status: ChannelStatus,
    ) -> Self {
        Kind::ResourceInUseException.says(format!(
            "Channel {name} under account {account} not ACTIVE, instead in state {status}"
        ))
    }

    /// DeleteStream or a switch to provisioned mode: the stream still has channels. The exception's
    /// name is a choice.
    pub(crate) fn stream_has_channels(stream: &StreamArn) -> Self {
        let stream = named(stream);
        Kind::ResourceInUseException
            .says(format!("Stream {stream} has channels. Delete them first."))
    }

    /// The request is about the resource policy of a channel, but channels have no resource
    /// policies. The exception's name is a choice.
    pub(crate) fn channel_has_no_policy(given: &str) -> Self {
        Kind::InvalidArgumentException.says(format!(
            "{given} is the ARN of a channel, and a channel cannot have a resource policy."
        ))
    }
}

/// Errors about quotas of channels.
impl Error {
    /// CreateChannel: the stream already has as many channels with this kind of destination as the
    /// limit allows.
    pub(crate) fn too_many_channels_of_stream(
        stream: &StreamArn,
        kind: DestinationKind,
        limit: u64,
    ) -> Self {
        let (stream, kind) = (named(stream), kind.as_str());
        Kind::LimitExceededException
            .says(format!(
                "This request would exceed the limit on the number of channels with destination \
                 type {kind} for stream {stream}. Limit: {limit}."
            ))
            .by(["channels-per-destination"])
    }

    /// CreateChannel: the account already has as many channels in the region as the limit allows.
    pub(crate) fn too_many_channels(account: AccountId, region: &str, limit: u64) -> Self {
        Kind::LimitExceededException
            .says(format!(
                "This request would exceed the limit on the number of channels for the account \
                 {account} in {region}. Limit: {limit}."
            ))
            .by(["channels-per-account"])
    }
}

/// Errors about members of CreateChannel and UpdateChannel that do not fit together. The names of
/// these exceptions are choices.
impl Error {
    /// A list in the request does not have exactly one entry. `list` is the name of the list,
    /// `entry` is the word for one entry in the message, and `count` is the number of entries.
    pub(crate) fn channel_list(list: &str, entry: &str, count: usize) -> Self {
        Kind::ValidationException.says(format!(
            "{list} must contain exactly one {entry}, not {count}."
        ))
    }

    /// CreateChannel: the request has no destination, or it has both kinds of destination.
    pub(crate) fn channel_destinations() -> Self {
        Kind::ValidationException.says(
            "Exactly one of S3DestinationConfiguration and S3TablesDestinationConfiguration must \
             be specified.",
        )
    }

    /// CreateChannel: the destination does not accept the format of the records.
    pub(crate) fn channel_format(format: RecordFormat, kind: DestinationKind) -> Self {
        let (format, kind) = (format.as_str(), kind.as_str());
        Kind::ValidationException.says(format!(
            "RecordFormatType {format} is not supported for destination type {kind}."
        ))
    }

    /// CreateChannel: the request lacks `member`, which a channel that delivers to a table needs.
    pub(crate) fn channel_table_needs(member: &str) -> Self {
        Kind::ValidationException.says(format!(
            "{member} is required when the destination is S3 Tables."
        ))
    }

    /// The request's DataFreshnessInSeconds is less than `least` or more than `most`.
    pub(crate) fn channel_freshness(given: i32, least: i32, most: i32) -> Self {
        Kind::ValidationException.says(format!(
            "DataFreshnessInSeconds must be between {least} and {most}, not {given}."
        ))
    }

    /// The member `member` is a template or a prefix of object keys. Its text breaks a rule that
    /// the pattern in the service model does not express.
    pub(crate) fn channel_key(member: &str, fault: &KeyFault) -> Self {
        Kind::ValidationException.says(format!("{member} {fault}."))
    }

    /// KeyId names an AWS managed key, but only a customer managed key is allowed.
    pub(crate) fn channel_service_key(key: &str) -> Self {
        Kind::ValidationException.says(format!(
            "EncryptionConfiguration.KeyId must be a customer managed key, not {key}."
        ))
    }

    /// UpdateChannel: the request changes nothing.
    pub(crate) fn channel_update_empty() -> Self {
        Kind::ValidationException.says(
            "At least one of S3DestinationConfiguration, S3TablesDestinationConfiguration and \
             LoggingConfiguration must be specified.",
        )
    }

    /// UpdateChannel: the request has the member `member`, which configures another kind of
    /// destination than the channel has. `kind` is the kind of the channel's destination.
    pub(crate) fn channel_update_other_destination(member: &str, kind: DestinationKind) -> Self {
        let kind = kind.as_str();
        Kind::ValidationException.says(format!(
            "{member} is not expected for a channel with destination type {kind}."
        ))
    }
}
