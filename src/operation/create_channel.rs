//! CreateChannel: creates a channel, which delivers the records of an on-demand stream to a bucket
//! or a table.
use super::prelude::*;
use crate::engine::StreamState;
use crate::engine::channel::{Channel, ChannelCounts, NewChannel};
use crate::limits::Limits;
use crate::model::channel::{ChannelSettings, ChannelStatus, DestinationKind, LogSettings};
use crate::model::{AccountRegion, ChannelArn, StreamArn, Tags};
use std::sync::Arc;

pub(super) struct CreateChannel;

input! { pub struct Input {
    "ChannelName" => name: ChannelName,
    "ServiceExecutionRoleARN" => role: RoleARN,
    "StreamConfigurationList" => streams: ChannelStreamConfigurationList,
    "S3DestinationConfiguration" => s3: Option<S3DestinationConfiguration>,
    "S3TablesDestinationConfiguration" => tables: Option<S3TablesDestinationConfiguration>,
    "EncryptionConfiguration" => encryption: Option<ChannelEncryptionConfiguration>,
    "Tags" => tags: Option<TagMap>,
    "LoggingConfiguration" => logging: Option<ChannelLoggingConfiguration>,
} }

output! { pub struct Output { "ChannelDescription" => channel: ChannelDescription, } }
document!(Output);

impl Operation for CreateChannel {
    type Input = Input;
    type Output = Output;

    fn also_requires(context: &Context, input: &Input) -> Vec<(&'static str, Target)> {
        let tags = input.tags.as_ref();
        let tags = tags.map(|_| ("TagResource", new_channel(context, input)));
        tags.into_iter().collect()
    }

    fn stream(context: &Context, input: &Input) -> Option<StreamArn> {
        parse_arn(context, only_stream(input).ok()?.0).ok()
    }

    fn key(input: &Input) -> Option<&str> {
        let encryption = input.encryption.as_ref();
        encryption.map(|encryption| encryption.key.as_str())
    }

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let channel = create(context, input, false).await?;
        // The answer says CREATING even if the channel is ACTIVE immediately. CreateQueue also
        // answers CREATING in this case.
        let settings = channel.describe().settings;
        let channel = ChannelDescription::with(&channel, ChannelStatus::Creating, &settings);
        Ok(Output { channel })
    }
}

impl HasTarget for CreateChannel {
    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        Ok(new_channel(context, input))
    }
}

/// Returns the target of the policy check for a new channel. The channel has no id yet, so the ARN
/// of the target has the id `*`. Only a policy with a pattern that matches this ARN applies. Using
/// `*` is a choice.
fn new_channel(context: &Context, input: &Input) -> Target {
    Target::Channel(ChannelArn {
        scope: account_and_region(context, input),
        id: "*".into(),
    })
}

/// Returns the account and region in which a request creates its channel: the account and region of
/// the stream, even if another account sends the request. This rule is a choice, and also applies
/// to consumers. A request without a valid stream gives the caller's account and region, but
/// creates no channel.
pub(super) fn account_and_region(context: &Context, input: &Input) -> AccountRegion {
    CreateChannel::stream(context, input).map_or_else(|| context.caller.clone(), |arn| arn.scope)
}

/// Creates a channel. If `at_once` is true, the channel is ACTIVE or FAILED on return, even if the
/// emulator delays state transitions.
pub(super) async fn create(
    context: &Context,
    input: Input,
    at_once: bool,
) -> Result<Arc<Channel>, Error> {
    let settings = settings_of(&input)?;
    let stream = context.stream_by_arn(only_stream(&input)?.0)?;
    if !stream.look(|state| state.settings.on_demand) {
        return Err(Error::stream_is_provisioned(&stream.arn));
    }
    let name = input.name.as_str();
    let mut tags = Tags::default();
    if let Some(given) = &input.tags {
        let owner = TagOwner::channel(&stream.arn.scope, name);
        add_tags(context, owner, &mut tags, given)?;
    }
    if let Some(key) = &settings.key_id {
        check_key(context, key, &stream.arn, KeyPurpose::Encrypt)?;
    }
    let kind = settings.destination.kind();
    let new = NewChannel {
        name: name.into(),
        settings,
        tags,
        at_once,
    };
    let limits = &context.engine.limits;
    let check = |state: &StreamState, counts: ChannelCounts| {
        check(&stream.arn, state, counts, limits, (name, kind))
    };
    context.engine.create_channel(&stream, new, check).await
}

