//! The requests that use receipt handles. They acknowledge records, change visibility timeouts, and
//! restore dead-letter records.

use super::item::Queue;
use super::journal::CommitPriority;
use super::view::StreamView;
use crate::engine::Engine;
use crate::model::{HandleFault, QueueRecords, ReceiptHandle, RecordBefore, RecordPlace};
use crate::world::Timestamp;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Reason why a request with receipt handles failed for one of its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryFault {
    /// The text is not a receipt handle of this queue.
    Malformed,
    /// The queue refuses the receipt handle. Holds the reason, for instance that the handle is no
    /// longer valid.
    Handle(HandleFault),
    /// The store cannot write.
    Store,
}

/// Error of a request with receipt handles: the queue's status does not permit such requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotServing;

/// The outcome of each entry of a request with receipt handles, in the order of the entries.
pub(crate) type Outcomes = Vec<Result<(), EntryFault>>;

/// The change that a request makes for one receipt handle. The arguments are the records, the index
/// of the handle in the request, the handle, and the current time. The result contains the earlier
/// state of the record if a failed save must undo the change.
type Action<'a> = &'a (
        dyn Fn(&mut QueueRecords, usize, &ReceiptHandle, Timestamp) -> Result<Done, HandleFault>
            + Sync
    );

type Done = Option<RecordBefore>;

/// Upper bound for the bytes of one record's change in a journal document.
const CHANGE_BYTES: u64 = 64;

impl Queue {
    /// Acknowledges the records of the given receipt handles. Returns when the acknowledgements are
    /// as durable as the `durability` option promises.
    ///
    /// # Errors
    /// Returns an error if the queue's status does not permit the use of receipt handles.
    pub(crate) async fn acknowledge(
        self: &Arc<Self>,
        engine: &Arc<Engine>,
        dead: bool,
        handles: &[&str],
    ) -> Result<Outcomes, NotServing> {
        let action: Action<'_> = &|records, _, handle, _| records.acknowledge(handle, dead);
        let handles = (dead, handles);
        let settling = self.settle(engine, handles, CommitPriority::Urgent, action);
        let (outcomes, settled) = settling.await?;
        self.traffic
            .acknowledged
            .fetch_add(settled as u64, Ordering::Relaxed);
        Ok(outcomes)
    }

    /// Turns the dead-letter records of the given receipt handles into normal records again, so
    /// that receives of normal records can return them. Returns when the change is as durable as
    /// the `durability` option promises.
    ///
    /// # Errors
    /// Returns an error if the queue's status does not permit the use of receipt handles.
    pub(crate) async fn restore(
        self: &Arc<Self>,
        engine: &Arc<Engine>,
        handles: &[&str],
    ) -> Result<Outcomes, NotServing> {
        let action: Action<'_> = &|records, _, handle, now| records.restore(handle, now).map(Some);
        let settling = self.settle(engine, (true, handles), CommitPriority::Urgent, action);
        settling.await.map(|(outcomes, _)| outcomes)
    }

    /// Gives the records of the receipt handles new visibility timeouts, which begin now.
    /// `timeouts_s` contains the duration in seconds for each handle.
    ///
    /// # Errors
    /// Returns an error if the queue's status does not permit the use of receipt handles.
    pub(crate) async fn change_visibility(
        self: &Arc<Self>,
        engine: &Arc<Engine>,
        dead: bool,
        handles: &[&str],
        timeouts_s: &[u32],
    ) -> Result<Outcomes, NotServing> {
        let action: Action<'_> = &|records, at, handle, now| {
            let due = now.plus_millis(i64::from(timeouts_s[at]) * 1000);
            let changed = records.change_visibility(handle, dead, now, due);
            changed.map(|()| None)
        };
        let handles = (dead, handles);
        let settling = self.settle(engine, handles, CommitPriority::Deferred, action);
        settling.await.map(|(outcomes, _)| outcomes)
    }

    /// Calls `action` for each receipt handle. If `dead` is true, the handles must come from
    /// receives of dead-letter records. Returns the outcomes, and the number of calls for which
    /// `action` returned the earlier state of the record.
    async fn settle(
        self: &Arc<Self>,
        engine: &Arc<Engine>,
        (dead, texts): (bool, &[&str]),
        priority: CommitPriority,
        action: Action<'_>,
    ) -> Result<(Outcomes, usize), NotServing> {
        let bytes = CHANGE_BYTES * texts.len() as u64;
        let Ok(reservation) = self.reserve(engine, bytes).await else {
            return self.refuse_all(texts.len()).map(|refused| (refused, 0));
        };
        let now = engine.world.clock.now();
        let view = StreamView::of(&self.stream, now);
        let handles: Vec<_> = texts.iter().map(|text| self.seal.decode(text)).collect();
        let expired = self.expired_unread(&view, &handles).await;
        let (mut outcomes, undo, ticket) = self.with_state(|state| {
            if !state.serves() {
                return Err(NotServing);
            }
            state.refresh(&view, now);
            let mut undo = Vec::new();
            let one = |(at, handle): (usize, &Option<ReceiptHandle>)| {
                let handle = handle.ok_or(EntryFault::Malformed)?;
                if handle.dead == dead && expired.contains(&handle.place()) {
                    return Err(EntryFault::Handle(HandleFault::Gone));
                }
                let done = action(&mut state.records, at, &handle, now);
                undo.extend(done.map_err(EntryFault::Handle)?);
                Ok(())
            };
            let outcomes: Outcomes = handles.iter().enumerate().map(one).collect();
            let ticket = state.finish_pass(engine, self, reservation, now, priority);
            Ok((outcomes, undo, ticket))
        })?;
        let changes = undo.len();
        let Some(ticket) = ticket else {
            return Ok((outcomes, changes));
        };
        if ticket.durable().await.is_err() {
            self.with_state(|state| {
                undo.iter()
                    .rev()
                    .for_each(|before| state.records.undo(before));
                state.finish_pass(engine, self, None, now, CommitPriority::Deferred)
            });
            outcomes.fill(Err(EntryFault::Store));
            return Ok((outcomes, 0));
        }
        Ok((outcomes, changes))
    }

    /// Checks the records of `handles` that the queue regards as never received, and returns the
    /// expired ones among them. A crash lost the receives of these records. The queue does not know
    /// their arrival times, so this function asks the log.
    async fn expired_unread(
        &self,
        view: &StreamView,
        handles: &[Option<ReceiptHandle>],
    ) -> Vec<RecordPlace> {
        let places = handles.iter().flatten().map(ReceiptHandle::place);
        let unread: Vec<_> = self.with_state(|state| {
            let records = &state.records;
            places
                .filter(|place| place.index >= records.next(place.shard))
                .collect()
        });
        let mut expired = Vec::new();
        for place in unread {
            if view.has_expired(place).await {
                expired.push(place);
            }
        }
        expired
    }

    fn refuse_all(&self, count: usize) -> Result<Outcomes, NotServing> {
        if !self.with_state(|state| state.serves()) {
            return Err(NotServing);
        }
        Ok(vec![Err(EntryFault::Store); count])
    }
}
