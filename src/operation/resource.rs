//! The stream or the consumer that a ResourceARN names.

use super::context::Context;
use super::shapes::ResourceARN;
use super::stream_status::check_settled;
use crate::engine::{Consumer, Counts, Stream, StreamState, consumer_arn};
use crate::error::Error;
use crate::model::{ConsumerArn, StreamArn, Tags, Target};
use std::sync::Arc;

/// A resource that exists.
pub(super) struct Resource {
    pub(super) stream: Arc<Stream>,
    /// The consumer, if the resource is one.
    pub(super) consumer: Option<ConsumerArn>,
}

/// The tags and the policy of a resource, for a change.
pub(super) struct ResourceTags<'a> {
    pub(super) tags: &'a mut Tags,
    pub(super) policy: &'a mut Option<String>,
    /// The consumer's registration, if the resource is a consumer.
    pub(super) consumer: Option<&'a Consumer>,
}

impl Resource {
    /// The resource that an ARN names.
    pub(super) fn find(context: &Context, text: &ResourceARN) -> Result<Self, Error> {
        match resource_target(text)? {
            Target::Consumer(arn) => Self::of_consumer(context, arn, text),
            Target::Stream(arn) => {
                let stream = context.engine.find(&arn.scope, &arn.name);
                let stream = stream.ok_or_else(|| Error::stream_not_found(&arn))?;
                Ok(Self {
                    stream,
                    consumer: None,
                })
            }
            Target::Account(_) => Err(Error::resource_not_found(text.as_str())),
        }
    }

    fn of_consumer(context: &Context, arn: ConsumerArn, text: &ResourceARN) -> Result<Self, Error> {
        let stream = context.engine.find(&arn.stream.scope, &arn.stream.name);
        let not_found = || Error::consumer_not_found(text.as_str(), arn.stream.scope.account);
        let stream = stream.ok_or_else(not_found)?;
        let there = stream.look(|state| consumer(state, &stream.arn, &arn).is_some());
        if !there {
            return Err(not_found());
        }
        Ok(Self {
            stream,
            consumer: Some(arn),
        })
    }

    /// Looks at the resource's tags and policy.
    pub(super) fn look<R>(&self, look: impl FnOnce(&Tags, Option<&str>) -> R) -> Result<R, Error> {
        let arn = &self.stream.arn;
        self.stream.look(|state| match &self.consumer {
            None => Ok(look(&state.tags, state.policy.as_deref())),
            Some(wanted) => {
                let found = consumer(state, arn, wanted).ok_or_else(|| gone(wanted))?;
                let tags = found.tags.clone().into_iter().collect();
                Ok(look(&tags, found.policy.as_deref()))
            }
        })
    }

    /// Changes the resource's tags or policy, unless its stream's state forbids it.
    pub(super) async fn amend(
        &self,
        context: &Context,
        change: impl FnOnce(ResourceTags<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let arn = &self.stream.arn;
        let amended = context.engine.amend(&self.stream, |state, _: Counts| {
            check_settled(arn, state)?;
            let Some(wanted) = &self.consumer else {
                let (tags, policy) = (&mut state.tags, &mut state.policy);
                return change(ResourceTags {
                    tags,
                    policy,
                    consumer: None,
                });
            };
            let mut found = consumer(state, arn, wanted)
                .ok_or_else(|| gone(wanted))?
                .clone();
            let before = found.clone();
            let mut tags = std::mem::take(&mut found.tags).into_iter().collect();
            let policy = &mut found.policy;
            change(ResourceTags {
                tags: &mut tags,
                policy,
                consumer: Some(&before),
            })?;
            found.tags = tags.into_map();
            state.consumers.insert(wanted.name.to_string(), found);
            Ok(())
        });
        amended.await
    }
}

/// The stream or consumer that an ARN names; it need not exist.
pub(super) fn resource_target(text: &ResourceARN) -> Result<Target, Error> {
    let consumer = ConsumerArn::parse(text.as_str()).map(Target::Consumer);
    let target = consumer.or_else(|| StreamArn::parse(text.as_str()).map(Target::Stream));
    target.ok_or_else(|| Error::resource_not_found(text.as_str()))
}

/// The policy and the tags of a resource; none if it does not exist.
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
    }
}

/// The consumer with that ARN. A consumer that was registered again under its old name has another.
fn consumer<'a>(
    state: &'a StreamState,
    stream: &StreamArn,
    arn: &ConsumerArn,
) -> Option<&'a Consumer> {
    let found = state.consumers.get(&*arn.name)?;
    (consumer_arn(stream, &arn.name, found) == *arn).then_some(found)
}

fn gone(arn: &ConsumerArn) -> Error {
    Error::consumer_not_found(&arn.to_string(), arn.stream.scope.account)
}
