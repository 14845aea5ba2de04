//! ListQueues: lists one page of the caller's queues, sorted by name (a choice).
use super::prelude::*;
use crate::engine::queue::Queue;
use crate::model::StreamArn;

pub(super) struct ListQueues;

input! { pub struct Input {
    "MaxResults" => max_results: Option<ListQueuesInputLimit>,
    "NextToken" => token: Option<NextToken>,
    "StreamFilter" => filter: Option<QueueStreamFilterList>,
} }

output! { pub struct Output {
    "NextToken" => token: Option<String>,
    "QueueSummaries" => queues: Vec<QueueSummary>,
} }

output! {
    /// An entry of a list of queues.
    pub struct QueueSummary {
        "QueueARN" => arn: String,
        "QueueCreationTimestamp" => created: Timestamp,
        "QueueName" => name: String,
        "QueueStatus" => status: &'static str,
        "Streams" => streams: Vec<QueueStream>,
    }
}

output! {
    /// The stream that a listed queue belongs to.
    pub struct QueueStream {
        "StreamARN" => arn: String,
        "StreamCreationTimestamp" => created: Timestamp,
    }
}
document!(Output);
present!(QueueSummary, QueueStream);

const TOKEN: &str = "queues";

impl Operation for ListQueues {
    type Input = Input;
    type Output = Output;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let filter = Filter::of(input.filter.as_ref());
        let start = match &input.token {
            None => None,
            Some(token) => {
                let [last, filtered] = open_token(context, TOKEN, token)?;
                // A token is valid only with the filter of the first page.
                if filtered != filter.text() {
                    return Err(Error::token_invalid());
                }
                Some(last)
            }
        };
        let page = page_size(input.max_results.map(|limit| limit.0), limits::QUEUES_PAGE);
        let (engine, scope) = (&context.engine, &context.caller);
        let wanted = |queue: &Queue| filter.admits(queue);
        let (queues, has_more) = engine.list_queues(scope, start.as_deref(), page, wanted);
        let last = queues.last().filter(|_| has_more);
        let token = last.map(|last| {
            let fields = vec![last.name.to_string(), filter.text()];
            seal_token(context, TOKEN, fields)
        });
        let queues = queues.iter().map(|queue| QueueSummary::of(queue)).collect();
        Ok(Output { token, queues })
    }
}

impl HasTarget for ListQueues {
    fn target(context: &Context, _input: &Input) -> Result<Target, Error> {
        Ok(Target::Account(context.caller.clone()))
    }
}

/// The streams whose queues are listed, each with its creation time if the request gives one. An
/// empty list admits all queues.
struct Filter(Vec<(Option<StreamArn>, Option<Timestamp>)>);

impl Filter {
    /// The filter that a request gives. An ARN that cannot be parsed admits no queue.
    fn of(given: Option<&QueueStreamFilterList>) -> Self {
        let streams = given.map(|given| given.0.as_slice()).unwrap_or_default();
        let stream =
            |stream: &QueueStreamFilter| (StreamArn::parse(stream.arn.as_str()), stream.created);
        Self(streams.iter().map(stream).collect())
    }

    /// True when the queue's stream is one of the filter's streams. Creation times are compared in
    /// whole seconds, because answers show whole seconds.
    fn admits(&self, queue: &Queue) -> bool {
        let stream = &queue.stream;
        let mut wanted = self.0.iter();
        self.0.is_empty()
            || wanted.any(|(arn, created)| {
                let same = created.is_none_or(|c| c.seconds() == stream.created.seconds());
                same && arn.as_ref() == Some(&stream.arn)
            })
    }

    fn text(&self) -> String {
        let stream = |(arn, created): &(Option<StreamArn>, Option<Timestamp>)| {
            let arn = arn.as_ref().map(ToString::to_string).unwrap_or_default();
            let created = created.map(|created| created.millis().to_string());
            format!("{arn} {};", created.unwrap_or_default())
        };
        self.0.iter().map(stream).collect()
    }
}

impl QueueSummary {
    fn of(queue: &Queue) -> Self {
        Self {
            arn: queue.arn.to_string(),
            created: whole_seconds(queue.created),
            name: queue.name.to_string(),
            status: queue.describe().status.as_str(),
            streams: vec![QueueStream {
                arn: queue.stream.arn.to_string(),
                created: whole_seconds(queue.stream.created),
            }],
        }
    }
}
