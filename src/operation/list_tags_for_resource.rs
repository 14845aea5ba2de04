//! ListTagsForResource: lists all tags of a stream, a consumer, a queue or a channel.
use super::prelude::*;

pub(super) struct ListTagsForResource;

input! { pub struct Input {
    "ResourceARN" => arn: ResourceARN,
    "StreamId" => _id: Ignored<StreamId>,
} }

output! { pub struct Output { "Tags" => tags: TagList, } }
document!(Output);

impl Operation for ListTagsForResource {
    type Input = Input;
    type Output = Output;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let resource = Resource::find(context, &input.arn)?;
        let tags = resource.look(|tags, _| TagList::of(tags))?;
        Ok(Output { tags })
    }
}

impl HasTarget for ListTagsForResource {
    fn target(_context: &Context, input: &Input) -> Result<Target, Error> {
        resource_target(&input.arn)
    }
}
