//! The events of a subscription.

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::SdkError;
use aws_sdk_kinesis::operation::subscribe_to_shard::{
    SubscribeToShardError, SubscribeToShardOutput,
};
use aws_sdk_kinesis::types::error::SubscribeToShardEventStreamError;
use aws_sdk_kinesis::types::{
    StartingPosition, SubscribeToShardEvent, SubscribeToShardEventStream,
};

type Subscribed = Result<SubscribeToShardOutput, SdkError<SubscribeToShardError>>;

pub async fn subscribe(
    client: &Client,
    consumer: &str,
    shard: &str,
    position: StartingPosition,
) -> Subscribed {
    let call = client
        .subscribe_to_shard()
        .consumer_arn(consumer)
        .shard_id(shard);
    call.starting_position(position).send().await
}

/// The next event, or none once the stream has ended.
pub async fn next_event(
    stream: &mut SubscribeToShardOutput,
) -> Result<Option<SubscribeToShardEvent>, SubscribeToShardEventStreamError> {
    match stream.event_stream.recv().await {
        Ok(None) => Ok(None),
        Ok(Some(SubscribeToShardEventStream::SubscribeToShardEvent(event))) => Ok(Some(event)),
        Ok(Some(other)) => panic!("an event that is none: {other:?}"),
        Err(error) => Err(error.into_service_error()),
    }
}
