//! The tumbling windows of a shard: the window of each batch, the state that one invocation passes
//! to the next invocation, and the final invocation of each window.

use super::batch::{Batch, RecordRef};
use super::event_log::{Entry, EntryKind};
use super::lane_task::final_flags;
use super::shard_work::ShardWork;
use crate::limits;
use crate::model::event_source::{Answer, Window, WindowFlags, window_state};
use crate::world::Timestamp;

/// The state of a tumbling window at its start, as JSON.
const EMPTY: &str = "{}";

impl ShardWork {
    /// Returns the tumbling window of a new batch, and the flags for the batch's event. None if the
    /// mapping has no tumbling windows.
    pub(super) fn window_of(&self, batch: &Batch) -> Option<(Window, WindowFlags)> {
        let (window, _) = self.window_around(batch.records().first()?)?;
        Some((window, WindowFlags::default()))
    }

    /// Opens the tumbling window of the lane's current batch, unless a window is open. The caller
    /// calls this function only before an invocation. Therefore a batch that is discarded without
    /// an invocation opens no window.
    pub(super) fn open_window(&mut self, lane: usize) {
        let window = self.lanes[lane].work.last().and_then(|batch| batch.window);
        if let Some((window, _)) = window {
            self.window
                .get_or_insert_with(|| (window, EMPTY.to_owned()));
        }
    }

    /// Returns the tumbling window of an event whose first record is `first`, and the state that
    /// this event passes to the function. None if the mapping has no tumbling windows.
    pub(super) fn window_around(&self, first: &RecordRef) -> Option<(Window, &str)> {
        let length_s = self.plan.settings.tumbling_window_s;
        if let Some((window, state)) = self.window.as_ref().filter(|_| length_s > 0) {
            return Some((*window, state));
        }
        (length_s > 0).then(|| (Window::of(first.arrival.millis(), length_s), EMPTY))
    }

    /// True if `record` belongs to a later tumbling window than the open window. If no window is
    /// open, uses the window of the first record in the lane's queue instead.
    pub(super) fn is_of_later_window(&self, record: &RecordRef) -> bool {
        let length_s = self.plan.settings.tumbling_window_s;
        if length_s == 0 {
            return false;
        }
        let first = self.lanes[0].queue.front();
        let window = first.and_then(|first| self.window_around(first));
        window.is_some_and(|(window, _)| window.is_before(record.arrival.millis()))
    }

    /// Returns the batch for the final invocation of the open tumbling window. Returns None if the
    /// window does not end now. A window ends when a record of a later window is queued, when the
    /// shard is finished, or when the window length was changed. A window also ends when the idle
    /// time after its end time has passed and the shard has no unread record.
    pub(super) fn window_that_ends(&mut self, now: Timestamp) -> Option<Batch> {
        let (window, _) = self.window.as_ref()?;
        let window = *window;
        let ends = match self.lanes[0].queue.front() {
            _ if window.length_s != self.plan.settings.tumbling_window_s => true,
            Some(first) => window.is_before(first.arrival.millis()),
            None => self.is_window_over(window, now),
        };
        if !ends {
            return None;
        }
        let mut last = self.new_batch(Vec::new());
        last.window = Some((window, final_flags(false)));
        let entry = self.note(EntryKind::WindowFinal, 0, &last, now);
        self.mapping.note(entry);
        Some(last)
    }

    fn is_window_over(&mut self, window: Window, now: Timestamp) -> bool {
        let end = self.shard.position(self.read_index, now);
        if self.shard.is_exhausted(end) {
            return true;
        }
        // A read limit or a failed read can leave records of the window unread.
        if self.read_index < self.shard.end() {
            return false;
        }
        let idle_ms = self.context.limits.event_source_window_idle_ms.unwrap_or(0);
        let idle_ms = i64::try_from(idle_ms).unwrap_or(i64::MAX);
        let over = Timestamp::from_millis(window.end_ms()).plus_millis(idle_ms);
        if now < over {
            self.await_time(over);
        }
        now >= over
    }

    /// True if the function's answer contains a state for the next invocation of the window.
    pub(super) fn answers_state(&self, answer: &Answer) -> bool {
        window_state(answer.text()).is_some()
    }

    /// Stores the state that a successful invocation returned for its tumbling window.
    pub(super) fn adopt_state(
        &mut self,
        lane: usize,
        batch: &Batch,
        answer: &Answer,
        now: Timestamp,
    ) {
        let Some((window, flags)) = batch.window else {
            return;
        };
        if flags.is_final {
            // After a final invocation that came early because of a large state, the window stays
            // open and continues with an empty state.
            self.window = flags.is_early.then(|| (window, EMPTY.to_owned()));
            return;
        }
        let Some(state) = window_state(answer.text()) else {
            return;
        };
        let is_large = state.len() > limits::EVENT_SOURCE_STATE_BYTES;
        self.window = Some((window, state));
        if is_large {
            let mut early = self.new_batch(Vec::new());
            early.window = Some((window, final_flags(true)));
            let entry = self.note(EntryKind::WindowFinal, lane, &early, now);
            self.mapping.note(Entry {
                detail: Some("early".into()),
                ..entry
            });
            self.lanes[lane].work.push(early);
        }
    }

    /// Handles the tumbling window of the discarded batch `batch`. If the batch was for the final
    /// invocation of the window, drops the state of the window. If the final invocation was an
    /// early one, the window stays open with an empty state.
    pub(super) fn forget_window(&mut self, batch: &Batch) {
        if let Some((window, flags)) = batch.window.filter(|(_, flags)| flags.is_final) {
            self.window = flags.is_early.then(|| (window, EMPTY.to_owned()));
        }
    }
}
