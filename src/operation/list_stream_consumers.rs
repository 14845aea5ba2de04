//! ListStreamConsumers: lists one page of a stream's consumers, sorted by name.
use super::prelude::*;
use crate::engine::Stream;

pub(super) struct ListStreamConsumers;

input! { pub struct Input {
    "StreamARN" => arn: StreamARN,
    "MaxResults" => max_results: Option<ListStreamConsumersInputLimit>,
    "NextToken" => token: Option<NextToken>,
    "StreamCreationTimestamp" => created: Option<Timestamp>,
    "StreamId" => _id: Ignored<StreamId>,
} }

output! { pub struct Output {
    "Consumers" => consumers: Vec<ConsumerDescription>,
    "NextToken" => token: Option<String>,
} }
document!(Output);

const TOKEN: &str = "consumers";

impl Operation for ListStreamConsumers {
    type Input = Input;
    type Output = Output;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let after = match &input.token {
            None => None,
            Some(token) => Some(last_name(context, &input, token)?),
        };
        let stream = context.stream_by_arn(&input.arn)?;
        check_created(&stream, input.created)?;
        let page = page_size(
            input.max_results.map(|limit| limit.0),
            limits::CONSUMERS_PAGE,
        );
        let mut consumers: Vec<_> = stream.look(|state| {
            let later = state
                .consumers
                .iter()
                .filter(|(name, _)| after.as_ref() < Some(*name));
            let described = later.map(|(n, c)| ConsumerDescription::of(&stream.arn, n, c));
            described.take(page + 1).collect()
        });
        let more = consumers.len() > page;
        consumers.truncate(page);
        let last = consumers.last().filter(|_| more);
        let token = last.map(|last| {
            let fields = vec![input.arn.to_string(), last.name.clone()];
            seal_token(context, TOKEN, fields)
        });
        Ok(Output { consumers, token })
    }
}

/// Returns the name of the consumer after which the page of `token` begins.
fn last_name(context: &Context, input: &Input, token: &NextToken) -> Result<String, Error> {
    if input.created.is_some() {
        return Err(Error::token_with("StreamCreationTimestamp"));
    }
    let [arn, last] = open_token(context, TOKEN, token)?;
    if arn != input.arn.as_str() {
        return Err(Error::token_invalid());
    }
    Ok(last)
}

/// Refuses a stream whose creation time differs from the creation time in the request. The times
/// are compared in whole seconds.
fn check_created(stream: &Stream, created: Option<Timestamp>) -> Result<(), Error> {
    match created {
        Some(created) if created.seconds() != stream.created.seconds() => {
            Err(Error::stream_not_found(&stream.arn))
        }
        _ => Ok(()),
    }
}

impl HasTarget for ListStreamConsumers {
    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        parse_arn(context, &input.arn).map(Target::Stream)
    }
}
