//! DeregisterStreamConsumer: removes a consumer from a stream. The present subscriptions of the
//! consumer continue.
use super::prelude::*;
use crate::engine::{ConsumerStatus, consumer_arn, consumer_status};

pub(super) struct DeregisterStreamConsumer;

input! { pub struct Input {
    .. consumer: ConsumerRef,
    "StreamId" => _id: Ignored<StreamId>,
} }

impl Operation for DeregisterStreamConsumer {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let (stream, name, consumer) = find_consumer(context, &input.consumer)?;
        let arn = consumer_arn(&stream.arn, &name, &consumer);
        let left = context.engine.deregister(&stream, &name, |state| {
            match state.consumers.get(&name).map(consumer_status) {
                None => Err(Error::consumer_not_found(&arn)),
                Some(ConsumerStatus::Deleting) => Err(Error::consumer_not_active(&arn)),
                Some(ConsumerStatus::Creating | ConsumerStatus::Active) => Ok(()),
            }
        });
        left.await?;
        Ok(Nothing)
    }
}

impl HasTarget for DeregisterStreamConsumer {
    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        consumer_target(context, &input.consumer)
    }
}
