//! RegisterStreamConsumer: registers a consumer for enhanced fan-out.
use super::prelude::*;
use crate::engine::{ConsumerStatus, StreamState, consumer_status};
use crate::limits::Limits;
use crate::model::{ConsumerArn, StreamArn, Tags};

pub(super) struct RegisterStreamConsumer;

input! { pub struct Input {
    "StreamARN" => stream: StreamARN,
    "ConsumerName" => name: ConsumerName,
    "Tags" => tags: Option<TagMap>,
    "StreamId" => _id: Ignored<StreamId>,
} }

output! { pub struct Output { "Consumer" => consumer: ConsumerDescription, } }
document!(Output);

impl Operation for RegisterStreamConsumer {
    type Input = Input;
    type Output = Output;

    fn also_requires(context: &Context, input: &Input) -> Vec<(&'static str, Target)> {
        let stream = input
            .tags
            .as_ref()
            .and_then(|_| parse_arn(context, &input.stream).ok());
        let Some(stream) = stream else {
            return Vec::new();
        };
        let now = context.engine.world.clock.now();
        let consumer = ConsumerArn {
            stream,
            name: input.name.as_str().into(),
            created_s: u64::try_from(now.seconds()).unwrap_or_default(),
        };
        vec![("TagResource", Target::Consumer(consumer))]
    }

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let stream = context.stream_by_arn(&input.stream)?;
        let name = input.name.as_str();
        let mut tags = Tags::default();
        let refused = input.tags.as_ref().map_or(Ok(()), |given| {
            add_tags(context, TagOwner::stream(&stream.arn), &mut tags, given)
        });
        let limits = &context.engine.limits;
        let check = |state: &StreamState, committed| {
            check_consumer(&stream.arn, state, limits, committed, name)?;
            refused
        };
        let registered = context
            .engine
            .register(&stream, name, tags.into_map(), check)
            .await?;
        let mut consumer = ConsumerDescription::of(&stream.arn, name, &registered);
        // The service answers CREATING even if the consumer is ACTIVE immediately.
        consumer.status = ConsumerStatus::Creating.as_str();
        Ok(Output { consumer })
    }
}

impl HasTarget for RegisterStreamConsumer {
    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        parse_arn(context, &input.stream).map(Target::Stream)
    }
}

pub(super) fn check_consumer(
    arn: &StreamArn,
    state: &StreamState,
    limits: &Limits,
    committed: bool,
    name: &str,
) -> Result<(), Error> {
    check_settled(arn, state)?;
    if state.consumers.contains_key(name) {
        return Err(Error::consumer_exists(name, arn));
    }
    check_consumer_count(arn, state, limits, committed)?;
    let consumers = state.consumers.values();
    let creating = consumers.filter(|c| consumer_status(c) == ConsumerStatus::Creating);
    let creating = creating.count() as u64;
    match limits.consumers_creating.filter(|limit| creating >= *limit) {
        Some(limit) => Err(Error::too_many_consumers_creating(arn, limit)),
        None => Ok(()),
    }
}
