//! Requests with a list of receipt handles. Each entry of such a request succeeds or fails
//! separately.

use super::answer::document;
use super::context::Context;
use super::present::present;
use super::queue_description::unsigned;
use super::queue_ref::queue_target;
use super::queue_shapes::{HandleEntries, QueueARN, VisibilityEntries};
use crate::engine::queue::{NotServing, Outcomes, Queue};
use crate::error::{Error, entry_failure};
use crate::model::Target;
use crate::wire::{input, output};

input! {
    /// The input of an operation on received records: a queue, and receipt handles of its records.
    pub struct HandlesInput {
        "QueueARN" => arn: QueueARN,
        "Entries" => entries: HandleEntries,
    }
}

input! {
    /// The input of an operation that changes visibility timeouts: a queue, and receipt handles of
    /// its records, each with a new visibility timeout.
    pub struct VisibilitiesInput {
        "QueueARN" => arn: QueueARN,
        "Entries" => entries: VisibilityEntries,
    }
}

output! {
    /// The answer to a request with receipt handles: the entries that succeeded, and the entries
    /// that failed. Both lists are always present.
    pub struct EntriesOutput {
        "Failed" => failed: Vec<FailedEntry>,
        "Successful" => successful: Vec<SuccessfulEntry>,
    }
}
document!(EntriesOutput);

output! {
    /// A successful entry of a request, named by the entry's receipt handle.
    pub struct SuccessfulEntry { "ReceiptHandle" => handle: String, }
}

output! {
    /// A failed entry of a request, with the reason of the failure.
    pub struct FailedEntry {
        "ErrorCode" => code: &'static str,
        "ErrorMessage" => message: &'static str,
        "ReceiptHandle" => handle: String,
    }
}
present!(SuccessfulEntry, FailedEntry);

impl HandlesInput {
    pub(super) fn target(&self) -> Result<Target, Error> {
        queue_target(&self.arn)
    }

    /// Acknowledges the records whose receipt handles the request contains. `dead` selects
    /// dead-letter records instead of normal records.
    pub(super) async fn acknowledge(
        self,
        context: &Context,
        dead: bool,
    ) -> Result<EntriesOutput, Error> {
        let queue = context.queue(&self.arn)?;
        let handles = self.handles();
        let outcomes = queue.acknowledge(&context.engine, dead, &handles);
        EntriesOutput::of(&queue, &handles, outcomes.await)
    }

    /// Restores the dead-letter records whose receipt handles the request contains. Normal receives
    /// then deliver these records again.
    pub(super) async fn restore(self, context: &Context) -> Result<EntriesOutput, Error> {
        let queue = context.queue(&self.arn)?;
        let handles = self.handles();
        let outcomes = queue.restore(&context.engine, &handles);
        EntriesOutput::of(&queue, &handles, outcomes.await)
    }

    fn handles(&self) -> Vec<&str> {
        let entries = self.entries.0.iter();
        entries.map(|entry| entry.handle.as_str()).collect()
    }
}

impl VisibilitiesInput {
    pub(super) fn target(&self) -> Result<Target, Error> {
        queue_target(&self.arn)
    }

    /// Sets new visibility timeouts for the records whose receipt handles the request contains.
    /// `dead` selects dead-letter records instead of normal records.
    pub(super) async fn apply(self, context: &Context, dead: bool) -> Result<EntriesOutput, Error> {
        let queue = context.queue(&self.arn)?;
        let entries = &self.entries.0;
        let handles: Vec<&str> = entries.iter().map(|entry| entry.handle.as_str()).collect();
        let timeouts = entries.iter().map(|entry| unsigned(entry.timeout.0));
        let timeouts: Vec<u32> = timeouts.collect();
        let engine = &context.engine;
        let changed = queue.change_visibility(engine, dead, &handles, &timeouts);
        EntriesOutput::of(&queue, &handles, changed.await)
    }
}

impl EntriesOutput {
    fn of(
        queue: &Queue,
        handles: &[&str],
        outcomes: Result<Outcomes, NotServing>,
    ) -> Result<Self, Error> {
        let outcomes = outcomes.map_err(|NotServing| Error::queue_not_serving(&queue.arn))?;
        let mut output = Self {
            failed: Vec::new(),
            successful: Vec::new(),
        };
        for (handle, outcome) in handles.iter().map(ToString::to_string).zip(outcomes) {
            match outcome {
                Ok(()) => output.successful.push(SuccessfulEntry { handle }),
                Err(fault) => {
                    let (code, message) = entry_failure(fault);
                    output.failed.push(FailedEntry {
                        code,
                        message,
                        handle,
                    });
                }
            }
        }
        Ok(output)
    }
}
