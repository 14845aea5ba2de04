//! ListChannels: lists one page of the caller's channels, sorted by name. This order is a choice.
use super::prelude::*;
use crate::engine::channel::Channel;

pub(super) struct ListChannels;

input! { pub struct Input {
    "StreamFilter" => filter: Option<StreamFilterList>,
    "MaxResults" => max_results: Option<ListChannelsInputLimit>,
    "NextToken" => token: Option<NextToken>,
} }

output! { pub struct Output {
    "ChannelSummaries" => channels: Vec<ChannelSummary>,
    "NextToken" => token: Option<String>,
} }

output! {
    /// A channel in the answer of ListChannels, with its status and its stream.
    pub struct ChannelSummary {
        "ChannelARN" => arn: String,
        "ChannelCreationTimestamp" => created: Timestamp,
        "ChannelDestinationType" => destination: &'static str,
        "ChannelId" => id: String,
        "ChannelName" => name: String,
        "ChannelStatus" => status: &'static str,
        "ChannelStatusReason" => reason: Option<String>,
        "Streams" => streams: Vec<StreamIdentifier>,
    }
}
document!(Output);

impl Operation for ListChannels {
    type Input = Input;
    type Output = Output;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let filter = StreamFilters::of(input.filter.as_ref());
        let after = filter.after(context, TOKEN, input.token.as_ref())?;
        let page = page_size(
            input.max_results.map(|limit| limit.0),
            limits::CHANNELS_PAGE,
        );
        let (engine, scope) = (&context.engine, &context.caller);
        let wanted = |channel: &Channel| filter.admits(&channel.stream);
        let (channels, has_more) = engine.list_channels(scope, after.as_deref(), page, wanted);
        let last = channels.last().filter(|_| has_more);
        Ok(Output {
            token: last.map(|last| filter.token(context, TOKEN, &last.name)),
            channels: channels.iter().map(|one| ChannelSummary::of(one)).collect(),
        })
    }
}

const TOKEN: &str = "channels";

impl HasTarget for ListChannels {
    fn target(context: &Context, _input: &Input) -> Result<Target, Error> {
        Ok(Target::Account(context.caller.clone()))
    }
}

impl ChannelSummary {
    fn of(channel: &Channel) -> Self {
        let described = channel.describe();
        Self {
            arn: channel.arn.to_string(),
            created: whole_seconds(channel.created),
            destination: channel.kind.as_str(),
            id: channel.arn.id.to_string(),
            name: channel.name.to_string(),
            status: described.status.as_str(),
            reason: described.reason,
            streams: vec![StreamIdentifier::of(&channel.stream)],
        }
    }
}
