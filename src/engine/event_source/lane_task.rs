//! Lane tasks, which run for one lane beside the shard's task. A lane task invokes the function or
//! delivers a failure record. A virtual clock does not advance while a lane task runs.

use super::batch::{Batch, RecordRef};
use super::context::Context;
use super::entries::ShardContext;
use super::event_log::Entry;
use super::mapping::{Directive, Mapping, count};
use super::outbound::{Call, DeliverError, Delivery, Invocation, Invoke};
use super::shard_status::{LanePhase, ShardStatus};
use crate::admission::BudgetPermit;
use crate::engine::step_faults::{Step, fault_at, wait_until};
use crate::engine::{Read, ReadBudget, Shard, Stream};
use crate::limits;
use crate::lock::Lock;
use crate::model::event_source::{
    Answer, EventHead, EventWriter, FailureRecord, Window, WindowFlags,
};
use crate::store::StoreError;
use crate::world::{Alarm, Bell, Fault, Stopwatch, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The outcome of a lane task, which was an invocation of the function or a delivery of a failure
/// record.
#[derive(Debug)]
pub(super) enum TaskOutcome {
    /// The invocation ended: the function answered, failed or was not reached.
    Answered { answer: Answer, took: Duration },
    /// The function was not invoked. While the task waited, the mapping stopped delivering records,
    /// or a record of the batch became too old.
    Withdrawn,
    /// The function was not invoked, because the log no longer contains any record of the batch.
    RecordsGone,
    /// The store failed to read the records of the batch.
    Unreadable(StoreError),
    /// The delivery of a failure record ended. Holds the result of the delivery, or None if no
    /// destination or no endpoint for the destination is configured.
    Delivered(Option<Result<(), DeliverError>>),
    /// The task was dropped before its end, because the emulator stops.
    Aborted,
}

/// The outcomes of a shard's lane tasks, each with the index of its lane. The shard's task removes
/// the outcomes and handles them.
#[derive(Debug)]
pub(super) struct Inbox {
    outcomes: Lock<Vec<(usize, TaskOutcome)>>,
    bell: Bell,
}

impl Inbox {
    pub(super) fn new(bell: Bell) -> Self {
        Self {
            outcomes: Lock::default(),
            bell,
        }
    }

    pub(super) fn take(&self) -> Vec<(usize, TaskOutcome)> {
        std::mem::take(&mut *self.outcomes.lock())
    }
}

/// Sends the outcome of a lane task to the inbox of the shard's task. If this value is dropped
/// before the task has an outcome, the drop sends [`TaskOutcome::Aborted`].
#[derive(Debug)]
struct OutcomeSender {
    inbox: Arc<Inbox>,
    lane: usize,
    is_sent: bool,
    /// An alarm that prevents a virtual clock from advancing until this sender is dropped. The
    /// sender rings the bell before it is dropped, so the shard's task handles the outcome before
    /// the clock advances.
    at_work: Alarm,
}

impl OutcomeSender {
    fn send(mut self, outcome: TaskOutcome) {
        self.is_sent = true;
        self.inbox.outcomes.lock().push((self.lane, outcome));
        self.inbox.bell.ring();
    }
}

impl Drop for OutcomeSender {
    fn drop(&mut self) {
        if !self.is_sent {
            let aborted = (self.lane, TaskOutcome::Aborted);
            self.inbox.outcomes.lock().push(aborted);
            self.inbox.bell.ring();
        }
    }
}

/// A task that works for one lane. The task invokes the function, or delivers a failure record.
#[derive(Debug)]
pub(super) struct LaneTask {
    context: Arc<Context>,
    mapping: Arc<Mapping>,
    stream: Arc<Stream>,
    shard: Arc<Shard>,
    /// The value of `MappingState::restarts` when the shard's task started.
    restarts: u64,
    head: EventHead,
    status: Arc<ShardStatus>,
    own_events: Arc<Semaphore>,
    batch: Batch,
    /// The state of the batch's tumbling window, as JSON.
    window_state: String,
    sender: OutcomeSender,
}

/// The parameters of [`LaneTask::new`]: the batch to deliver, the state of its tumbling window, the
/// mapping, stream and shard of the batch, and the inbox that receives the outcome.
#[derive(Debug)]
pub(super) struct LaneTaskInput {
    pub(super) context: Arc<Context>,
    pub(super) mapping: Arc<Mapping>,
    pub(super) stream: Arc<Stream>,
    pub(super) shard: Arc<Shard>,
    pub(super) restarts: u64,
    /// The members that are the same in all entries of the event.
    pub(super) head: EventHead,
    pub(super) status: Arc<ShardStatus>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) own_events: Arc<Semaphore>,
    pub(super) lane: usize,
    pub(super) batch: Batch,
    pub(super) window_state: String,
}

