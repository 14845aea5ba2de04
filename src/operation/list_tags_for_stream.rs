//! ListTagsForStream: lists one page of a stream's tags, sorted by key.
use super::prelude::*;

pub(super) struct ListTagsForStream;

input! { pub struct Input {
    "Limit" => limit: Option<ListTagsForStreamInputLimit>,
    "ExclusiveStartTagKey" => exclusive_start: Option<TagKey>,
    .. stream: StreamRef,
} }

output! { pub struct Output {
    "HasMoreTags" => has_more: bool,
    "Tags" => tags: TagList,
} }
document!(Output);

impl Operation for ListTagsForStream {
    type Input = Input;
    type Output = Output;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let stream = context.stream(&input.stream)?;
        let TagList(mut tags) = stream.look(|state| TagList::of(&state.tags));
        if let Some(start) = &input.exclusive_start {
            tags.retain(|tag| tag.key.as_str() > start.as_str());
        }
        let page = input.limit.and_then(|limit| usize::try_from(limit.0).ok());
        let page = page.unwrap_or(usize::MAX);
        let has_more = tags.len() > page;
        tags.truncate(page);
        Ok(Output {
            has_more,
            tags: TagList(tags),
        })
    }
}
