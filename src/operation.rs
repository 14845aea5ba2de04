//! The operations: one file each, and the table from which all else about them is derived.
#![allow(
    unreachable_pub,
    reason = "shapes are declared public and reached through the table"
)]

mod add_tags_to_stream;
mod create_stream;
mod decrease_stream_retention_period;
mod delete_resource_policy;
mod delete_stream;
mod deregister_stream_consumer;
mod describe_account_settings;
mod describe_limits;
mod describe_stream;
mod describe_stream_consumer;
mod describe_stream_summary;
mod disable_enhanced_monitoring;
mod enable_enhanced_monitoring;
mod get_records;
mod get_resource_policy;
mod get_shard_iterator;
mod increase_stream_retention_period;
mod list_shards;
mod list_stream_consumers;
mod list_streams;
mod list_tags_for_resource;
mod list_tags_for_stream;
mod merge_shards;
mod permission;
mod prelude;
mod put_record;
mod put_records;
mod put_resource_policy;
mod register_stream_consumer;
mod remove_tags_from_stream;
mod shapes;
mod shared;
mod split_shard;
mod start_stream_encryption;
mod stop_stream_encryption;
mod subscribe_to_shard;
mod tag_resource;
mod untag_resource;
mod update_account_settings;
mod update_max_record_size;
mod update_shard_count;
mod update_stream_mode;
mod update_stream_record_distribution_strategy;
mod update_stream_warm_throughput;

pub use permission::Sender;
pub use subscribe_to_shard::Events;

use crate::admission::BudgetPermit;
use crate::engine::Engine;
use crate::error::Error;
use crate::model::{AccountRegion, Target};
use crate::wire::{self, Explained, Format, Node, Shape, Shaped};
use crate::world::Point;
use bytes::Bytes;
use std::pin::Pin;
use std::sync::Arc;

/// What an operation is handed: the state, and whose request it is.
#[derive(Debug, Clone)]
pub struct Context {
    /// All streams of all accounts.
    pub engine: Arc<Engine>,
    /// Account and region of the request.
    pub caller: AccountRegion,
    /// Who sends it, where policies say who may do what.
    pub sender: Option<Sender>,
}

/// An operation of the service.
pub trait Operation {
    /// What it takes; the type carries the rules.
    type Input: Shaped + Send;
    /// What it answers.
    type Output: Reply + Send;
    /// Whether a resource's policy can allow it, to other accounts too (of AWS's guide; for
    /// DescribeStream the guide's text, its table lists the summary only).
    const SHARED: bool = false;

    /// What the request is about, as policies name it; what is not there has a name too.
    ///
    /// # Errors
    /// When the request does not name what it is about.
    fn target(context: &Context, input: &Self::Input) -> Result<Target, Error>;

    /// What else the request does, as another operation that policies have to allow as well.
    fn beside(_context: &Context, _input: &Self::Input) -> Option<(&'static str, Target)> {
        None
    }

    /// Does it.
    fn run(
        context: &Context,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send;

    /// Whether members that are only expected may be absent in this request.
    fn tolerates_missing(_context: &Context, _input: &Node) -> bool {
        false
    }
}

/// What an operation answers.
pub trait Reply {
    /// Names of the members, as the service model spells them.
    const MEMBERS: &'static [&'static str];

    /// About how many bytes the answer will have, where that can be many.
    fn size_bytes(&self) -> usize;

    /// The answer in `format`, with the room that was made for it.
    fn answer(self, format: Format, share: Option<BudgetPermit>) -> Answer;
}

/// An answer in its format.
#[derive(Debug)]
pub enum Answer {
    /// All of it; empty for an operation without output.
    Whole(Vec<u8>, Option<BudgetPermit>),
    /// Frames, as they come.
    Events(Box<Events>),
}

impl<T: Document> Reply for T {
    const MEMBERS: &'static [&'static str] = <T as Document>::MEMBERS;

    fn size_bytes(&self) -> usize {
        Document::size_bytes(self)
    }

    fn answer(self, format: Format, share: Option<BudgetPermit>) -> Answer {
        Answer::Whole(self.encode(format), share)
    }
}

