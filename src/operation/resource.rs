//! Look-up of the stream, consumer, queue or channel that a ResourceARN names.

use super::consumer_ref::consumer_with_arn;
use super::context::Context;
use super::shapes::ResourceARN;
use super::stream_status::check_settled;
use crate::engine::channel::Channel;
use crate::engine::queue::Queue;
use crate::engine::{Consumer, Counts, Stream, StreamState, consumer_arn};
use crate::error::{Error, TagOwner};
use crate::model::{ChannelArn, ConsumerArn, QueueArn, StreamArn, Tags, Target};
use std::sync::Arc;

/// An existing resource that an ARN names.
pub(super) enum Resource {
    Stream(Arc<Stream>),
    /// A consumer, and the stream that it belongs to.
    Consumer(Arc<Stream>, ConsumerArn),
    Queue(Arc<Queue>),
    Channel(Arc<Channel>),
}

/// Mutable references to the tags and the policy of a resource, for a change of the resource.
pub(super) struct ResourceTags<'a> {
    pub(super) tags: &'a mut Tags,
    pub(super) policy: &'a mut Option<String>,
    /// The consumer's registration and ARN. `None` if the resource is not a consumer.
    pub(super) consumer: Option<(&'a Consumer, &'a ConsumerArn)>,
}

impl Resource {
    /// Finds the resource that an ARN names.
    pub(super) fn find(context: &Context, text: &ResourceARN) -> Result<Self, Error> {
        match resource_target(text)? {
            Target::Consumer(arn) => match consumer_with_arn(context, &arn) {
                Some((stream, _)) => Ok(Self::Consumer(stream, arn)),
                None => Err(Error::consumer_not_found(&arn)),
            },
            Target::Stream(arn) => {
                let stream = context.engine.find(&arn.scope, &arn.name);
                let stream = stream.ok_or_else(|| Error::stream_not_found(&arn))?;
                Ok(Self::Stream(stream))
            }
            Target::Queue(arn) => {
                let queue = context.engine.find_queue(&arn);
                let queue = queue.ok_or_else(|| Error::queue_not_found(text.as_str()))?;
                Ok(Self::Queue(queue))
            }
            Target::Channel(arn) => {
                let channel = context.engine.find_channel(&arn);
                let channel = channel.ok_or_else(|| Error::channel_not_found(text.as_str()))?;
                Ok(Self::Channel(channel))
            }
            Target::Account(_) => Err(Error::resource_not_found(text.as_str())),
        }
    }

    /// Finds the resource that an ARN names, for a request about the resource's policy. Refuses a
    /// channel, because a channel has no policy.
    pub(super) fn find_with_policy(context: &Context, text: &ResourceARN) -> Result<Self, Error> {
        match Self::find(context, text)? {
            Self::Channel(_) => Err(Error::channel_has_no_policy(text.as_str())),
            resource => Ok(resource),
        }
    }

    /// Returns the resource in the form in which error messages name the owner of tags. `arn` is
    /// the resource's ARN as the request gives it.
    pub(super) fn tag_owner<'a>(&self, arn: &'a ResourceARN) -> TagOwner<'a> {
        let scope = match self {
            Self::Stream(stream) | Self::Consumer(stream, _) => &stream.arn.scope,
            Self::Queue(queue) => &queue.arn.scope,
            Self::Channel(channel) => &channel.arn.scope,
        };
        TagOwner::resource(arn.as_str(), scope.account)
    }

    /// Calls `look` with the tags and the policy of the resource. Returns the result of `look`.
    pub(super) fn look<R>(&self, look: impl FnOnce(&Tags, Option<&str>) -> R) -> Result<R, Error> {
        match self {
            Self::Stream(stream) => {
                Ok(stream.look(|state| look(&state.tags, state.policy.as_deref())))
            }
            Self::Consumer(stream, wanted) => stream.look(|state| {
                let found = consumer(state, &stream.arn, wanted)
                    .ok_or_else(|| Error::consumer_not_found(wanted))?;
                let tags = found.tags.clone().into_iter().collect();
                Ok(look(&tags, found.policy.as_deref()))
            }),
            Self::Queue(queue) => Ok(queue.look_at_tags(look)),
            Self::Channel(channel) => Ok(channel.look_at_tags(|tags| look(tags, None))),
        }
    }

    /// Calls `change` to modify the tags or the policy of the resource. Refuses a change of a
    /// stream or a consumer while the stream is CREATING or DELETING.
    pub(super) async fn amend(
        &self,
        context: &Context,
        change: impl FnOnce(ResourceTags<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match self {
            Self::Stream(stream) => {
                let amended = context.engine.amend(stream, |state, _: Counts| {
                    check_settled(&stream.arn, state)?;
                    change(ResourceTags {
                        tags: &mut state.tags,
                        policy: &mut state.policy,
                        consumer: None,
                    })
                });
                amended.await
            }
            Self::Consumer(stream, arn) => amend_consumer(context, stream, arn, change).await,
            Self::Queue(queue) => {
                let amended = context.engine.amend_queue(queue, |tags, policy| {
                    change(ResourceTags {
                        tags,
                        policy,
                        consumer: None,
                    })
                });
                amended.await
            }
            Self::Channel(channel) => {
                let amended = context.engine.amend_channel(channel, |tags| {
                    change(ResourceTags {
                        tags,
                        policy: &mut None,
                        consumer: None,
                    })
                });
                amended.await
            }
        }
    }
}

