//! Parts of a stream's description that several answers share.

use super::present::present;
use super::shapes::{MetricsName, StreamMode};
use crate::engine::StreamProperties;
use crate::model;
use crate::wire::{input, output};
use crate::world::Timestamp;

input! {
    /// The capacity mode that a request asks for.
    pub struct StreamModeDetailsInput { "StreamMode" => mode: StreamMode, }
}

output! {
    /// The capacity mode of a stream.
    pub struct StreamModeDetails { "StreamMode" => mode: &'static str, }
}

output! {
    /// The enabled shard-level metrics of a stream.
    pub struct EnhancedMetrics { "ShardLevelMetrics" => metrics: Vec<&'static str>, }
}

present!(StreamModeDetails, EnhancedMetrics);

impl StreamModeDetails {
    pub(super) fn of(mode: model::StreamMode) -> Self {
        Self {
            mode: mode.as_str(),
        }
    }
}

/// Returns the shard-level metrics of a stream. The result always has one element. This element
/// holds the list of the enabled metrics, which may be empty.
pub(super) fn enhanced_monitoring(properties: &StreamProperties) -> Vec<EnhancedMetrics> {
    let enabled = |name: &&str| properties.metrics.iter().any(|metric| metric == name);
    vec![EnhancedMetrics {
        metrics: MetricsName::ALL_NAMES.into_iter().filter(enabled).collect(),
    }]
}

output! {
    /// The warm throughput of a stream in MiB/s: the target value and the present value.
    pub struct WarmThroughput {
        "CurrentMiBps" => current: u32,
        "TargetMiBps" => target: u32,
    }
}
present!(WarmThroughput);

impl WarmThroughput {
    pub(super) fn of(properties: &StreamProperties) -> Option<Self> {
        properties
            .warm_throughput
            .map(|(target, current)| Self { current, target })
    }
}

/// Rounds a time down to whole seconds. The service does the same with creation times.
pub(super) fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_millis(moment.seconds() * 1000)
}
