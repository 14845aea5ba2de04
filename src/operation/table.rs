//! The table of operations. A row holds the name of an operation, its input and output, and the
//! function that runs the operation.

use super::answer::{Answer, IntoAnswer};
use super::call::call;
use super::context::Context;
use super::contract::HasTarget;
use super::{
    acknowledge_dead_letter_queue_records, acknowledge_queue_records, add_tags_to_stream,
    create_channel, create_queue, create_stream, decrease_stream_retention_period, delete_channel,
    delete_queue, delete_resource_policy, delete_stream, deregister_stream_consumer,
    describe_account_settings, describe_channel, describe_limits, describe_queue, describe_stream,
    describe_stream_consumer, describe_stream_summary, disable_enhanced_monitoring,
    enable_enhanced_monitoring, get_records, get_resource_policy, get_shard_iterator,
    increase_stream_retention_period, list_channels, list_queues, list_shards,
    list_stream_consumers, list_streams, list_tags_for_resource, list_tags_for_stream,
    merge_shards, put_record, put_records, put_resource_policy, receive_dead_letter_queue_records,
    receive_queue_records, register_stream_consumer, remove_tags_from_stream,
    restore_dead_letter_queue_records, split_shard, start_stream_encryption,
    stop_stream_encryption, subscribe_to_shard, tag_resource, untag_resource,
    update_account_settings, update_channel, update_dead_letter_queue_records_visibility,
    update_max_record_size, update_queue, update_queue_records_visibility, update_shard_count,
    update_stream_mode, update_stream_record_distribution_strategy, update_stream_warm_throughput,
};
use crate::error::Error;
use crate::wire::{Format, Shape, Shaped};
use bytes::Bytes;
use std::pin::Pin;

type Running = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>>;

/// A row of the table, which describes one operation.
pub struct Entry {
    /// Name of the operation, as in the header `X-Amz-Target`.
    pub name: &'static str,
    /// Shape of the operation's request, with its constraints.
    pub input: &'static Shape,
    /// Names of the members in the answer of the operation.
    pub output: &'static [&'static str],
    call: fn(&'static str, Context, Bytes, Format) -> Running,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Entry {
    const fn of<O: HasTarget + 'static>(name: &'static str) -> Self {
        Self {
            name,
            input: <O::Input as Shaped>::SHAPE,
            output: <O::Output as IntoAnswer>::MEMBERS,
            call: |name, context, body, format| Box::pin(call::<O>(name, context, body, format)),
        }
    }

    /// Finds the operation called `name`.
    pub fn find(name: &str) -> Option<&'static Self> {
        let at = OPERATIONS
            .binary_search_by(|entry| entry.name.cmp(name))
            .ok()?;
        Some(&OPERATIONS[at])
    }

    /// Index of this row in the table.
    pub fn position(&'static self) -> usize {
        let distance = std::ptr::from_ref(self).addr() - OPERATIONS.as_ptr().addr();
        distance / size_of::<Self>()
    }

    /// Calls the operation with the body of a request.
    ///
    /// # Errors
    /// The exception that the service would answer.
    pub async fn call(
        &'static self,
        context: Context,
        body: Bytes,
        format: Format,
    ) -> Result<Answer, Error> {
        (self.call)(self.name, context, body, format).await
    }
}