/// Returns the stream of the request, and the format of the stream's records. Refuses a request
/// with no stream or with several streams.
fn only_stream(input: &Input) -> Result<(&StreamARN, &RecordConfiguration), Error> {
    match &input.streams.0[..] {
        [stream] => Ok((&stream.arn, &stream.records)),
        streams => {
            let (list, entry) = ("StreamConfigurationList", "stream configuration");
            Err(Error::channel_list(list, entry, streams.len()))
        }
    }
}

/// Returns the settings that the request gives to the channel. The caller looks up the stream
/// later, after the check of the members against each other. This order is a choice. CreateQueue
/// has the same order.
fn settings_of(input: &Input) -> Result<ChannelSettings, Error> {
    let (_, records) = only_stream(input)?;
    let given = GivenDestination::of(input.s3.as_ref(), input.tables.as_ref())?;
    let destination = given.destination()?;
    let (format, schema) = record_format(records, &destination)?;
    let freshness_s = given.freshness_s()?;
    let dead_letters = given.dead_letters();
    check_keys(&destination, &dead_letters, input.name.as_str())?;
    let key = input.encryption.as_ref().map(encryption_key);
    let log = LogSettings::default();
    Ok(ChannelSettings {
        role: input.role.to_string(),
        format,
        schema,
        destination,
        freshness_s,
        dead_letters,
        key_id: key.transpose()?,
        log: input
            .logging
            .as_ref()
            .map_or_else(|| log.clone(), |given| changed_log(&log, given)),
    })
}

fn check(
    arn: &StreamArn,
    state: &StreamState,
    counts: ChannelCounts,
    limits: &Limits,
    (name, kind): (&str, DestinationKind),
) -> Result<(), Error> {
    if !state.settings.on_demand {
        return Err(Error::stream_is_provisioned(arn));
    }
    check_active(arn, state)?;
    let account = arn.scope.account;
    if counts.name_taken {
        return Err(Error::channel_exists(name, account));
    }
    // A FAILED channel counts against the quotas until it is deleted. This is a choice.
    let of_kind = state.channels.values().filter(|other| other.kind == kind);
    let of_kind = of_kind.count() as u64;
    if let Some(limit) = limits.channels_per_destination.filter(|l| of_kind >= *l) {
        return Err(Error::too_many_channels_of_stream(arn, kind, limit));
    }
    let all = counts.channels;
    match limits.channels_per_account.filter(|limit| all >= *limit) {
        Some(limit) => Err(Error::too_many_channels(
            account,
            arn.scope.region.as_str(),
            limit,
        )),
        None => Ok(()),
    }
}

/// Returns the names of the settings in which the existing channel `channel` differs from the
/// request.
pub(super) fn differences(channel: &Channel, input: &Input) -> Result<Vec<&'static str>, Error> {
    let (arn, _) = only_stream(input)?;
    let mut wanted = settings_of(input)?;
    wanted.log = wanted.log.with_defaults(&channel.name, &channel.arn.id);
    let has = channel.describe().settings;
    let checks = [
        (channel.stream.arn.to_string() != arn.as_str(), "stream"),
        (has.role != wanted.role, "role"),
        (
            (has.format, &has.schema) != (wanted.format, &wanted.schema),
            "record configuration",
        ),
        (has.destination != wanted.destination, "destination"),
        (has.freshness_s != wanted.freshness_s, "data freshness"),
        (
            has.dead_letters != wanted.dead_letters,
            "dead-letter configuration",
        ),
        (has.key_id != wanted.key_id, "encryption"),
        (has.log != wanted.log, "logging"),
    ];
    let differing = checks.into_iter().filter(|(differs, _)| *differs);
    Ok(differing.map(|(_, name)| name).collect())
}
