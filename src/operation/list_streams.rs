//! ListStreams: lists one page of the caller's streams, sorted by name.
use super::prelude::*;
use crate::engine::Stream;

pub(super) struct ListStreams;

input! { pub struct Input {
    "Limit" => limit: Option<ListStreamsInputLimit>,
    "ExclusiveStartStreamName" => exclusive_start: Option<StreamName>,
    "NextToken" => token: Option<NextToken>,
} }

output! { pub struct Output {
    "HasMoreStreams" => has_more: bool,
    "NextToken" => token: Option<String>,
    "StreamNames" => names: Vec<String>,
    "StreamSummaries" => summaries: Vec<StreamSummary>,
} }

output! {
    /// A stream in the answer of ListStreams, with its status and its capacity mode.
    pub struct StreamSummary {
        "StreamARN" => arn: String,
        "StreamCreationTimestamp" => created: Timestamp,
        "StreamModeDetails" => mode: StreamModeDetails,
        "StreamName" => name: String,
        "StreamStatus" => status: &'static str,
    }
}
document!(Output);
present!(StreamSummary);

const TOKEN: &str = "streams";

impl Operation for ListStreams {
    type Input = Input;
    type Output = Output;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let start = match &input.token {
            Some(_) if input.exclusive_start.is_some() => {
                return Err(Error::token_with_start_name());
            }
            Some(token) => {
                let [last] = open_token(context, TOKEN, token)?;
                Some(last)
            }
            None => input.exclusive_start.map(|name| name.to_string()),
        };
        let page = page_size(input.limit.map(|limit| limit.0), limits::STREAMS_PAGE);
        let (streams, has_more) = context.engine.list(&context.caller, start.as_deref(), page);
        let names: Vec<_> = streams
            .iter()
            .map(|stream| stream.arn.name.to_string())
            .collect();
        let last = names.last().filter(|_| has_more);
        let token = last.map(|last| seal_token(context, TOKEN, vec![last.clone()]));
        let summaries = streams
            .iter()
            .map(|stream| StreamSummary::of(stream))
            .collect();
        Ok(Output {
            has_more,
            token,
            names,
            summaries,
        })
    }
}

impl HasTarget for ListStreams {
    fn target(context: &Context, _input: &Input) -> Result<Target, Error> {
        Ok(Target::Account(context.caller.clone()))
    }
}

impl StreamSummary {
    fn of(stream: &Stream) -> Self {
        let properties = stream.properties();
        Self {
            arn: stream.arn.to_string(),
            created: whole_seconds(stream.created),
            mode: StreamModeDetails::of(properties.mode),
            name: stream.arn.name.to_string(),
            status: properties.status.as_str(),
        }
    }
}
