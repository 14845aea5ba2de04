//! RemoveTagsFromStream: removes tags from a stream.
use super::prelude::*;

pub(super) struct RemoveTagsFromStream;

input! { pub struct Input {
    "TagKeys" => keys: TagKeyList,
    .. stream: StreamRef,
} }

impl Operation for RemoveTagsFromStream {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let stream = context.stream(&input.stream)?;
        let amended = context.engine.amend(&stream, |state, _| {
            check_settled(&stream.arn, state)?;
            remove_tags(TagOwner::stream(&stream.arn), &mut state.tags, &input.keys)
        });
        amended.await?;
        Ok(Nothing)
    }
}
