//! UpdateChannel: changes the data freshness or the log of a channel. The channel delivers records
//! during the change.
use super::prelude::*;
use crate::engine::channel::Channel;
use crate::model::channel::{ChannelSettings, ChannelStatus, DestinationKind};

pub(super) struct UpdateChannel;

input! { pub struct Input {
    "ChannelARN" => arn: ChannelARN,
    "S3DestinationConfiguration" => s3: Option<DestinationUpdateInput>,
    "S3TablesDestinationConfiguration" => tables: Option<DestinationUpdateInput>,
    "LoggingConfiguration" => logging: Option<ChannelLoggingConfiguration>,
} }

output! { pub struct Output { "ChannelDescription" => channel: ChannelDescription, } }
document!(Output);

impl Operation for UpdateChannel {
    type Input = Input;
    type Output = Output;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        // Checks the members against each other before the channel is looked up. This order is a
        // choice. UpdateQueue has the same order.
        let changes = Changes::of(&input)?;
        let channel = context.channel(&input.arn)?;
        changes.check_kind(channel.kind)?;
        let plan = |status, before: &ChannelSettings| changes.plan(&channel, status, before);
        let settings = context.engine.update_channel(&channel, plan).await?;
        let channel = ChannelDescription::with(&channel, ChannelStatus::Updating, &settings);
        Ok(Output { channel })
    }
}

impl HasTarget for UpdateChannel {
    fn target(_context: &Context, input: &Input) -> Result<Target, Error> {
        channel_target(&input.arn)
    }
}

/// The changes that an UpdateChannel request asks for.
struct Changes<'a> {
    /// The new data freshness in seconds for each kind of destination that the request contains. A
    /// request with both kinds of destination is refused.
    freshness_s: Vec<(DestinationKind, u32)>,
    logging: Option<&'a ChannelLoggingConfiguration>,
}

impl<'a> Changes<'a> {
    fn of(input: &'a Input) -> Result<Self, Error> {
        let logging = input.logging.as_ref();
        let blocks = [
            (DestinationKind::S3, &input.s3),
            (DestinationKind::S3Tables, &input.tables),
        ];
        let mut freshness_s = Vec::new();
        for (kind, block) in blocks {
            if let Some(block) = block {
                freshness_s.push((kind, checked_freshness(block.freshness)?));
            }
        }
        match freshness_s.is_empty() && logging.is_none() {
            true => Err(Error::channel_update_empty()),
            false => Ok(Self {
                freshness_s,
                logging,
            }),
        }
    }

    /// Refuses a request with a member for a kind of destination that the channel does not have.
    /// `kind` is the kind of the channel's destination.
    fn check_kind(&self, kind: DestinationKind) -> Result<(), Error> {
        let other = self.freshness_s.iter().find(|(given, _)| *given != kind);
        let member = match other {
            None => return Ok(()),
            Some((DestinationKind::S3, _)) => "S3DestinationConfiguration",
            Some((DestinationKind::S3Tables, _)) => "S3TablesDestinationConfiguration",
        };
        Err(Error::channel_update_other_destination(member, kind))
    }

    fn plan(
        &self,
        channel: &Channel,
        status: ChannelStatus,
        before: &ChannelSettings,
    ) -> Result<ChannelSettings, Error> {
        if status != ChannelStatus::Active {
            let account = channel.arn.scope.account;
            return Err(Error::channel_not_active(&channel.name, account, status));
        }
        let mut settings = before.clone();
        if let Some((_, freshness_s)) = self.freshness_s.first() {
            settings.freshness_s = *freshness_s;
        }
        if let Some(logging) = self.logging {
            let log = changed_log(&before.log, logging);
            settings.log = log.with_defaults(&channel.name, &channel.arn.id);
        }
        Ok(settings)
    }
}
