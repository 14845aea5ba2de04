//! The items that most operations import.

pub(super) use super::account_settings::AccountSettings;
pub(super) use super::answer::{Nothing, document};
pub(super) use super::capacity::{check_shards, check_warm_throughput};
pub(super) use super::channel_description::ChannelDescription;
pub(super) use super::channel_ref::channel_target;
pub(super) use super::channel_settings::{
    GivenDestination, changed_log, check_keys, checked_freshness, encryption_key, record_format,
};
pub(super) use super::channel_shapes::*;
pub(super) use super::consumer_count::check_consumer_count;
pub(super) use super::consumer_description::ConsumerDescription;
pub(super) use super::consumer_ref::{
    ConsumerRef, active, consumer_target, consumer_with_arn, find_consumer, parse_consumer_arn,
};
pub(super) use super::context::Context;
pub(super) use super::contract::{HasTarget, Operation};
pub(super) use super::daily_limit::count_today;
pub(super) use super::kms_key::{check_key, check_stream_key};
pub(super) use super::monitoring::{MonitoringInput, MonitoringOutput, switch_metrics};
pub(super) use super::offered_record::{
    Offered, admit, check_ordering, is_auto, routed, shards_of,
};
pub(super) use super::paging::{open_token, page_size, seal_token};
pub(super) use super::placement::{NumberText, PLACEMENT_BYTES, ShardText, write_placement};
pub(super) use super::position::{Start, starting_position};
pub(super) use super::present::present;
pub(super) use super::queue_description::{QueueDescription, changed_attributes};
pub(super) use super::queue_entries::{EntriesOutput, HandlesInput, VisibilitiesInput};
pub(super) use super::queue_receive::{ReceiveInput, ReceiveOutput};
pub(super) use super::queue_ref::queue_target;
pub(super) use super::queue_shapes::*;
pub(super) use super::resource::{Resource, resource_target};
pub(super) use super::retention::set_retention;
pub(super) use super::shapes::*;
pub(super) use super::shard_description::{ChildShard, ShardDescription, is_after};
pub(super) use super::shard_ref::read_shard_id;
pub(super) use super::stream_details::{
    EnhancedMetrics, StreamModeDetails, StreamModeDetailsInput, WarmThroughput,
    enhanced_monitoring, whole_seconds,
};
pub(super) use super::stream_filter::{StreamFilters, StreamIdentifier};
pub(super) use super::stream_ref::{StreamRef, parse_arn};
pub(super) use super::stream_status::{check_active, check_settled};
pub(super) use super::tags::{TagList, add_tags, remove_tags, tag_refusal, tag_texts};
pub(super) use crate::error::{Error, KeyPurpose, TagOwner};
pub(super) use crate::limits;
pub(super) use crate::model::{QueueAttributes, Target};
pub(super) use crate::wire::{Expected, Ignored, Node, Truth, input, output};
pub(super) use crate::world::Timestamp;