/// An answer that is one document.
pub trait Document {
    /// Names of the members, as the service model spells them.
    const MEMBERS: &'static [&'static str];

    /// About how many bytes it will have, where that can be many.
    fn size_bytes(&self) -> usize {
        0
    }

    /// The body in `format`; empty for an operation without output.
    fn encode(&self, format: Format) -> Vec<u8>;
}

/// The answer of an operation without output: an empty body, in either format.
#[derive(Debug)]
pub struct Nothing;

impl Document for Nothing {
    const MEMBERS: &'static [&'static str] = &[];

    fn encode(&self, _format: Format) -> Vec<u8> {
        Vec::new()
    }
}

type Running = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>>;

/// One row of the table of operations.
pub struct Entry {
    /// The name, as the target header spells it.
    pub name: &'static str,
    /// What it takes.
    pub input: &'static Shape,
    /// Names of the members it answers.
    pub output: &'static [&'static str],
    run: fn(&'static Entry, Context, Bytes, Format) -> Running,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Entry {
    const fn of<O: Operation + 'static>(name: &'static str) -> Self {
        Self {
            name,
            input: <O::Input as Shaped>::SHAPE,
            output: <O::Output as Reply>::MEMBERS,
            run: |entry, context, body, format| Box::pin(run::<O>(entry, context, body, format)),
        }
    }

    /// The operation called `name`.
    pub fn find(name: &str) -> Option<&'static Self> {
        let at = OPERATIONS
            .binary_search_by(|entry| entry.name.cmp(name))
            .ok()?;
        Some(&OPERATIONS[at])
    }

    /// Where it stands in the table.
    pub fn position(&'static self) -> usize {
        let distance = std::ptr::from_ref(self).addr() - OPERATIONS.as_ptr().addr();
        distance / size_of::<Self>()
    }

    /// From a request's body to its answer.
    ///
    /// # Errors
    /// The exception that the service would answer.
    pub async fn answer(
        &'static self,
        context: Context,
        body: Bytes,
        format: Format,
    ) -> Result<Answer, Error> {
        (self.run)(self, context, body, format).await
    }
}

/// Every operation there is, sorted by name.
pub static OPERATIONS: &[Entry] = &[
    Entry::of::<add_tags_to_stream::AddTagsToStream>("AddTagsToStream"),
    Entry::of::<create_stream::CreateStream>("CreateStream"),
    Entry::of::<decrease_stream_retention_period::DecreaseStreamRetentionPeriod>(
        "DecreaseStreamRetentionPeriod",
    ),
    Entry::of::<delete_resource_policy::DeleteResourcePolicy>("DeleteResourcePolicy"),
    Entry::of::<delete_stream::DeleteStream>("DeleteStream"),
    Entry::of::<deregister_stream_consumer::DeregisterStreamConsumer>("DeregisterStreamConsumer"),
    Entry::of::<describe_account_settings::DescribeAccountSettings>("DescribeAccountSettings"),
    Entry::of::<describe_limits::DescribeLimits>("DescribeLimits"),
    Entry::of::<describe_stream::DescribeStream>("DescribeStream"),
    Entry::of::<describe_stream_consumer::DescribeStreamConsumer>("DescribeStreamConsumer"),
    Entry::of::<describe_stream_summary::DescribeStreamSummary>("DescribeStreamSummary"),
    Entry::of::<disable_enhanced_monitoring::DisableEnhancedMonitoring>(
        "DisableEnhancedMonitoring",
    ),
    Entry::of::<enable_enhanced_monitoring::EnableEnhancedMonitoring>("EnableEnhancedMonitoring"),
    Entry::of::<get_records::GetRecords>("GetRecords"),
    Entry::of::<get_resource_policy::GetResourcePolicy>("GetResourcePolicy"),
    Entry::of::<get_shard_iterator::GetShardIterator>("GetShardIterator"),
    Entry::of::<increase_stream_retention_period::IncreaseStreamRetentionPeriod>(
        "IncreaseStreamRetentionPeriod",
    ),
    Entry::of::<list_shards::ListShards>("ListShards"),
    Entry::of::<list_stream_consumers::ListStreamConsumers>("ListStreamConsumers"),
    Entry::of::<list_streams::ListStreams>("ListStreams"),
    Entry::of::<list_tags_for_resource::ListTagsForResource>("ListTagsForResource"),
    Entry::of::<list_tags_for_stream::ListTagsForStream>("ListTagsForStream"),
    Entry::of::<merge_shards::MergeShards>("MergeShards"),
    Entry::of::<put_record::PutRecord>("PutRecord"),
    Entry::of::<put_records::PutRecords>("PutRecords"),
    Entry::of::<put_resource_policy::PutResourcePolicy>("PutResourcePolicy"),
    Entry::of::<register_stream_consumer::RegisterStreamConsumer>("RegisterStreamConsumer"),
    Entry::of::<remove_tags_from_stream::RemoveTagsFromStream>("RemoveTagsFromStream"),
    Entry::of::<split_shard::SplitShard>("SplitShard"),
    Entry::of::<start_stream_encryption::StartStreamEncryption>("StartStreamEncryption"),
    Entry::of::<stop_stream_encryption::StopStreamEncryption>("StopStreamEncryption"),
    Entry::of::<subscribe_to_shard::SubscribeToShard>("SubscribeToShard"),
    Entry::of::<tag_resource::TagResource>("TagResource"),
    Entry::of::<untag_resource::UntagResource>("UntagResource"),
    Entry::of::<update_account_settings::UpdateAccountSettings>("UpdateAccountSettings"),
    Entry::of::<update_max_record_size::UpdateMaxRecordSize>("UpdateMaxRecordSize"),
    Entry::of::<update_shard_count::UpdateShardCount>("UpdateShardCount"),
    Entry::of::<update_stream_mode::UpdateStreamMode>("UpdateStreamMode"),
    Entry::of::<update_stream_record_distribution_strategy::UpdateStreamRecordDistributionStrategy>(
        "UpdateStreamRecordDistributionStrategy",
    ),
    Entry::of::<update_stream_warm_throughput::UpdateStreamWarmThroughput>(
        "UpdateStreamWarmThroughput",
    ),
];

