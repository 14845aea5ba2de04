//! What several operations take or answer.

mod paging;
mod position;
mod shards;
mod tags;
mod writing;

pub(super) use paging::{open_token, seal_token};
pub(super) use position::{ParsedShard, Start, starting_position};
pub(super) use shards::{ChildShard, ShardDescription, is_after};
pub(super) use tags::tag_refusal;
pub(super) use writing::{NumberText, Offered, ShardText, admit, check_ordering, is_auto};

use super::Context;
use super::shapes::{StreamARN, StreamId, StreamName};
use crate::engine::Stream;
use crate::error::Error;
use crate::model::{StreamArn, StreamMode};
use crate::wire::{input, output};
use crate::world::Timestamp;
use std::sync::Arc;

input! {
    /// The ways to name a stream: its name, its ARN, or both.
    pub struct StreamRef {
        "StreamName" => name: Option<StreamName>,
        "StreamARN" => arn: Option<StreamARN>,
        #[allow(dead_code, reason = "reserved by the service: checked, then ignored")]
        "StreamId" => id: Option<StreamId>,
    }
}

output! {
    /// A stream's capacity mode.
    pub struct StreamModeDetails { "StreamMode" => mode: &'static str, }
}

output! {
    /// The metrics of shards that a stream reports.
    pub struct EnhancedMetrics { "ShardLevelMetrics" => metrics: Vec<String>, }
}

/// Gives an output structure its body in both formats.
macro_rules! document {
    ($name:ident) => {
        impl $crate::operation::Document for $name {
            const MEMBERS: &'static [&'static str] = Self::MEMBERS;

            fn encode(&self, format: $crate::wire::Format) -> Vec<u8> {
                crate::wire::encode(format, self)
            }
        }
    };
}

/// Says that members of these types are always written.
macro_rules! present {
    ($($name:ident),+) => { $(impl crate::wire::Present for $name {})+ };
}

pub(super) use {document, present};
present!(StreamModeDetails, EnhancedMetrics);

impl StreamModeDetails {
    pub(super) fn of(mode: StreamMode) -> Self {
        Self {
            mode: mode.as_str(),
        }
    }
}

/// What a stream tells of its metrics: always one element, which may be empty.
pub(super) fn no_enhanced_monitoring() -> Vec<EnhancedMetrics> {
    vec![EnhancedMetrics {
        metrics: Vec::new(),
    }]
}

/// Creation times are told in whole seconds.
pub(super) fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_millis(moment.seconds() * 1000)
}

/// What is left of a request once a stream is looked for.
impl Context {
    /// The ARN of the caller's stream `name`, whether it exists or not.
    pub(super) fn arn(&self, name: &str) -> StreamArn {
        StreamArn::new(self.caller.clone(), name)
    }

    /// The stream that a request names, in any state.
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

    /// The ARN that a request names by name, ARN or both.
    pub(super) fn resolve(&self, given: &StreamRef) -> Result<StreamArn, Error> {
        match (&given.name, &given.arn) {
            (None, None) => Err(Error::no_stream_given()),
            (Some(name), None) => Ok(self.arn(name.as_str())),
            (name, Some(text)) => {
                let arn = parse_arn(text)?;
                match name.as_ref().map(StreamName::as_str) {
                    Some(name) if *name != *arn.name => {
                        Err(Error::name_and_arn_differ(name, text.as_str()))
                    }
                    _ => Ok(arn),
                }
            }
        }
    }
}

/// An ARN of a stream. Its pattern lets more through than there are ARNs.
pub(super) fn parse_arn(text: &StreamARN) -> Result<StreamArn, Error> {
    StreamArn::parse(text.as_str()).ok_or_else(|| Error::stream_arn_unparsed(text.as_str()))
}
