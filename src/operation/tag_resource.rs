//! TagResource: adds tags to a stream, a consumer, a queue or a channel. A tag replaces an existing
//! tag with the same key.
use super::prelude::*;

pub(super) struct TagResource;

input! { pub struct Input {
    "Tags" => tags: TagMap,
    "ResourceARN" => arn: ResourceARN,
    "StreamId" => _id: Ignored<StreamId>,
} }

impl Operation for TagResource {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let resource = Resource::find(context, &input.arn)?;
        let owner = resource.tag_owner(&input.arn);
        resource
            .amend(context, |of| add_tags(context, owner, of.tags, &input.tags))
            .await?;
        Ok(Nothing)
    }
}

impl HasTarget for TagResource {
    fn target(_context: &Context, input: &Input) -> Result<Target, Error> {
        resource_target(&input.arn)
    }
}