async fn run<O: Operation>(
    entry: &'static Entry,
    context: Context,
    body: Bytes,
    format: Format,
) -> Result<Answer, Error> {
    let passed = context.engine.world.pass(Point::Decode).await;
    passed.map_err(|_| Error::internal())?;
    let input = match wire::decode(format, &body) {
        Some(input) => input,
        None => explain::<O>(&context, &body, format)?,
    };
    permission::check::<O>(&context, entry.name, &input)?;
    check_rate(&context, entry, &body, format)?;
    drop(body);
    let output = O::run(&context, input).await?;
    let bytes = output.size_bytes() as u64;
    let share = context.engine.admission.answer(bytes).await;
    Ok(output.answer(format, share.map_err(|_| Error::unavailable())?))
}

/// Whether the operation may be called now; only the strict profile asks.
fn check_rate(context: &Context, entry: &Entry, body: &[u8], format: Format) -> Result<(), Error> {
    let Some(rate) = context.engine.limits.calls.of(entry.name) else {
        return Ok(());
    };
    let stream = shared::named_stream(format, body);
    if context
        .engine
        .admits_call(&context.caller, rate, stream.as_deref())
    {
        return Ok(());
    }
    let account = context.caller.account;
    Err(match stream {
        Some(stream) => Error::stream_call_rate_exceeded(rate.name, &stream, account),
        None => Error::account_call_rate_exceeded(rate.name, account),
    })
}

/// The slow way, for a body that the fast reader refused.
fn explain<O: Operation>(
    context: &Context,
    body: &[u8],
    format: Format,
) -> Result<O::Input, Error> {
    let shape = <O::Input as Shaped>::SHAPE;
    match wire::explain(format, body, shape, |input| {
        O::tolerates_missing(context, input)
    }) {
        Explained::Fine(input) => Ok(input),
        Explained::Unreadable => Err(Error::unreadable()),
        Explained::Mistyped(mismatch) => Err(Error::mistyped(mismatch.0)),
        Explained::Invalid(report) => Err(Error::invalid(report.message())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_without_doubles() {
        assert!(
            OPERATIONS
                .windows(2)
                .all(|pair| pair[0].name < pair[1].name)
        );
    }

    #[test]
    fn a_row_knows_where_it_stands() {
        for (position, entry) in OPERATIONS.iter().enumerate() {
            assert_eq!(entry.position(), position);
        }
    }
}