impl LaneTask {
    /// Prepares a lane task. From this call to the end of the task, a virtual clock does not
    /// advance.
    pub(super) fn new(input: LaneTaskInput) -> Self {
        let sender = OutcomeSender {
            inbox: input.inbox,
            lane: input.lane,
            is_sent: false,
            at_work: input.context.world.clock.alarm(),
        };
        Self {
            context: input.context,
            mapping: input.mapping,
            stream: input.stream,
            shard: input.shard,
            restarts: input.restarts,
            head: input.head,
            status: input.status,
            own_events: input.own_events,
            batch: input.batch,
            window_state: input.window_state,
            sender,
        }
    }

    /// Invokes the function with the batch, and sends the outcome to the shard's task. The task
    /// adds `entry` to the event log when the invocation begins.
    pub(super) async fn invoke(mut self, entry: Entry) {
        let outcome = self.invoked(entry).await;
        self.sender.send(outcome);
    }

    async fn invoked(&mut self, entry: Entry) -> TaskOutcome {
        let arn = self.batch.plan.function.clone();
        let functions = &self.context.outbound.functions;
        let Some(function) = functions.find(&arn.name, arn.qualifier.as_deref()) else {
            let reason = format!("no function {} is configured", arn.name);
            return answered(Answer::NotReached(reason));
        };
        let bytes = self.bytes();
        let Some((call, _permit, passed)) = self.begin(&*function, bytes).await else {
            return TaskOutcome::Withdrawn;
        };
        let now = self.context.world.clock.now();
        self.note_invocation(Entry { time: now, ..entry });
        let event = match self.event(bytes).await {
            Ok(Some(event)) => event,
            Ok(None) => return TaskOutcome::RecordsGone,
            Err(error) => return TaskOutcome::Unreadable(error),
        };
        let invocation = Invocation {
            function: arn,
            request_id: self.batch.id.to_string(),
            trace_id: self.context.trace_id(),
            mapping: self.mapping.uuid.to_string(),
            attempt: self.batch.next_attempt(),
            event: event.into(),
        };
        let (answer, took) = invoke_past_faults(call, invocation, passed).await;
        TaskOutcome::Answered { answer, took }
    }

    /// Waits for an address of the function, for `bytes` bytes of the in-flight budget, and for the
    /// end of an injected delay. Returns the address, the permit for the bytes, and the result of
    /// the injection point. Returns None if the invocation must not begin any more.
    ///
    /// The address and the bytes are free during a delay. Otherwise a virtual clock would never
    /// reach the end of the delay: the clock stands still while another batch waits for them.
    async fn begin(
        &mut self,
        function: &dyn Invoke,
        bytes: usize,
    ) -> Option<(Box<dyn Call>, BudgetPermit, Result<(), Fault>)> {
        let lane = self.sender.lane;
        let mut is_delayed = false;
        loop {
            self.status.set_phase(lane, LanePhase::Blocked);
            let call = function.acquire().await;
            self.status.set_phase(lane, LanePhase::Invoking);
            let permit = self.permit(bytes).await;
            if self.is_withdrawn(self.context.world.clock.now()) {
                return None;
            }
            let fault = if is_delayed {
                None
            } else {
                self.fault_at(Step::Invoke)
            };
            match fault {
                None => return Some((call, permit, Ok(()))),
                Some(Fault::Delay(ms)) => {
                    drop((call, permit));
                    self.delay(ms).await;
                    is_delayed = true;
                }
                Some(fault) => return Some((call, permit, Err(fault))),
            }
        }
    }

