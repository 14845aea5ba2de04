//! Delivers a lane's records. Forms batches, invokes the function with a batch, and handles the
//! function's answer. Retries, splits or discards a failed batch.

use super::batch::{Batch, Busy, Lane};
use super::event_log::{Entry, EntryKind};
use super::lane_task::{LaneTask, LaneTaskInput, TaskOutcome, excerpt, most_record_bytes};
use super::mapping::{ProcessingResult, count};
use super::outbound::DeliverError;
use super::saved;
use super::shard_status::LanePhase;
use super::shard_work::{ShardWork, head};
use crate::limits;
use crate::model::event_source::{
    Answer, BatchRange, Condition, Failing, FailureRecord, Next, Outcome, Verdict, next_step,
    outcome,
};
use crate::world::Timestamp;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

impl Lane {
    pub(super) fn phase(&self) -> LanePhase {
        match self.busy {
            Some(Busy::Invoking) => LanePhase::Invoking,
            Some(Busy::Delivering) => LanePhase::Delivering,
            None if !self.work.is_empty() => LanePhase::BackingOff,
            None if !self.queue.is_empty() => LanePhase::Gathering,
            None => LanePhase::Idle,
        }
    }
}

/// Index of the successful invocations in [`super::mapping::Counters::invocations`]. The next three
/// constants are the indexes of the other outcomes.
const SUCCESS: usize = 0;
const PARTIAL: usize = 1;
const ERROR: usize = 2;
const NOT_REACHED: usize = 3;

impl ShardWork {
    /// Continues a lane's work until the lane must wait for a running task, for a deadline or for
    /// records.
    pub(super) fn advance(&mut self, lane: usize, now: Timestamp) {
        loop {
            if self.lanes[lane].busy.is_some() {
                return;
            }
            let Some(batch) = self.lanes[lane].work.last() else {
                let Some(batch) = self.form(lane, now) else {
                    return;
                };
                let entry = self.note(EntryKind::Batch, lane, &batch, now);
                self.mapping.note(entry);
                self.lanes[lane].work.push(batch);
                continue;
            };
            if let Some(expired) = batch.expired(&self.stream, now) {
                return self.expire(lane, expired, now);
            }
            if let Some(until) = batch.wait_until.filter(|until| now < *until) {
                let expires = batch.expires(&self.stream).unwrap_or(until);
                return self.await_time(until.min(expires));
            }
            if self.is_oversized(batch) {
                self.fail(lane, Failing::Oversized, None, now);
                continue;
            }
            return self.invoke(lane, now);
        }
    }

    /// True if `batch` contains a single record that is too large for an event.
    fn is_oversized(&self, batch: &Batch) -> bool {
        let [only] = batch.records() else {
            return false;
        };
        let head = head(&self.context, &self.mapping, &batch.plan, &self.shard);
        only.bytes + 1 > most_record_bytes(&head, self.window_around(only))
    }

    /// Forms the next batch of a lane, or the batch for the final invocation of a tumbling window.
    /// Returns None if the lane has no records, or if its next batch still waits for more records.
    fn form(&mut self, lane: usize, now: Timestamp) -> Option<Batch> {
        if let Some(last) = self.window_that_ends(now) {
            return Some(last);
        }
        let (count, is_full) = self.next_batch(lane);
        let waiting = &self.lanes[lane];
        let first = waiting.queue.front()?;
        let opened = waiting.ended.max(waiting.queued_since).unwrap_or(now);
        let window_ms = i64::from(self.plan.settings.batching_window_s) * 1000;
        let expires = self.plan.expires(first.arrival, &self.stream);
        let due = opened.plus_millis(window_ms).min(expires);
        if !is_full && now < due {
            let end = self.shard.position(self.read_index, now);
            if !self.shard.is_exhausted(end) {
                self.await_time(due);
                return None;
            }
        }
        let records = self.lanes[lane].take(count);
        let mut batch = self.new_batch(records);
        batch.window = self.window_of(&batch);
        if !self.lanes[lane].queue.is_empty() {
            self.lanes[lane].queued_since = Some(now);
        }
        Some(batch)
    }

    /// Returns the number of records from the front of the lane's queue that form the next batch.
    /// The second value is true if this batch is full. A full batch does not wait for more records.
    fn next_batch(&self, lane: usize) -> (usize, bool) {
        let first = self.lanes[lane].queue.front();
        let window = first.and_then(|first| self.window_around(first));
        let most_bytes = most_record_bytes(&self.head, window);
        let most = self.plan.settings.batch_size as usize;
        let (mut count, mut bytes) = (0, 0);
        for record in &self.lanes[lane].queue {
            bytes += record.bytes + 1;
            if count == most || (count > 0 && bytes > most_bytes) || self.is_of_later_window(record)
            {
                return (count.max(1), true);
            }
            count += 1;
        }
        (count, count == most)
    }

