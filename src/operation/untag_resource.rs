//! UntagResource: removes tags from a stream, a consumer, a queue or a channel.
use super::prelude::*;

pub(super) struct UntagResource;

input! { pub struct Input {
    "TagKeys" => keys: TagKeyList,
    "ResourceARN" => arn: ResourceARN,
    "StreamId" => _id: Ignored<StreamId>,
} }

impl Operation for UntagResource {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let resource = Resource::find(context, &input.arn)?;
        let owner = resource.tag_owner(&input.arn);
        resource
            .amend(context, |of| remove_tags(owner, of.tags, &input.keys))
            .await?;
        Ok(Nothing)
    }
}

impl HasTarget for UntagResource {
    fn target(_context: &Context, input: &Input) -> Result<Target, Error> {
        resource_target(&input.arn)
    }
}
