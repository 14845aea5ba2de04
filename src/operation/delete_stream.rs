//! DeleteStream: a stream with its records, tags and shards.
use super::prelude::*;
use crate::engine::DeleteError;

pub(super) struct DeleteStream;

input! { pub struct Input {
    .. stream: StreamRef,
    #[allow(dead_code, reason = "no stream has consumers yet, so there is nothing to enforce")]
    "EnforceConsumerDeletion" => enforce_consumer_deletion: Option<Truth>,
} }

impl Operation for DeleteStream {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let stream = context.stream(&input.stream)?;
        let account = stream.arn.scope.account;
        context
            .engine
            .delete(&stream)
            .await
            .map_err(|error| match error {
                DeleteError::NotActive(status) => Error::stream_not_active(&stream.arn, status),
                DeleteError::TooManyInTransition(limit) => {
                    Error::too_many_in_transition(account, limit)
                }
                DeleteError::Store => Error::internal(),
            })?;
        Ok(Nothing)
    }
}