    fn task_input(&self, lane: usize, batch: &Batch) -> LaneTaskInput {
        let window_state = self.window.as_ref().map(|(_, state)| state.clone());
        LaneTaskInput {
            context: self.context.clone(),
            mapping: self.mapping.clone(),
            stream: self.stream.clone(),
            shard: self.shard.clone(),
            restarts: self.restarts,
            head: head(&self.context, &self.mapping, &batch.plan, &self.shard),
            status: self.status.clone(),
            inbox: self.inbox.clone(),
            own_events: self.own_events.clone(),
            lane,
            batch: batch.clone(),
            window_state: window_state.unwrap_or_default(),
        }
    }

    fn invoke(&mut self, lane: usize, now: Timestamp) {
        self.open_window(lane);
        let batch = self.lanes[lane].work.last().expect("a batch is in hand");
        let entry = self.note(EntryKind::Invoke, lane, batch, now);
        let task = LaneTask::new(self.task_input(lane, batch));
        self.lanes[lane].busy = Some(Busy::Invoking);
        self.context.tasks.spawn("invocation", task.invoke(entry));
    }

    /// Discards the first `count` records of the lane's current batch, because they are too old.
    fn expire(&mut self, lane: usize, count: usize, now: Timestamp) {
        let batch = self.lanes[lane].work.pop().expect("a batch is in hand");
        let (expired, rest) = batch.cut(count, self.context.uuid());
        self.lanes[lane].work.extend(rest);
        let entry = self.note(EntryKind::Expired, lane, &expired, now);
        self.mapping.note(entry);
        self.lanes[lane].work.push(expired);
        self.discard(lane, Condition::RecordAgeExceeded, None, now);
    }

    /// Discards the lane's current batch, and starts the delivery of the batch's failure record.
    fn discard(
        &mut self,
        lane: usize,
        condition: Condition,
        response: Option<(String, Option<String>)>,
        now: Timestamp,
    ) {
        let batch = self.lanes[lane].work.last().expect("a batch is in hand");
        let entry = self.note(EntryKind::Discarded, lane, batch, now);
        self.mapping.note(Entry {
            attempt: Some(batch.failures.attempts),
            detail: Some(condition.as_str().into()),
            ..entry
        });
        tracing::info!(
            mapping = %self.mapping.uuid, stream = %self.stream.arn, shard = %self.shard.id,
            records = batch.records().len(), condition = condition.as_str(), "batch discarded"
        );
        let record = self.failure_record(batch, condition, response, now);
        let task = LaneTask::new(self.task_input(lane, batch));
        self.lanes[lane].busy = Some(Busy::Delivering);
        self.context.tasks.spawn("delivery", task.deliver(record));
    }

    fn failure_record(
        &self,
        batch: &Batch,
        condition: Condition,
        response: Option<(String, Option<String>)>,
        now: Timestamp,
    ) -> FailureRecord {
        let records = batch.records();
        let range = records.first().zip(records.last());
        FailureRecord {
            request_id: batch.id.to_string(),
            function_arn: batch.plan.function.to_string(),
            condition,
            invocations: batch.failures.attempts,
            response,
            timestamp_ms: now.millis(),
            shard: self.shard.id,
            source: self.mapping.source.to_string(),
            range: range.map(|(first, last)| BatchRange {
                numbers: [first, last].map(|record| self.number(record).to_string()),
                arrivals_ms: [first, last].map(|record| record.arrival.millis()),
                count: records.len(),
            }),
            window: batch.window,
        }
    }