    /// The bytes of the batch's records in an event.
    fn bytes(&self) -> usize {
        let records = self.batch.records().iter();
        records.map(|record| record.bytes + 1).sum()
    }

    /// Waits for a permit of the in-flight budget for an event of `bytes` bytes.
    async fn permit(&self, bytes: usize) -> BudgetPermit {
        let admission = &self.context.admission;
        admission.invocation(bytes as u64, &self.own_events).await
    }

    /// True if the invocation must not begin any more: the engine stops, the task of the shard must
    /// pause or end, or a record of the batch has become too old.
    fn is_withdrawn(&self, now: Timestamp) -> bool {
        let is_stopping = *self.context.stop.borrow();
        let incarnation = self.stream.incarnation;
        let directive = self.mapping.directive(incarnation, self.restarts, now);
        is_stopping
            || !matches!(directive, Directive::Run(_))
            || self.batch.expired(&self.stream, now).is_some()
    }

    fn note_invocation(&self, entry: Entry) {
        self.mapping.note(entry);
        let records = self.batch.records().len();
        count(&self.mapping.counters.invoked, records);
        tracing::debug!(
            mapping = %self.mapping.uuid, shard = %self.shard.id, request = %self.batch.id,
            records, attempt = self.batch.next_attempt(), "invoke"
        );
    }

    /// Passes the injection point of a step. If a delay fires for the step, waits until the end of
    /// the delay, and shows this end to drains.
    async fn pass(&mut self, step: Step) -> Result<(), Fault> {
        match self.fault_at(step) {
            None => Ok(()),
            Some(Fault::Delay(ms)) => {
                self.delay(ms).await;
                Ok(())
            }
            Some(fault) => Err(fault),
        }
    }

    fn fault_at(&self, step: Step) -> Option<Fault> {
        let (stream, shard) = (self.mapping.source.stream(), Some(self.shard.id));
        fault_at(&self.context.world, step, stream, shard)
    }

    /// Waits for an injected delay of `ms` milliseconds, and shows its end to drains.
    async fn delay(&mut self, ms: u32) {
        let world = &self.context.world;
        let until = world.clock.now().plus_millis(i64::from(ms));
        self.status.set_delay(self.sender.lane, Some(until));
        self.context.note_activity();
        wait_until(world, &mut self.sender.at_work, until).await;
        self.status.set_delay(self.sender.lane, None);
    }

    /// Writes the event of the batch as JSON. Returns None if the log no longer contains any record
    /// of the batch.
    async fn event(&self, bytes: usize) -> Result<Option<Vec<u8>>, StoreError> {
        let records = self.batch.records();
        let mut event = EventWriter::new(&self.head, bytes + 64 + self.window_state.len());
        let written = self.write(records, &mut event).await?;
        if written == 0 && !records.is_empty() {
            return Ok(None);
        }
        Ok(Some(match &self.batch.window {
            None => event.finish(),
            Some((window, flags)) => event.finish_window(window, &self.window_state, *flags),
        }))
    }

    /// Reads the records of the batch again and writes these records into the event. Returns the
    /// number of records that the log still contained.
    async fn write(
        &self,
        records: &[RecordRef],
        event: &mut EventWriter<'_>,
    ) -> Result<usize, StoreError> {
        let shard_context = ShardContext::new(
            &self.head,
            &self.mapping.source,
            self.shard.id,
            self.shard.range(),
        );
        let now = self.context.world.clock.now();
        let (mut at, mut written) = (0, 0);
        while let Some(wanted) = records.get(at) {
            let batch = self
                .shard
                .read(
                    Read {
                        from: self.shard.position(wanted.index, now),
                        horizon: Timestamp::from_millis(i64::MIN),
                        records: records.len() - at,
                        bytes: limits::EVENT_SOURCE_READ_BYTES,
                    },
                    ReadBudget::AtOnce,
                )
                .await?;
            if batch.is_empty() {
                break;
            }
            for record in batch.iter() {
                at += records[at..].partition_point(|wanted| wanted.index < record.number.index);
                if records
                    .get(at)
                    .is_none_or(|wanted| wanted.index != record.number.index)
                {
                    continue;
                }
                at += 1;
                written += 1;
                shard_context.entries(&record, |entry| {
                    if self.batch.plan.filters.keep(entry, shard_context.meta()) {
                        event.push(entry);
                    }
                });
            }
            let next = batch.next().index;
            at += records[at..].partition_point(|wanted| wanted.index < next);
        }
        Ok(written)
    }

