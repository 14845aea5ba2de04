//! CreateStream: creates a provisioned or an on-demand stream.
use super::prelude::*;
use crate::engine::{CreateError, NewStream, StreamSettings, new_settings};
use crate::model::{self, StreamArn};

pub(super) struct CreateStream;

input! { pub struct Input {
    "ShardCount" => shard_count: Option<PositiveIntegerObject>,
    "StreamName" => name: StreamName,
    "StreamModeDetails" => mode: Option<StreamModeDetailsInput>,
    "Tags" => tags: Option<TagMap>,
    "WarmThroughputMiBps" => warm_throughput: Option<NaturalIntegerObject>,
    "MaxRecordSizeInKiB" => max_record_size: Option<MaxRecordSizeInKiB>,
    "RecordDistributionStrategy" => strategy: Option<RecordDistributionStrategy>,
} }

impl Operation for CreateStream {
    type Input = Input;
    type Output = Nothing;

    fn also_requires(context: &Context, input: &Input) -> Vec<(&'static str, Target)> {
        let arn = || context.arn(input.name.as_str());
        let tags = input.tags.as_ref();
        let tags = tags.map(|_| ("AddTagsToStream", Target::Stream(arn())));
        tags.into_iter().collect()
    }

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let (arn, stream) = new_stream(context, input)?;
        let shards = stream.shards;
        let created = context.engine.create(arn.clone(), stream).await;
        created.map_err(|error| refusal(error, &arn, shards.into()))?;
        Ok(Nothing)
    }
}

/// Checks a CreateStream request. Returns the ARN and the definition of the new stream.
pub(super) fn new_stream(context: &Context, input: Input) -> Result<(StreamArn, NewStream), Error> {
    let arn = context.arn(input.name.as_str());
    let mode = mode_of(&input)?;
    let (engine, wanted) = (&context.engine, input.warm_throughput);
    let warm_throughput = wanted.map(|wanted| {
        let committed = engine.commitment(&arn.scope).is_enabled();
        check_warm_throughput(&arn, committed, &engine.limits, wanted)
    });
    let settings = StreamSettings {
        max_record_kib: input.max_record_size.map_or(limits::RECORD_KIB, |size| {
            u32::try_from(size.0).expect("the shape demands at least 1024")
        }),
        auto_distribution: input.strategy == Some(RecordDistributionStrategy::Auto),
        warm_throughput_mibps: warm_throughput.transpose()?,
        ..new_settings(mode)
    };
    let by_demand = settings.warm_throughput_mibps.unwrap_or_default();
    let stream = NewStream {
        shards: input
            .shard_count
            .map_or(limits::ON_DEMAND_SHARDS.max(by_demand), |count| {
                u32::try_from(count.0).expect("the shape demands at least 1")
            }),
        settings,
        tags: tag_texts(input.tags),
        at_once: false,
    };
    Ok((arn, stream))
}

impl HasTarget for CreateStream {
    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        Ok(Target::Stream(context.arn(input.name.as_str())))
    }
}

/// Returns the capacity mode of the new stream. A request with a shard count but without a mode
/// asks for PROVISIONED.
///
/// # Errors
/// The request has members that do not fit the mode.
fn mode_of(input: &Input) -> Result<model::StreamMode, Error> {
    if input.warm_throughput.is_some() && input.shard_count.is_some() {
        return Err(Error::warm_throughput_and_shard_count());
    }
    let on_demand = input
        .mode
        .as_ref()
        .map_or(input.shard_count.is_none(), |details| {
            details.mode == StreamMode::OnDemand
        });
    if on_demand {
        return match input.shard_count {
            Some(_) => Err(Error::shard_count_not_expected()),
            None => Ok(model::StreamMode::OnDemand),
        };
    }
    if input.warm_throughput.is_some() {
        return Err(Error::warm_throughput_of_provisioned());
    }
    if input.shard_count.is_none() {
        return Err(Error::shard_count_required());
    }
    if input.strategy == Some(RecordDistributionStrategy::Auto) {
        return Err(Error::auto_distribution_not_expected());
    }
    Ok(model::StreamMode::Provisioned)
}

/// Returns the exception for a stream that the engine refuses to create with `shards` shards.
pub(super) fn refusal(error: CreateError, arn: &StreamArn, shards: u64) -> Error {
    let account = arn.scope.account;
    match error {
        CreateError::Exists => Error::stream_exists(arn),
        CreateError::TooManyInTransition(limit) => Error::too_many_in_transition(account, limit),
        CreateError::TooManyOnDemand { open, limit } => {
            Error::too_many_on_demand(account, arn.scope.region.as_str(), open, limit)
        }
        CreateError::TooManyShards { open, limit } => {
            Error::too_many_shards(arn, open, limit, shards)
        }
        CreateError::Tags(fault) => tag_refusal(fault, TagOwner::stream(arn)),
        CreateError::Store => Error::internal(),
    }
}