    /// Handles the outcome of a lane task, which was an invocation of the function or a delivery of
    /// a failure record.
    pub(super) fn apply_outcome(&mut self, lane: usize, outcome: TaskOutcome, now: Timestamp) {
        let busy = self.lanes.get_mut(lane).and_then(|lane| lane.busy.take());
        match (busy, outcome) {
            (None, _) | (_, TaskOutcome::Aborted | TaskOutcome::Withdrawn) => {}
            (Some(_), TaskOutcome::Answered { answer, took }) => {
                self.lanes[lane].ended = Some(now);
                self.answered(lane, &answer, took, now);
            }
            (Some(_), TaskOutcome::RecordsGone) => {
                let records = self.lanes[lane]
                    .work
                    .last()
                    .map_or(0, |batch| batch.records().len());
                self.expire(lane, records, now);
            }
            (Some(_), TaskOutcome::Unreadable(error)) => {
                tracing::error!(
                    %error, stream = %self.stream.arn, shard = %self.shard.id,
                    "a batch of a mapping cannot be read"
                );
                let failing = Failing::NotReached {
                    retry_after_ms: None,
                };
                self.fail(lane, failing, None, now);
            }
            (Some(_), TaskOutcome::Delivered(delivered)) => self.delivered(lane, delivered, now),
        }
    }

    fn answered(&mut self, lane: usize, answer: &Answer, took: Duration, now: Timestamp) {
        let verdict = answer.verdict();
        let batch = self.lanes[lane].work.last().expect("a batch is in hand");
        let records = batch.records().len();
        let entry = self.note(EntryKind::Outcome, lane, batch, now);
        let (outcome, counter, detail) = self.outcome_of(batch, answer, &verdict);
        self.mapping.note(Entry {
            status: answer.status(),
            duration_ms: i64::try_from(took.as_millis()).ok(),
            detail: Some(detail.into()),
            error: outcome
                .is_none()
                .then(|| excerpt(answer.text(), limits::OUTBOUND_ERROR_BYTES)),
            ..entry
        });
        count(&self.mapping.counters.invocations[counter], 1);
        match outcome {
            Some(Outcome::Done) => self.succeed(lane, answer, now),
            Some(Outcome::Partial(done)) => self.succeed_in_part(lane, answer, done, now),
            Some(Outcome::Failed) | None => {
                count(&self.mapping.counters.failed_invoke, records);
                self.failed(lane, answer, verdict, now);
            }
        }
    }

    /// Finds which records of `batch` an invocation has processed. Also returns the index of the
    /// counter of invocations with this result, and a short text of the result for the event log.
    ///
    /// The outcome is None if the answer says nothing about the records: the function was not
    /// reached or answered with an error, the event was too large, or the answer has no state
    /// although the batch belongs to a tumbling window.
    fn outcome_of(
        &self,
        batch: &Batch,
        answer: &Answer,
        verdict: &Verdict,
    ) -> (Option<Outcome>, usize, &'static str) {
        match verdict {
            Verdict::NotReached { .. } => return (None, NOT_REACHED, "not reached"),
            Verdict::FunctionError(_) => return (None, ERROR, "function error"),
            Verdict::TooLarge => return (None, ERROR, "too large"),
            Verdict::Answered => {}
        }
        if batch.window.is_some() && !self.answers_state(answer) {
            return (None, ERROR, "no state");
        }
        let numbers = || {
            let records = batch.records().iter();
            records
                .map(|record| self.number(record).to_string())
                .collect()
        };
        let outcome = outcome(batch.plan.settings.report, answer.text(), numbers);
        match outcome {
            Outcome::Done => (Some(outcome), SUCCESS, "success"),
            Outcome::Partial(_) => (Some(outcome), PARTIAL, "partial success"),
            Outcome::Failed => (Some(outcome), ERROR, "failed by report"),
        }
    }

    fn succeed(&mut self, lane: usize, answer: &Answer, now: Timestamp) {
        let batch = self.lanes[lane].work.pop().expect("a batch is in hand");
        self.set_result(ProcessingResult::Ok, now);
        if let Some(last) = batch.records().last() {
            let age_ms = now.millis_since(last.arrival);
            self.mapping.counters.iterator_age_ms.store(age_ms, Relaxed);
        }
        self.adopt_state(lane, &batch, answer, now);
        self.done(&batch, now);
    }

    fn succeed_in_part(&mut self, lane: usize, answer: &Answer, done: usize, now: Timestamp) {
        let batch = self.lanes[lane].work.pop().expect("a batch is in hand");
        self.set_result(ProcessingResult::Ok, now);
        let (first, rest) = batch.cut(done, self.context.uuid());
        let entry = self.note(EntryKind::Partial, lane, &first, now);
        self.mapping.note(entry);
        self.lanes[lane].work.extend(rest);
        self.adopt_state(lane, &first, answer, now);
        self.done(&first, now);
    }

    /// Marks the records of a batch as done, and saves the mapping's position in the shard.
    fn done(&mut self, batch: &Batch, now: Timestamp) {
        for record in batch.records() {
            self.progress.done(record.index);
        }
        self.save_position(now);
    }

