//! DeleteStream: deletes a stream with its records, tags and shards.
use super::prelude::*;
use crate::engine::DeleteError;
use crate::model::StreamArn;

pub(super) struct DeleteStream;

input! { pub struct Input {
    .. stream: StreamRef,
    "EnforceConsumerDeletion" => enforce_consumer_deletion: Option<Truth>,
} }

impl Operation for DeleteStream {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let stream = context.stream(&input.stream)?;
        let with_consumers = input.enforce_consumer_deletion == Some(Truth(true));
        let deleted = context.engine.delete(&stream, with_consumers).await;
        deleted.map_err(|error| refusal(error, &stream.arn))?;
        Ok(Nothing)
    }
}

fn refusal(error: DeleteError, arn: &StreamArn) -> Error {
    match error {
        DeleteError::NotActive(status) => Error::stream_not_active(arn, status),
        DeleteError::HasConsumers => Error::stream_has_consumers(arn),
        DeleteError::HasQueues => Error::stream_has_queues(arn),
        DeleteError::HasChannels => Error::stream_has_channels(arn),
        DeleteError::TooManyInTransition(limit) => {
            Error::too_many_in_transition(arn.scope.account, limit)
        }
        DeleteError::Store => Error::internal(),
    }
}
