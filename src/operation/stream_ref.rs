//! Look-up of the stream that a request names. The request gives the stream's name, its ARN, or
//! both.

use super::context::Context;
use super::shapes::{StreamARN, StreamId, StreamName};
use crate::engine::Stream;
use crate::error::Error;
use crate::model::{ConsumerArn, PageToken, ShardIterator, StreamArn};
use crate::wire::{self, Format, Ignored, input};
use std::sync::Arc;

input! {
    /// The members of a request that name a stream: the stream's name, its ARN, or both.
    pub struct StreamRef {
        "StreamName" => name: Option<StreamName>,
        "StreamARN" => arn: Option<StreamARN>,
        "StreamId" => _id: Ignored<StreamId>,
    }
}

impl Context {
    /// Returns the ARN of the stream `name` in the caller's account and region. The stream need not
    /// exist.
    pub(super) fn arn(&self, name: &str) -> StreamArn {
        StreamArn::new(self.caller.clone(), name)
    }

    /// Finds the stream that a request names, in any status.
    pub(super) fn stream(&self, given: &StreamRef) -> Result<Arc<Stream>, Error> {
        if let (Some(name), None) = (&given.name, &given.arn) {
            return match self.engine.find(&self.caller, name.as_str()) {
                Some(stream) => Ok(stream),
                None => Err(Error::stream_not_found(&self.arn(name.as_str()))),
            };
        }
        let arn = self.resolve(given)?;
        let found = self.engine.find(&arn.scope, &arn.name);
        found.ok_or_else(|| Error::stream_not_found(&arn))
    }

    /// Returns the ARN of the stream that a request names. The stream need not exist.
    pub(super) fn resolve(&self, given: &StreamRef) -> Result<StreamArn, Error> {
        match (&given.name, &given.arn) {
            (None, None) => Err(Error::no_stream_given()),
            (Some(name), None) => Ok(self.arn(name.as_str())),
            (name, Some(text)) => {
                let arn = parse_arn(self, text)?;
                match name.as_ref().map(StreamName::as_str) {
                    Some(name) if *name != *arn.name => {
                        Err(Error::name_and_arn_differ(name, &arn.name))
                    }
                    _ => Ok(arn),
                }
            }
        }
    }
}

impl StreamRef {
    /// Creates a reference from two members of a request. The input type of the request has no
    /// field of the type `StreamRef`.
    pub(super) fn new(name: Option<StreamName>, arn: Option<StreamARN>) -> Self {
        Self {
            name,
            arn,
            _id: Ignored::default(),
        }
    }
}

impl Context {
    /// Finds the stream with this ARN, in any status.
    pub(super) fn stream_by_arn(&self, text: &StreamARN) -> Result<Arc<Stream>, Error> {
        let arn = parse_arn(self, text)?;
        let found = self.engine.find(&arn.scope, &arn.name);
        found.ok_or_else(|| Error::stream_not_found(&arn))
    }
}

/// Finds the name of the stream that a request names by StreamName, StreamARN, ConsumerARN or
/// ResourceARN. The function searches `body` for these members. `body` need not be a valid request.
pub(super) fn stream_name(format: Format, body: &[u8]) -> Option<String> {
    if let Some(name) = wire::member_text(format, body, "StreamName") {
        return Some(name);
    }
    let members = ["StreamARN", "ConsumerARN", "ResourceARN"];
    let arn = members
        .iter()
        .find_map(|member| wire::member_text(format, body, member))?;
    let stream = StreamArn::parse(&arn).map(|arn| arn.name);
    let stream = stream.or_else(|| ConsumerArn::parse(&arn).map(|arn| arn.stream.name));
    stream.map(|name| name.to_string())
}

/// Finds the name of the stream that a request names, for the log. Unlike `stream_name`, this
/// function also searches shard iterators, tokens and lists of streams. It returns the first stream
/// of a list.
pub fn named_stream(format: Format, body: &[u8]) -> Option<String> {
    if let Some(name) = stream_name(format, body) {
        return Some(name);
    }
    let lists = ["StreamConfigurationList", "StreamFilter"];
    let mut listed = lists
        .iter()
        .filter_map(|list| wire::item_text(format, body, list, "StreamARN"));
    if let Some(arn) = listed.next() {
        return StreamArn::parse(&arn).map(|arn| arn.name.to_string());
    }
    if let Some(text) = wire::member_text(format, body, "ShardIterator") {
        return ShardIterator::decode(&text).map(|iterator| iterator.stream);
    }
    let token = wire::member_text(format, body, "NextToken")?;
    let fields = PageToken::decode(&token)?.fields;
    // In tokens of ListShards and ListStreamConsumers, the second field is the ARN of the stream.
    let arn = fields.get(1).and_then(|field| StreamArn::parse(field))?;
    Some(arn.name.to_string())
}

/// Parses the ARN of a stream, which must be in the region of the request. The service model's
/// pattern also admits texts that are not a valid ARN. This function refuses such texts.
pub(super) fn parse_arn(context: &Context, text: &StreamARN) -> Result<StreamArn, Error> {
    let text = text.as_str();
    let arn = StreamArn::parse(text).ok_or_else(|| Error::stream_arn_unparsed(text))?;
    if arn.scope.region == context.caller.region {
        Ok(arn)
    } else {
        Err(Error::arn_of_other_region(text))
    }
}