    fn failed(&mut self, lane: usize, answer: &Answer, verdict: Verdict, now: Timestamp) {
        self.set_result(ProcessingResult::CallFailed, now);
        let batch = self.lanes[lane]
            .work
            .last_mut()
            .expect("a batch is in hand");
        batch.last_error = Some(excerpt(answer.text(), limits::EVENT_SOURCE_ERROR_BYTES));
        let (warns, what) = match &verdict {
            Verdict::NotReached { .. } => {
                (self.mapping.may_warn(now), "a function was not reached")
            }
            _ => (batch.failures.attempts == 0, "a function failed"),
        };
        if warns {
            tracing::warn!(
                mapping = %self.mapping.uuid, shard = %self.shard.id, request = %batch.id,
                status = answer.status(),
                error = &*excerpt(answer.text(), limits::OUTBOUND_ERROR_BYTES), "{what}"
            );
        }
        let version = answer.executed_version().to_owned();
        let (failing, response) = match verdict {
            Verdict::NotReached { retry_after_ms } => {
                (Failing::NotReached { retry_after_ms }, None)
            }
            Verdict::TooLarge => (Failing::Oversized, None),
            Verdict::FunctionError(error) => (Failing::Batch, Some((version, Some(error)))),
            Verdict::Answered => (Failing::Batch, Some((version, None))),
        };
        self.fail(lane, failing, response, now);
    }

    /// Handles a failure of the lane's current batch: schedules a retry, splits the batch, or
    /// discards it.
    fn fail(
        &mut self,
        lane: usize,
        failing: Failing,
        response: Option<(String, Option<String>)>,
        now: Timestamp,
    ) {
        let back_off = self.context.back_off();
        let batch = self.lanes[lane]
            .work
            .last_mut()
            .expect("a batch is in hand");
        let records = batch.records().len();
        let next = next_step(
            &batch.plan.settings,
            back_off,
            records,
            failing,
            &mut batch.failures,
        );
        match next {
            Next::Retry { after_ms } => {
                batch.wait_until = Some(now.plus_millis(after_ms));
                let batch = self.lanes[lane].work.last().expect("a batch is in hand");
                let entry = self.note(EntryKind::Retry, lane, batch, now);
                self.mapping.note(Entry {
                    duration_ms: Some(after_ms),
                    ..entry
                });
            }
            Next::Split { first } => {
                let batch = self.lanes[lane].work.pop().expect("a batch is in hand");
                let entry = self.note(EntryKind::Split, lane, &batch, now);
                self.mapping.note(entry);
                let ids = [self.context.uuid(), self.context.uuid()];
                let [left, right] = batch.split(first, ids);
                self.lanes[lane].work.extend([right, left]);
            }
            Next::Discard => {
                self.discard(lane, Condition::RetryAttemptsExhausted, response, now);
            }
        }
    }

    /// Completes a discarded batch after the delivery of its failure record. `delivered` is the
    /// result of the delivery. The result is None if no destination or no endpoint for the
    /// destination is configured.
    fn delivered(
        &mut self,
        lane: usize,
        delivered: Option<Result<(), DeliverError>>,
        now: Timestamp,
    ) {
        let batch = self.lanes[lane].work.pop().expect("a batch is in hand");
        let records = batch.records().len();
        let counters = &self.mapping.counters;
        match &delivered {
            None => count(&counters.dropped, records),
            Some(Ok(())) => {
                count(&counters.on_failure_delivered, records);
                let entry = self.note(EntryKind::Delivered, lane, &batch, now);
                self.mapping.note(Entry {
                    detail: Some("failure record".into()),
                    ..entry
                });
            }
            Some(Err(error)) => {
                count(&counters.dropped, records);
                count(&counters.destination_failures, 1);
                tracing::warn!(
                    mapping = %self.mapping.uuid, shard = %self.shard.id, ?error,
                    "a failure record did not reach its destination"
                );
                let entry = self.note(EntryKind::DeliveryFailed, lane, &batch, now);
                self.mapping.note(Entry {
                    detail: Some(format!("{error:?}").into()),
                    ..entry
                });
            }
        }
        self.forget_window(&batch);
        self.done(&batch, now);
    }

    fn set_result(&self, result: ProcessingResult, now: Timestamp) {
        if self.mapping.set_result(result, now) {
            let mut state = self.mapping.state.lock();
            let changes = saved::mapping(&self.mapping, &mut state, now);
            let _kept = self.context.store.save(changes);
        }
    }
}
