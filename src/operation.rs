//! The service's operations: one file for each operation, the table of operations, and the code
//! that several operations share.
#![allow(
    unreachable_pub,
    reason = "shapes are declared public and reached through the table"
)]

mod account_settings;
mod acknowledge_dead_letter_queue_records;
mod acknowledge_queue_records;
mod add_tags_to_stream;
mod answer;
mod call;
mod capacity;
mod channel_description;
mod channel_ref;
mod channel_settings;
mod channel_shapes;
mod consumer_count;
mod consumer_description;
mod consumer_ref;
mod context;
mod contract;
mod create_channel;
mod create_queue;
mod create_stream;
mod daily_limit;
mod decrease_stream_retention_period;
mod delete_channel;
mod delete_queue;
mod delete_resource_policy;
mod delete_stream;
mod deregister_stream_consumer;
mod describe_account_settings;
mod describe_channel;
mod describe_limits;
mod describe_queue;
mod describe_stream;
mod describe_stream_consumer;
mod describe_stream_summary;
mod disable_enhanced_monitoring;
mod enable_enhanced_monitoring;
mod events;
mod fault_draw;
mod fault_effect;
pub mod fault_rule;
mod get_records;
mod get_resource_policy;
mod get_shard_iterator;
mod increase_stream_retention_period;
mod kms_key;
mod list_channels;
mod list_queues;
mod list_shards;
mod list_stream_consumers;
mod list_streams;
mod list_tags_for_resource;
mod list_tags_for_stream;
mod merge_shards;
mod monitoring;
mod offered_record;
mod paging;
mod permission;
mod placement;
mod position;
mod prelude;
mod present;
mod put_record;
mod put_records;
mod put_resource_policy;
mod queue_description;
mod queue_entries;
mod queue_receive;
mod queue_ref;
mod queue_shapes;
mod receive_dead_letter_queue_records;
mod receive_queue_records;
mod records;
mod register_stream_consumer;
mod remove_tags_from_stream;
mod resource;
mod restore_dead_letter_queue_records;
mod retention;
mod setup;
mod shapes;
mod shard_description;
mod shard_ref;
mod split_shard;
mod start_stream_encryption;
mod stop_stream_encryption;
mod stream_details;
mod stream_filter;
mod stream_ref;
mod stream_status;
mod subscribe_to_shard;
mod table;
mod tag_resource;
mod tags;
mod untag_resource;
mod update_account_settings;
mod update_channel;
mod update_dead_letter_queue_records_visibility;
mod update_max_record_size;
mod update_queue;
mod update_queue_records_visibility;
mod update_shard_count;
mod update_stream_mode;
mod update_stream_record_distribution_strategy;
mod update_stream_warm_throughput;

pub use answer::Answer;
pub use context::{Context, Requester};
pub use events::Events;
pub(crate) use setup::{
    StartItem, add_at_start, create_channel_at_start, create_queue_at_start, prepare_at_start,
};
pub use setup::{
    StartRecord, create_channel_shape, create_queue_shape, create_stream_shape, put_at_start,
    register_at_start, route_records, stream_differences,
};
pub use stream_ref::named_stream;
pub use table::{Entry, OPERATIONS};