async fn amend_consumer(
    context: &Context,
    stream: &Arc<Stream>,
    arn: &ConsumerArn,
    change: impl FnOnce(ResourceTags<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let amended = context.engine.amend(stream, |state, _: Counts| {
        check_settled(&stream.arn, state)?;
        let mut found = consumer(state, &stream.arn, arn)
            .ok_or_else(|| Error::consumer_not_found(arn))?
            .clone();
        let before = found.clone();
        let mut tags = std::mem::take(&mut found.tags).into_iter().collect();
        let policy = &mut found.policy;
        change(ResourceTags {
            tags: &mut tags,
            policy,
            consumer: Some((&before, arn)),
        })?;
        found.tags = tags.into_map();
        state.consumers.insert(arn.name.to_string(), found);
        Ok(())
    });
    amended.await
}

/// Returns the stream, consumer, queue or channel that an ARN names. The resource need not exist.
pub(super) fn resource_target(text: &ResourceARN) -> Result<Target, Error> {
    let text = text.as_str();
    let target = ConsumerArn::parse(text)
        .map(Target::Consumer)
        .or_else(|| StreamArn::parse(text).map(Target::Stream))
        .or_else(|| QueueArn::parse(text).map(Target::Queue))
        .or_else(|| ChannelArn::parse(text).map(Target::Channel));
    target.ok_or_else(|| Error::resource_not_found(text))
}

/// Returns the policy and the tags of a resource. `None` if the resource does not exist.
pub(super) fn policy_and_tags(
    context: &Context,
    target: &Target,
) -> Option<(Option<String>, Tags)> {
    match target {
        Target::Account(_) => None,
        Target::Stream(arn) => {
            let stream = context.engine.find(&arn.scope, &arn.name)?;
            Some(stream.look(|state| (state.policy.clone(), state.tags.clone())))
        }
        Target::Consumer(arn) => {
            let stream = context.engine.find(&arn.stream.scope, &arn.stream.name)?;
            stream.look(|state| {
                let found = consumer(state, &stream.arn, arn)?;
                let tags = found.tags.clone().into_iter().collect();
                Some((found.policy.clone(), tags))
            })
        }
        Target::Queue(arn) => {
            let queue = context.engine.find_queue(arn)?;
            let copied =
                |tags: &Tags, policy: Option<&str>| (policy.map(str::to_owned), tags.clone());
            Some(queue.look_at_tags(copied))
        }
        Target::Channel(arn) => {
            let channel = context.engine.find_channel(arn)?;
            Some((None, channel.look_at_tags(Tags::clone)))
        }
    }
}

/// Returns the registration of the consumer with this ARN. A consumer that was deregistered and
/// registered again under the same name has a new ARN.
fn consumer<'a>(
    state: &'a StreamState,
    stream: &StreamArn,
    arn: &ConsumerArn,
) -> Option<&'a Consumer> {
    let found = state.consumers.get(&*arn.name)?;
    (consumer_arn(stream, &arn.name, found) == *arn).then_some(found)
}
