//! Converts records of a shard to entries of an event. If a consumer reads an aggregated record of
//! the Kinesis Producer Library, each user record in the aggregated record becomes one entry.

use crate::engine::RecordView;
use crate::model::event_source::{Aggregate, EventHead, EventRecord, MetaData, Source, UserRecord};
use crate::model::{HashKeyRange, ShardId};

/// Values that all entries of one shard have in common.
pub(super) struct ShardContext<'a> {
    pub(super) head: &'a EventHead,
    /// The hash key range of the shard. None for a mapping of a stream, because only a mapping of a
    /// consumer splits aggregated records into user records.
    pub(super) range: Option<HashKeyRange>,
    pub(super) shard: String,
    pub(super) source: String,
    pub(super) region: &'a str,
}

impl<'a> ShardContext<'a> {
    pub(super) fn new(
        head: &'a EventHead,
        source: &'a Source,
        shard: ShardId,
        range: HashKeyRange,
    ) -> Self {
        Self {
            head,
            range: matches!(source, Source::Consumer(_)).then_some(range),
            shard: shard.to_string(),
            source: source.to_string(),
            region: source.stream().scope.region.as_str(),
        }
    }

    pub(super) fn meta(&self) -> MetaData<'_> {
        MetaData {
            shard: &self.shard,
            source: &self.source,
            region: self.region,
        }
    }

    /// Calls `take` for each entry of the record. A plain record has one entry. An aggregated
    /// record that a consumer reads has one entry for each of its user records. If a hash key of a
    /// user record lies outside the shard's range, the whole aggregated record has no entry. A
    /// recording shows that the service does the same.
    pub(super) fn entries(&self, record: &RecordView<'_>, mut take: impl FnMut(&EventRecord<'_>)) {
        let outer = EventRecord {
            partition_key: record.partition_key,
            number: record.number,
            arrival_ms: record.arrival.millis(),
            data: record.data,
        };
        let aggregate = match &self.range {
            Some(range) => Aggregate::of(record.data, range),
            None => Aggregate::Plain,
        };
        match aggregate {
            Aggregate::Plain => take(&outer),
            Aggregate::Foreign => {}
            Aggregate::Records(records) => {
                for UserRecord {
                    partition_key,
                    data,
                } in records
                {
                    take(&EventRecord {
                        partition_key: Some(partition_key),
                        data,
                        ..outer
                    });
                }
            }
        }
    }
}
