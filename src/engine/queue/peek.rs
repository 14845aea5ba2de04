//! Shows the records of a queue without receiving them, and purges a queue.

use super::item::{Queue, QueueState};
use super::view::StreamView;
use crate::engine::{Batch, Engine, Read, ReadBudget, RecordView, Shard, StoreError};
use crate::limits;
use crate::model::{PeekState, QueueEntry, QueueRecords, RecordPlace};
use crate::world::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A request for one page of a list of a queue's records. The list is sorted by shard, and by index
/// within a shard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peek {
    /// The state of the records that the list contains, such as in flight.
    pub(crate) state: PeekState,
    /// Shard and index of the record at which the page starts.
    pub(crate) from: RecordPlace,
    /// Maximum number of records on the page.
    pub(crate) limit: usize,
}

/// A record on a page of a list of a queue's records.
#[derive(Debug)]
pub(crate) struct PeekedRecord<'a> {
    pub(crate) shard: &'a Shard,
    pub(crate) record: RecordView<'a>,
    /// The state of the record in the queue. None if the record was never received.
    pub(crate) entry: Option<QueueEntry>,
}

/// The records of one shard from which a page of the list is filled.
struct Span {
    shard: Arc<Shard>,
    /// The received records that the page may show. Each entry is the index and the state of a
    /// record.
    entries: Vec<(u64, QueueEntry)>,
    /// Index of the first record that was never received, and the indexes of later records that are
    /// already settled. None if the page does not show records that were never received.
    unread: Option<(u64, BTreeSet<u64>)>,
    /// Index at which the next page starts, if the shard has more received records than the page
    /// can show. None if it has no more.
    more: Option<u64>,
}

/// An unfinished page of a list of a queue's records.
struct Page<'a, S> {
    left: usize,
    bytes_left: u64,
    now: Timestamp,
    horizon: Timestamp,
    show: &'a mut S,
}

impl Queue {
    /// Calls `show` for each record on the page that `peek` describes. `show` returns the size in
    /// bytes of the record on the page. The records are not received, and their states in the queue
    /// do not change. Returns the shard and the index at which the next page starts. Returns None
    /// after the last page.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub(crate) async fn peek(
        &self,
        engine: &Engine,
        peek: Peek,
        mut show: impl FnMut(&PeekedRecord<'_>) -> usize + Send,
    ) -> Result<Option<RecordPlace>, StoreError> {
        let now = engine.world.clock.now();
        let view = StreamView::of(&self.stream, now);
        let mut page = Page {
            left: peek.limit,
            bytes_left: limits::LISTING_BYTES,
            now,
            horizon: view.horizon,
            show: &mut show,
        };
        for shard in view.shards.iter() {
            let id = shard.id.index();
            let from = match id.cmp(&peek.from.shard) {
                std::cmp::Ordering::Less => continue,
                std::cmp::Ordering::Equal => peek.from.index,
                std::cmp::Ordering::Greater => 0,
            };
            let span = self.with_state(|state| {
                state.records.end_due_timeouts(now);
                span(&state.records, shard, peek.state, from, page.left)
            });
            if let Some(index) = page.fill(span).await? {
                return Ok(Some(RecordPlace { index, shard: id }));
            }
        }
        Ok(None)
    }

    /// Settles all records that the queue has now, so that no receive returns them any more.
    /// Returns true when the purge is as durable as the `durability` option promises. Returns false
    /// if the queue's status does not permit a purge.
    ///
    /// # Errors
    /// Returns an error if the store cannot write. A restart may then undo the purge.
    pub(crate) async fn purge(self: &Arc<Self>, engine: &Engine) -> Result<bool, StoreError> {
        engine.check_store()?;
        let reservation = self
            .reserve(engine, limits::QUEUE_DOCUMENT_BYTES as u64)
            .await?;
        let now = engine.world.clock.now();
        let view = StreamView::of(&self.stream, now);
        let ticket = self.with_state(|state: &mut QueueState| {
            if !state.serves() {
                return None;
            }
            state.refresh(&view, now);
            for shard in view.shards.iter() {
                state.records.purge(shard.id.index(), shard.end());
            }
            Some(state.save_list(engine, self, reservation, now))
        });
        match ticket {
            None => Ok(false),
            Some(None) => Ok(true),
            Some(Some(ticket)) => ticket.durable().await.map(|()| true),
        }
    }
}

fn span(
    records: &QueueRecords,
    shard: &Arc<Shard>,
    state: PeekState,
    from: u64,
    limit: usize,
) -> Span {
    let id = shard.id.index();
    let place = RecordPlace {
        index: from,
        shard: id,
    };
    let (entries, more) = records.peek(place, state, limit);
    let wants_unread = state == PeekState::Visible && more.is_none();
    let unread = wants_unread.then(|| {
        let next = records.next(id).max(from);
        (next, records.passed_from(id, next))
    });
    Span {
        shard: shard.clone(),
        entries,
        unread,
        more,
    }
}

impl<S: FnMut(&PeekedRecord<'_>) -> usize + Send> Page<'_, S> {
    fn is_full(&self) -> bool {
        self.left == 0 || self.bytes_left == 0
    }

    /// Shows the records of `span` on the page. Returns the index of the first record that does not
    /// fit in the page, or None if all records fit.
    async fn fill(&mut self, span: Span) -> Result<Option<u64>, StoreError> {
        let mut rest = &span.entries[..];
        while let Some((first, _)) = rest.first() {
            if self.is_full() {
                return Ok(Some(*first));
            }
            let consecutive = rest.iter().zip(*first..);
            let consecutive = consecutive
                .take_while(|((index, _), wanted)| index == wanted)
                .count();
            let batch = self
                .read(&span.shard, *first, consecutive.min(self.left))
                .await?;
            let mut shown = 0;
            for record in batch.iter() {
                if self.is_full() {
                    return Ok(Some(record.number.index));
                }
                let found = rest[..consecutive]
                    .iter()
                    .find(|(at, _)| *at == record.number.index);
                if let Some((index, entry)) = found {
                    shown = usize::try_from(index - first).unwrap_or(consecutive) + 1;
                    self.show(&span.shard, record, Some(*entry));
                }
            }
            // The read returned none of the wanted records, which means that the log has lost them.
            // Skip all wanted records.
            rest = &rest[if shown == 0 { consecutive } else { shown }..];
        }
        if span.more.is_some() {
            return Ok(span.more);
        }
        let Some((mut index, passed)) = span.unread else {
            return Ok(None);
        };
        loop {
            if self.is_full() {
                return Ok(Some(index));
            }
            let batch = self.read(&span.shard, index, self.left).await?;
            for record in batch.iter() {
                if self.is_full() {
                    return Ok(Some(record.number.index));
                }
                if !passed.contains(&record.number.index) {
                    self.show(&span.shard, record, None);
                }
            }
            if batch.reached_end() {
                return Ok(None);
            }
            index = batch.next().index;
        }
    }

    async fn read(&self, shard: &Shard, index: u64, count: usize) -> Result<Batch, StoreError> {
        let read = Read {
            from: shard.position(index, self.now),
            horizon: self.horizon,
            records: count,
            bytes: self.bytes_left,
        };
        shard.read(read, ReadBudget::AtOnce).await
    }

    fn show(&mut self, shard: &Shard, record: RecordView<'_>, entry: Option<QueueEntry>) {
        self.left = self.left.saturating_sub(1);
        let shown = (self.show)(&PeekedRecord {
            shard,
            record,
            entry,
        });
        self.bytes_left = self.bytes_left.saturating_sub(shown as u64);
    }
}
