//! ListStreamConsumers: a stream's consumers by name, page by page.
use super::prelude::*;

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
            Some(_) if input.created.is_some() => {
                return Err(Error::token_with("StreamCreationTimestamp"));
            }
            Some(token) => {
                let [arn, after] = open_token(context, TOKEN, token)?;
                if arn != input.arn.as_str() {
                    return Err(Error::token_invalid());
                }
                Some(after)
            }
        };
        let stream = context.stream_by_arn(&input.arn)?;
        if input
            .created
            .is_some_and(|created| created.seconds() != stream.created.seconds())
        {
            return Err(Error::stream_not_found(&stream.arn));
        }
        let page = input.max_results.map_or(limits::CONSUMERS_PAGE, |limit| {
            usize::try_from(limit.0)
                .unwrap_or_default()
                .min(limits::CONSUMERS_PAGE)
        });
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
            seal_token(
                context,
                TOKEN,
                vec![input.arn.to_string(), last.name.clone()],
            )
        });
        Ok(Output { consumers, token })
    }
}

impl HasTarget for ListStreamConsumers {
    fn target(_context: &Context, input: &Input) -> Result<Target, Error> {
        parse_arn(&input.arn).map(Target::Stream)
    }
}