/// All operations, sorted by name.
pub static OPERATIONS: &[Entry] = &[
    Entry::of::<acknowledge_dead_letter_queue_records::AcknowledgeDeadLetterQueueRecords>(
        "AcknowledgeDeadLetterQueueRecords",
    ),
    Entry::of::<acknowledge_queue_records::AcknowledgeQueueRecords>("AcknowledgeQueueRecords"),
    Entry::of::<add_tags_to_stream::AddTagsToStream>("AddTagsToStream"),
    Entry::of::<create_channel::CreateChannel>("CreateChannel"),
    Entry::of::<create_queue::CreateQueue>("CreateQueue"),
    Entry::of::<create_stream::CreateStream>("CreateStream"),
    Entry::of::<decrease_stream_retention_period::DecreaseStreamRetentionPeriod>(
        "DecreaseStreamRetentionPeriod",
    ),
    Entry::of::<delete_channel::DeleteChannel>("DeleteChannel"),
    Entry::of::<delete_queue::DeleteQueue>("DeleteQueue"),
    Entry::of::<delete_resource_policy::DeleteResourcePolicy>("DeleteResourcePolicy"),
    Entry::of::<delete_stream::DeleteStream>("DeleteStream"),
    Entry::of::<deregister_stream_consumer::DeregisterStreamConsumer>("DeregisterStreamConsumer"),
    Entry::of::<describe_account_settings::DescribeAccountSettings>("DescribeAccountSettings"),
    Entry::of::<describe_channel::DescribeChannel>("DescribeChannel"),
    Entry::of::<describe_limits::DescribeLimits>("DescribeLimits"),
    Entry::of::<describe_queue::DescribeQueue>("DescribeQueue"),
    Entry::of::<describe_stream::DescribeStream>("DescribeStream"),
    Entry::of::<describe_stream_consumer::DescribeStreamConsumer>("DescribeStreamConsumer"),
    Entry::of::<describe_stream_summary::DescribeStreamSummary>("DescribeStreamSummary"),
    Entry::of::<disable_enhanced_monitoring::DisableEnhancedMonitoring>(
        "DisableEnhancedMonitoring",
    ),
    Entry::of::<enable_enhanced_monitoring::EnableEnhancedMonitoring>("EnableEnhancedMonitoring"),
    Entry::of::<get_records::GetRecords>("GetRecords"),
    Entry::of::<get_resource_policy::GetResourcePolicy>("GetResourcePolicy"),
    Entry::of::<get_shard_iterator::GetShardIterator>("GetShardIterator"),
    Entry::of::<increase_stream_retention_period::IncreaseStreamRetentionPeriod>(
        "IncreaseStreamRetentionPeriod",
    ),
    Entry::of::<list_channels::ListChannels>("ListChannels"),
    Entry::of::<list_queues::ListQueues>("ListQueues"),
    Entry::of::<list_shards::ListShards>("ListShards"),
    Entry::of::<list_stream_consumers::ListStreamConsumers>("ListStreamConsumers"),
    Entry::of::<list_streams::ListStreams>("ListStreams"),
    Entry::of::<list_tags_for_resource::ListTagsForResource>("ListTagsForResource"),
    Entry::of::<list_tags_for_stream::ListTagsForStream>("ListTagsForStream"),
    Entry::of::<merge_shards::MergeShards>("MergeShards"),
    Entry::of::<put_record::PutRecord>("PutRecord"),
    Entry::of::<put_records::PutRecords>("PutRecords"),
    Entry::of::<put_resource_policy::PutResourcePolicy>("PutResourcePolicy"),
    Entry::of::<receive_dead_letter_queue_records::ReceiveDeadLetterQueueRecords>(
        "ReceiveDeadLetterQueueRecords",
    ),
    Entry::of::<receive_queue_records::ReceiveQueueRecords>("ReceiveQueueRecords"),
    Entry::of::<register_stream_consumer::RegisterStreamConsumer>("RegisterStreamConsumer"),
    Entry::of::<remove_tags_from_stream::RemoveTagsFromStream>("RemoveTagsFromStream"),
    Entry::of::<restore_dead_letter_queue_records::RestoreDeadLetterQueueRecords>(
        "RestoreDeadLetterQueueRecords",
    ),
    Entry::of::<split_shard::SplitShard>("SplitShard"),
    Entry::of::<start_stream_encryption::StartStreamEncryption>("StartStreamEncryption"),
    Entry::of::<stop_stream_encryption::StopStreamEncryption>("StopStreamEncryption"),
    Entry::of::<subscribe_to_shard::SubscribeToShard>("SubscribeToShard"),
    Entry::of::<tag_resource::TagResource>("TagResource"),
    Entry::of::<untag_resource::UntagResource>("UntagResource"),
    Entry::of::<update_account_settings::UpdateAccountSettings>("UpdateAccountSettings"),
    Entry::of::<update_channel::UpdateChannel>("UpdateChannel"),
    Entry::of::<update_dead_letter_queue_records_visibility::UpdateDeadLetterQueueRecordsVisibility>(
        "UpdateDeadLetterQueueRecordsVisibility",
    ),
    Entry::of::<update_max_record_size::UpdateMaxRecordSize>("UpdateMaxRecordSize"),
    Entry::of::<update_queue::UpdateQueue>("UpdateQueue"),
    Entry::of::<update_queue_records_visibility::UpdateQueueRecordsVisibility>(
        "UpdateQueueRecordsVisibility",
    ),
    Entry::of::<update_shard_count::UpdateShardCount>("UpdateShardCount"),
    Entry::of::<update_stream_mode::UpdateStreamMode>("UpdateStreamMode"),
    Entry::of::<update_stream_record_distribution_strategy::UpdateStreamRecordDistributionStrategy>(
        "UpdateStreamRecordDistributionStrategy",
    ),
    Entry::of::<update_stream_warm_throughput::UpdateStreamWarmThroughput>(
        "UpdateStreamWarmThroughput",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_by_name_without_duplicates() {
        assert!(
            OPERATIONS
                .windows(2)
                .all(|pair| pair[0].name < pair[1].name)
        );
    }

    #[test]
    fn position_is_the_index_in_the_table() {
        for (position, entry) in OPERATIONS.iter().enumerate() {
            assert_eq!(entry.position(), position);
        }
    }
}
