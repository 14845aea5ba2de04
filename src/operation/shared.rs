//! What several operations take or answer.

mod account;
mod changes;
mod consumers;
mod keys;
mod monitoring;
mod paging;
mod position;
mod records;
mod resources;
mod shards;
mod tags;
mod writing;

pub(super) use account::AccountSettings;
pub(super) use changes::{
    DailyLimit, check_active, check_shards, check_warm_throughput, count_today, read_shard_id,
    set_retention,
};
pub(super) use consumers::{
    ConsumerDescription, ConsumerRef, active, consumer_target, find_consumer,
};
pub(super) use keys::{check_key, check_stream_key};
pub(super) use monitoring::{MonitoringInput, MonitoringOutput, switch_metrics};
pub(super) use paging::{open_token, seal_token};
pub(super) use position::{Start, starting_position};
pub(super) use records::{size_guess, write_records_cbor, write_records_json};
pub(super) use resources::{Resource, check_settled, policy_and_tags, resource_target};
pub(super) use shards::{ChildShard, ShardDescription, is_after};
pub(super) use tags::{TagList, add_tags, remove_tags, tag_refusal, tag_texts};
pub(super) use writing::{
    NumberText, Offered, PLACE_BYTES, ShardText, admit, check_ordering, is_auto, routed,
    write_place,
};

use super::Context;
use super::shapes::{MetricsName, StreamARN, StreamId, StreamName};
use crate::engine::{Stream, StreamSnapshot};
use crate::error::Error;
use crate::model::{ConsumerArn, StreamArn, StreamMode};
use crate::wire::{self, Format, Ignored, input, output};
use crate::world::Timestamp;
use std::sync::Arc;

input! {
    /// The ways to name a stream: its name, its ARN, or both.
    pub struct StreamRef {
        "StreamName" => name: Option<StreamName>,
        "StreamARN" => arn: Option<StreamARN>,
        "StreamId" => _id: Ignored<StreamId>,
    }
}

output! {
    /// A stream's capacity mode.
    pub struct StreamModeDetails { "StreamMode" => mode: &'static str, }
}

output! {
    /// The metrics of shards that a stream reports.
    pub struct EnhancedMetrics { "ShardLevelMetrics" => metrics: Vec<&'static str>, }
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
pub(super) fn enhanced_monitoring(snapshot: &StreamSnapshot) -> Vec<EnhancedMetrics> {
    let enabled = |name: &&str| snapshot.metrics.iter().any(|metric| metric == name);
    vec![EnhancedMetrics {
        metrics: MetricsName::ALL_NAMES.into_iter().filter(enabled).collect(),
    }]
}

output! {
    /// A stream's warm throughput: wanted, and had.
    pub struct WarmThroughput {
        "CurrentMiBps" => current: u32,
        "TargetMiBps" => target: u32,
    }
}
present!(WarmThroughput);

impl WarmThroughput {
    pub(super) fn of(snapshot: &StreamSnapshot) -> Option<Self> {
        snapshot
            .warm_throughput
            .map(|(target, current)| Self { current, target })
    }
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

impl StreamRef {
    /// A stream that a request names in members of its own.
    pub(super) fn new(name: Option<StreamName>, arn: Option<StreamARN>) -> Self {
        Self {
            name,
            arn,
            _id: Ignored::default(),
        }
    }
}

impl Context {
    /// The stream of an ARN, in any state.
    pub(super) fn stream_by_arn(&self, text: &StreamARN) -> Result<Arc<Stream>, Error> {
        let arn = parse_arn(text)?;
        let found = self.engine.find(&arn.scope, &arn.name);
        found.ok_or_else(|| Error::stream_not_found(&arn))
    }
}

/// The name of the stream that an unread request is about, by whatever member it says so.
pub(super) fn named_stream(format: Format, body: &[u8]) -> Option<String> {
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

/// An ARN of a stream. Its pattern lets more through than there are ARNs.
pub(super) fn parse_arn(text: &StreamARN) -> Result<StreamArn, Error> {
    StreamArn::parse(text.as_str()).ok_or_else(|| Error::stream_arn_unparsed(text.as_str()))
}
