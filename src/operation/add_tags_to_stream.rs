//! AddTagsToStream: adds tags to a stream. A tag replaces an existing tag with the same key.
use super::prelude::*;

pub(super) struct AddTagsToStream;

input! { pub struct Input {
    "Tags" => tags: TagMap,
    .. stream: StreamRef,
} }

impl Operation for AddTagsToStream {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let stream = context.stream(&input.stream)?;
        let amended = context.engine.amend(&stream, |state, _| {
            check_settled(&stream.arn, state)?;
            add_tags(
                context,
                TagOwner::stream(&stream.arn),
                &mut state.tags,
                &input.tags,
            )
        });
        amended.await?;
        Ok(Nothing)
    }
}
