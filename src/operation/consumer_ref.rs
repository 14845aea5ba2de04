//! Look-up of the consumer that a request names. The request gives the consumer's ARN, or the
//! stream's ARN and the consumer's name.

use super::context::Context;
use super::shapes::{ConsumerARN, ConsumerName, StreamARN};
use super::stream_ref::parse_arn;
use crate::engine::{Consumer, ConsumerStatus, Stream, consumer_arn, consumer_status};
use crate::error::Error;
use crate::model::{ConsumerArn, StreamArn, Target};
use crate::wire::input;
use std::sync::Arc;

input! {
    /// The members of a request that name a consumer: the consumer's ARN, or the stream's ARN and
    /// the consumer's name.
    pub struct ConsumerRef {
        "StreamARN" => stream_arn: Option<StreamARN>,
        "ConsumerName" => name: Option<ConsumerName>,
        "ConsumerARN" => arn: Option<ConsumerARN>,
    }
}

/// Finds the consumer that a request names. Returns its stream, its name and its registration.
pub(super) fn find_consumer(
    context: &Context,
    given: &ConsumerRef,
) -> Result<(Arc<Stream>, String, Consumer), Error> {
    match (&given.stream_arn, &given.name, &given.arn) {
        (stream, name, Some(arn)) => {
            let found = by_arn(context, arn)?;
            let agrees = stream.as_ref().is_none_or(|text| {
                StreamArn::parse(text.as_str()).is_some_and(|stream| stream == found.0.arn)
            });
            if !agrees || name.as_ref().is_some_and(|name| name.as_str() != found.1) {
                return Err(Error::consumer_names_differ());
            }
            Ok(found)
        }
        (Some(stream), Some(name), None) => {
            by_name(context, &parse_arn(context, stream)?, name.as_str())
        }
        _ => Err(Error::no_consumer_given()),
    }
}

/// Returns the consumer that a request names, as the target of the policy check. The consumer need
/// not exist. An unknown name gets an ARN with the creation time 0, so that policies for the name
/// still match.
pub(super) fn consumer_target(context: &Context, given: &ConsumerRef) -> Result<Target, Error> {
    let arn = match (&given.stream_arn, &given.name, &given.arn) {
        (_, _, Some(text)) => parse_consumer_arn(context, text)?,
        (Some(stream), Some(name), None) => {
            let stream = parse_arn(context, stream)?;
            match by_name(context, &stream, name.as_str()) {
                Ok((stream, name, consumer)) => consumer_arn(&stream.arn, &name, &consumer),
                Err(_) => ConsumerArn {
                    stream,
                    name: name.as_str().into(),
                    created_s: 0,
                },
            }
        }
        _ => return Err(Error::no_consumer_given()),
    };
    Ok(Target::Consumer(arn))
}

/// Parses the ARN of a consumer. The service model's pattern also admits texts that are not a valid
/// ARN. This function refuses such texts.
pub(super) fn parse_consumer_arn(
    context: &Context,
    text: &ConsumerARN,
) -> Result<ConsumerArn, Error> {
    let text = text.as_str();
    let arn = ConsumerArn::parse(text);
    arn.ok_or_else(|| Error::consumer_arn_unparsed(text, context.caller.account))
}

/// Finds the consumer with this ARN, and its stream.
pub(super) fn consumer_with_arn(
    context: &Context,
    arn: &ConsumerArn,
) -> Option<(Arc<Stream>, Consumer)> {
    let stream = context.engine.find(&arn.stream.scope, &arn.stream.name)?;
    let consumer = stream.look(|state| state.consumers.get(&*arn.name).cloned())?;
    // Compare the ARNs, because a consumer that was deregistered and registered again under the
    // same name has a new ARN.
    let same = consumer_arn(&stream.arn, &arn.name, &consumer) == *arn;
    same.then_some((stream, consumer))
}

fn by_arn(context: &Context, text: &ConsumerARN) -> Result<(Arc<Stream>, String, Consumer), Error> {
    let arn = parse_consumer_arn(context, text)?;
    let found = consumer_with_arn(context, &arn);
    // A recording from September 2026 shows the error for a consumer of a deleted stream. The
    // service reports the missing stream, and not the missing consumer (radkawar/stackd,
    // testdata/aws/kinesis/efo_termination.json).
    let missing = || match context.engine.find(&arn.stream.scope, &arn.stream.name) {
        None => Error::stream_not_found(&arn.stream),
        Some(_) => Error::consumer_not_found(&arn),
    };
    let (stream, consumer) = found.ok_or_else(missing)?;
    Ok((stream, arn.name.to_string(), consumer))
}

fn by_name(
    context: &Context,
    arn: &StreamArn,
    name: &str,
) -> Result<(Arc<Stream>, String, Consumer), Error> {
    let stream = context.engine.find(&arn.scope, &arn.name);
    let stream = stream.ok_or_else(|| Error::stream_not_found(arn))?;
    let consumer = stream.look(|state| state.consumers.get(name).cloned());
    match consumer {
        Some(consumer) => Ok((stream, name.to_owned(), consumer)),
        None => Err(Error::consumer_name_not_found(name, arn)),
    }
}

/// True if the consumer is ACTIVE, that is, neither CREATING nor DELETING.
pub(super) fn active(consumer: &Consumer) -> bool {
    consumer_status(consumer) == ConsumerStatus::Active
}
