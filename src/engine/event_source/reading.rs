//! Reads the records of a shard for a mapping. Applies the filters, distributes the records over
//! the lanes, and limits the read-ahead.

use super::batch::RecordRef;
use super::entries::ShardContext;
use super::event_log::{Entry, EntryKind};
use super::mapping::count;
use super::shard_work::ShardWork;
use crate::engine::{Read, ReadBudget, RecordView};
use crate::limits;
use crate::model::event_source::{Source, lane_of};
use crate::store::StoreError;
use crate::world::Timestamp;

impl ShardWork {
    /// Reads records until every lane has enough records, the read-ahead limit is reached, or the
    /// end of the shard is reached.
    pub(super) async fn fill(&mut self, now: Timestamp) {
        let mut counts = (0, 0);
        while self.wants_records() && self.read_index < self.shard.end() {
            if let Some(moment) = self.next_read.filter(|moment| now < *moment) {
                self.await_time(moment);
                break;
            }
            if self.is_over_rate(now) {
                self.await_time(now.plus_millis(limits::RATE_PAUSE_MS));
                break;
            }
            match self.read_some(now).await {
                Ok((read, kept)) => counts = (counts.0 + read, counts.1 + kept),
                Err(error) => {
                    tracing::error!(
                        %error, stream = %self.stream.arn, shard = %self.shard.id,
                        from = self.read_index, "a mapping cannot read a shard"
                    );
                    self.await_time(now.plus_millis(self.context.back_off().most_ms));
                    break;
                }
            }
            // Without this yield, a mapping whose filters drop every record would block its thread.
            tokio::task::yield_now().await;
        }
        self.note_read(counts, now);
    }

    fn note_read(&mut self, (read, kept): (usize, usize), now: Timestamp) {
        if read == 0 {
            return;
        }
        let entry = |kind, records| Entry {
            shard: Some(self.shard.id),
            records: Some(records),
            ..Entry::new(kind, now)
        };
        if kept > 0 {
            self.mapping.note(entry(EntryKind::Read, kept));
        }
        if kept < read {
            self.mapping.note(entry(EntryKind::Filtered, read - kept));
        }
        if self.read_index >= self.shard.end() {
            let pause = self.context.limits.event_source_poll_ms;
            // Only a mapping of a stream pauses between reads. The service pushes records to a
            // mapping of a consumer.
            let polls = matches!(self.mapping.source, Source::Stream(_));
            let pause = pause
                .filter(|_| polls)
                .and_then(|ms| i64::try_from(ms).ok());
            self.next_read = pause.map(|ms| now.plus_millis(ms));
        }
        self.save_position(now);
    }

    /// True if the read limit of the shard forbids another read. Only a mapping of a stream is
    /// subject to this limit, and shares it with the callers of GetRecords.
    fn is_over_rate(&self, now: Timestamp) -> bool {
        matches!(self.mapping.source, Source::Stream(_)) && !self.shard.admits_read(now)
    }

    fn wants_records(&self) -> bool {
        let size = self.plan.settings.batch_size as usize;
        let hungry = self.lanes.iter().any(|lane| {
            lane.busy.is_none()
                && lane.work.is_empty()
                && lane.queue.len() < size
                && lane.queued_bytes <= limits::EVENT_SOURCE_EVENT_BYTES
        });
        hungry && !self.is_full()
    }

    /// True if the mapping has read ahead the maximum number of records or bytes. Only a mapping
    /// with several lanes reads ahead.
    pub(super) fn is_full(&self) -> bool {
        let queued: usize = self.lanes.iter().map(|lane| lane.queued_bytes).sum();
        self.lanes.len() > 1
            && (self.progress.undone() >= limits::EVENT_SOURCE_READ_AHEAD
                || queued >= limits::EVENT_SOURCE_READ_AHEAD_BYTES)
    }

    /// Reads the next part of the shard's records. Returns the number of records that were read,
    /// and the number of records among them that the mapping must deliver.
    async fn read_some(&mut self, now: Timestamp) -> Result<(usize, usize), StoreError> {
        let size = self.plan.settings.batch_size as usize;
        let queued = self.lanes.iter().map(|lane| lane.queue.len()).min();
        let records = match self.lanes.len() {
            1 if self.plan.filters.is_empty() => size.saturating_sub(queued.unwrap_or(0)),
            _ => limits::EVENT_SOURCE_READ_RECORDS,
        };
        let batch = self
            .shard
            .read(
                Read {
                    from: self.shard.position(self.read_index, now),
                    // Read expired records too, because the mapping discards such records with a
                    // failure record.
                    horizon: Timestamp::from_millis(i64::MIN),
                    records: records.clamp(1, limits::EVENT_SOURCE_READ_RECORDS),
                    bytes: limits::EVENT_SOURCE_READ_BYTES,
                },
                ReadBudget::AtOnce,
            )
            .await?;
        let (head, mapping) = (self.head.clone(), self.mapping.clone());
        let shard_context =
            ShardContext::new(&head, &mapping.source, self.shard.id, self.shard.range());
        let mut kept = 0;
        for record in batch.iter() {
            kept += usize::from(self.take(&record, &shard_context, now));
        }
        self.read_index = batch.next().index.max(self.read_index);
        if matches!(self.mapping.source, Source::Stream(_)) {
            self.shard.debit_read(now, || batch.bytes());
        }
        count(&self.mapping.counters.polled, batch.len());
        count(&self.mapping.counters.filtered, batch.len() - kept);
        Ok((batch.len(), kept))
    }

    /// Adds a record to its lane and returns true. Adds nothing and returns false if the filters
    /// drop the record, or if the mapping is already done with the record.
    fn take(
        &mut self,
        record: &RecordView<'_>,
        shard_context: &ShardContext<'_>,
        now: Timestamp,
    ) -> bool {
        let (mut bytes, mut entries) = (0, 0);
        shard_context.entries(record, |entry| {
            if self.plan.filters.keep(entry, shard_context.meta()) {
                bytes += shard_context.head.record_bytes(entry);
                entries += 1;
            }
        });
        let index = record.number.index;
        let lane = lane_of(
            record.partition_key.unwrap_or_default(),
            self.plan.settings.factor,
        );
        let is_kept = entries > 0 && index >= self.lane_done[lane];
        self.progress.read(index, record.arrival.millis(), !is_kept);
        if is_kept {
            let reference = RecordRef {
                index,
                arrival: record.arrival,
                bytes: bytes + entries - 1,
            };
            self.lanes[lane].enqueue(reference, now);
        }
        is_kept
    }
}