    /// Delivers the failure record of the discarded batch, and adds the batch to the mapping's list
    /// of failures.
    pub(super) async fn deliver(mut self, record: FailureRecord) {
        let bytes = self.bytes();
        let permit = self.permit(bytes).await;
        let payload = match self.event(bytes).await {
            Ok(event) => event.and_then(|event| String::from_utf8(event).ok()),
            Err(error) => {
                tracing::error!(%error, shard = %self.shard.id, "a discarded batch cannot be read");
                None
            }
        };
        let payload = payload.unwrap_or_default();
        let shown = serde_json::from_str(&record.to_json(None)).unwrap_or_default();
        self.mapping.add_failure(shown, &payload);
        let delivered = self.delivered(record, payload).await;
        drop(permit);
        self.sender.send(TaskOutcome::Delivered(delivered));
    }

    async fn delivered(
        &mut self,
        record: FailureRecord,
        payload: String,
    ) -> Option<Result<(), DeliverError>> {
        let destination = self.batch.plan.destination.clone()?;
        if !self.context.outbound.deliver.has_endpoint(&destination) {
            return None;
        }
        if let Err(fault) = self.pass(Step::Deliver).await {
            let reason = format!("a fault rule keeps the record from its destination: {fault:?}");
            return Some(Err(DeliverError::Refused(reason)));
        }
        let delivery = Delivery {
            payload: destination.takes_payload().then_some(payload),
            destination,
            mapping: self.mapping.uuid.to_string(),
            record,
            random: self.context.uuid().to_string(),
        };
        Some(self.context.outbound.deliver.deliver(delivery).await)
    }
}

/// Invokes the function. Returns the function's answer and the duration of the invocation in real
/// time. `passed` is the result of the injection point before the invocation: `Fault::Error` skips
/// the invocation, and every other fault drops the answer.
pub(super) async fn invoke_past_faults(
    call: Box<dyn Call>,
    invocation: Invocation,
    passed: Result<(), Fault>,
) -> (Answer, Duration) {
    if passed == Err(Fault::Error) {
        let reason = "a fault rule keeps the function from being reached";
        return (Answer::NotReached(reason.to_owned()), Duration::ZERO);
    }
    let watch = Stopwatch::start();
    let answer = call.invoke(invocation).await;
    let answer = match passed {
        Ok(()) => answer,
        Err(_) => Answer::Lost("a fault rule lost the answer".to_owned()),
    };
    (answer, watch.elapsed())
}

fn answered(answer: Answer) -> TaskOutcome {
    TaskOutcome::Answered {
        answer,
        took: Duration::ZERO,
    }
}

/// Returns the largest permitted size in bytes of all records in an event, with one comma for each
/// record. The other members of the event, such as a tumbling window and its state, make this size
/// smaller.
pub(super) fn most_record_bytes(head: &EventHead, window: Option<(Window, &str)>) -> usize {
    let most = limits::EVENT_SOURCE_EVENT_BYTES + 1;
    most.saturating_sub(head.frame_bytes(window))
}

pub(super) const fn final_flags(is_early: bool) -> WindowFlags {
    WindowFlags {
        is_final: true,
        is_early,
    }
}

/// Returns the first `most` bytes of an answer's body as text. The log and the paths under
/// `/_minikin/` show this text.
pub(super) fn excerpt(body: &[u8], most: usize) -> Arc<str> {
    let shown = &body[..body.len().min(most)];
    String::from_utf8_lossy(shown).into()
}
