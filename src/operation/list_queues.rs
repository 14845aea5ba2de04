//! ListQueues: lists one page of the caller's queues, sorted by name. This order is a choice.
use super::prelude::*;
use crate::engine::queue::Queue;

pub(super) struct ListQueues;

input! { pub struct Input {
    "MaxResults" => max_results: Option<ListQueuesInputLimit>,
    "NextToken" => token: Option<NextToken>,
    "StreamFilter" => filter: Option<StreamFilterList>,
} }

output! { pub struct Output {
    "NextToken" => token: Option<String>,
    "QueueSummaries" => queues: Vec<QueueSummary>,
} }

output! {
    /// A queue in the answer of ListQueues.
    pub struct QueueSummary {
        "QueueARN" => arn: String,
        "QueueCreationTimestamp" => created: Timestamp,
        "QueueName" => name: String,
        "QueueStatus" => status: &'static str,
        "Streams" => streams: Vec<StreamIdentifier>,
    }
}
document!(Output);

const TOKEN: &str = "queues";

impl Operation for ListQueues {
    type Input = Input;
    type Output = Output;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let filter = StreamFilters::of(input.filter.as_ref());
        let after = filter.after(context, TOKEN, input.token.as_ref())?;
        let page = page_size(input.max_results.map(|limit| limit.0), limits::QUEUES_PAGE);
        let (engine, scope) = (&context.engine, &context.caller);
        let wanted = |queue: &Queue| filter.admits(&queue.stream);
        let (queues, has_more) = engine.list_queues(scope, after.as_deref(), page, wanted);
        let last = queues.last().filter(|_| has_more);
        Ok(Output {
            token: last.map(|last| filter.token(context, TOKEN, &last.name)),
            queues: queues.iter().map(|queue| QueueSummary::of(queue)).collect(),
        })
    }
}

impl HasTarget for ListQueues {
    fn target(context: &Context, _input: &Input) -> Result<Target, Error> {
        Ok(Target::Account(context.caller.clone()))
    }
}

impl QueueSummary {
    fn of(queue: &Queue) -> Self {
        Self {
            arn: queue.arn.to_string(),
            created: whole_seconds(queue.created),
            name: queue.name.to_string(),
            status: queue.describe().status.as_str(),
            streams: vec![StreamIdentifier::of(&queue.stream)],
        }
    }
}
