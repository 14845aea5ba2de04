//! Redelivery on request: invokes the function again with a discarded batch.

use super::lane_task::invoke_past_faults;
use super::mapping::Mapping;
use super::outbound::Invocation;
use super::registry::EventSources;
use crate::engine::step_faults::{Step, pass};
use crate::model::event_source::{Answer, Outcome, Verdict, outcome};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// The answer and the outcome of an invocation that redelivered a discarded batch.
#[derive(Debug)]
pub struct Redelivered {
    /// The outcome of the invocation, in the words that the event log uses.
    pub outcome: &'static str,
    /// The function's answer, or the reason why there is no answer.
    pub answer: Answer,
    /// Duration of the invocation in real time.
    pub took: Duration,
}

/// Reason why a discarded batch cannot be redelivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedeliverError {
    /// The mapping's list of failures has no failure with the given number.
    NoFailure,
    /// The event of the batch was dropped, because a mapping bounds the total size of the events of
    /// its discarded batches.
    NoPayload,
}

impl EventSources {
    /// Invokes the function of a mapping again with a discarded batch. `number` is the number of
    /// the batch in the mapping's list of failures. The batch stays in this list, and the mapping's
    /// position does not change.
    ///
    /// # Errors
    /// Returns an error if the list of failures does not contain `number`, or if the event of the
    /// batch was dropped.
    pub async fn redeliver(
        &self,
        mapping: &Mapping,
        number: u64,
    ) -> Result<Redelivered, RedeliverError> {
        let payload = payload(mapping, number)?;
        let context = self.context();
        let plan = mapping.state.lock().plan.clone();
        let arn = plan.function.clone();
        let functions = &context.outbound.functions;
        let Some(function) = functions.find(&arn.name, arn.qualifier.as_deref()) else {
            let reason = format!("no function {} is configured", arn.name);
            return Ok(not_reached(reason));
        };
        let mut at_work = context.world.clock.alarm();
        // An injected delay ends before an address is taken, because a virtual clock stands still
        // while a batch waits for an address.
        let passed = pass(
            &context.world,
            &mut at_work,
            Step::Invoke,
            mapping.source.stream(),
            None,
        )
        .await;
        let call = function.acquire().await;
        let invocation = Invocation {
            function: arn,
            request_id: context.uuid().to_string(),
            trace_id: context.trace_id(),
            mapping: mapping.uuid.to_string(),
            attempt: 1,
            event: Bytes::from_owner(Payload(payload.clone())),
        };
        let (answer, took) = invoke_past_faults(call, invocation, passed).await;
        Ok(Redelivered {
            outcome: word(&answer, plan.settings.report, &payload),
            answer,
            took,
        })
    }
}

/// The event of a discarded batch, which the mapping's list of failures keeps in memory. This value
/// shares the memory of the list, so it takes no further bytes of the in-flight budget.
struct Payload(Arc<str>);

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn payload(mapping: &Mapping, number: u64) -> Result<Arc<str>, RedeliverError> {
    let state = mapping.state.lock();
    let mut failures = state.failures.iter();
    let failure = failures.find(|failure| failure.number == number);
    let failure = failure.ok_or(RedeliverError::NoFailure)?;
    let payload = failure.payload.clone();
    let payload = payload.filter(|payload| !payload.is_empty());
    payload.ok_or(RedeliverError::NoPayload)
}

fn not_reached(reason: String) -> Redelivered {
    Redelivered {
        outcome: "not reached",
        answer: Answer::NotReached(reason),
        took: Duration::ZERO,
    }
}

/// Returns the outcome of an invocation with the event `payload`, in the words that the event log
/// uses.
fn word(answer: &Answer, reports: bool, payload: &str) -> &'static str {
    match answer.verdict() {
        Verdict::NotReached { .. } => return "not reached",
        Verdict::FunctionError(_) => return "function error",
        Verdict::TooLarge => return "too large",
        Verdict::Answered => {}
    }
    match outcome(reports, answer.text(), || numbers(payload)) {
        Outcome::Done => "success",
        Outcome::Partial(_) => "partial success",
        Outcome::Failed => "failed by report",
    }
}

fn numbers(event: &str) -> Vec<String> {
    let event: serde_json::Value = serde_json::from_str(event).unwrap_or_default();
    let records = event["Records"].as_array();
    let numbers = records.into_iter().flatten().filter_map(|record| {
        let number = record["kinesis"]["sequenceNumber"].as_str();
        number.map(str::to_owned)
    });
    numbers.collect()
}
