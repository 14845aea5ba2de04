//! The function of a run. It answers at random, and notes its invocations.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minikin::internals::lock::Lock;
use minikin::internals::world::Random;
use minikin::{Function, FunctionError, FunctionEvent};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::watch;

/// The function never accepts a record whose number is a multiple of this number.
const POISON: usize = 13;

/// The tags of records. Filters select records by their tags.
pub(super) const TAGS: &[&str] = &["a", "b", "c"];

/// The tag of a record.
pub(super) const fn tag_of(number: usize) -> &'static str {
    TAGS[number % TAGS.len()]
}

/// The invocations of a run, over all starts of the program.
#[derive(Debug, Clone)]
pub(super) struct Journal {
    pub(super) notes: Arc<Lock<Notes>>,
    chance: Random,
    /// True if the answer may be a report of failed items.
    pub(super) reports: bool,
    /// While true, no invocation gets an answer.
    holding: watch::Sender<bool>,
}

#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) invocations: Vec<Invocation>,
    /// Number of beginnings and ends of invocations so far. This number serves as the time of an
    /// event.
    moments: usize,
    /// Number of the present era. A new era begins when records may be delivered again.
    era: usize,
    healthy: bool,
    /// True from a power failure until the end of the program.
    is_dark: bool,
    /// The tags that at least one filter has kept so far.
    pub(super) kept: BTreeSet<&'static str>,
    /// The tags that at least one filter has dropped so far.
    pub(super) dropped: BTreeSet<&'static str>,
}

/// One invocation.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) id: String,
    /// The numbers of the records.
    pub(super) records: Vec<usize>,
    pub(super) keys: Vec<String>,
    pub(super) window: Option<SeenWindow>,
    pub(super) began: usize,
    pub(super) ended: usize,
    pub(super) era: usize,
    /// Number of processed records. These are the first records of the batch.
    pub(super) done: usize,
    pub(super) is_success: bool,
    /// True after a power failure. If the batch is then discarded, the on-failure stream has no
    /// record of it, because the stream is on the same disk.
    pub(super) is_dark: bool,
}

/// The tumbling window of an invocation.
#[derive(Debug)]
pub(super) struct SeenWindow {
    pub(super) shard: String,
    pub(super) start: String,
    /// The numbers of the records that earlier invocations of the window have processed.
    pub(super) state: BTreeSet<usize>,
    pub(super) is_final: bool,
}

/// The answer of the function.
enum Say {
    Done,
    Fail,
    NotReached,
    FailFrom(usize),
}

/// The number in the data of a record.
pub(super) fn number_in(data: &[u8]) -> usize {
    let data: Value = serde_json::from_slice(data).unwrap();
    usize::try_from(data["n"].as_u64().unwrap()).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl Invocation {
    fn of(event: &FunctionEvent, began: usize, notes: &Notes) -> Self {
        let body = event.json();
        let records = body["Records"].as_array().unwrap().iter();
        let records: Vec<&Value> = records.map(|record| &record["kinesis"]).collect();
        let number = |record: &&Value| number_in(&STANDARD.decode(text(&record["data"])).unwrap());
        let window = body.get("window").map(|window| {
            check_arrivals(window, &records);
            SeenWindow {
                shard: text(&body["shardId"]),
                start: text(&window["start"]),
                state: numbers_of(&body["state"]),
                is_final: body["isFinalInvokeForWindow"].as_bool().unwrap(),
            }
        });
        Self {
            id: event.request_id.clone(),
            records: records.iter().map(number).collect(),
            keys: records
                .iter()
                .map(|record| text(&record["partitionKey"]))
                .collect(),
            window,
            began,
            ended: usize::MAX,
            era: notes.era,
            done: 0,
            is_success: false,
            is_dark: notes.is_dark,
        }
    }

    /// The body of an answer, with the state of the window after the first `done` records.
    fn body(&self, done: usize) -> Value {
        let mut body = json!({});
        if let Some(window) = &self.window {
            let mut state = window.state.clone();
            state.extend(&self.records[..done]);
            body["state"] = json!({ "n": state });
        }
        body
    }
}

/// The numbers in the state of a window.
fn numbers_of(state: &Value) -> BTreeSet<usize> {
    let numbers = state.get("n").and_then(Value::as_array);
    let number = |number: &Value| usize::try_from(number.as_u64().unwrap()).unwrap();
    numbers
        .map(|numbers| numbers.iter().map(number).collect())
        .unwrap_or_default()
}

/// Checks that all records of an event belong to its window.
fn check_arrivals(window: &Value, records: &[&Value]) {
    let bound = |name: &str| {
        let form = &time::format_description::well_known::Rfc3339;
        let moment = time::OffsetDateTime::parse(window[name].as_str().unwrap(), form).unwrap();
        moment.unix_timestamp() as f64
    };
    for record in records {
        let arrival = record["approximateArrivalTimestamp"].as_f64().unwrap();
        let belongs = bound("start") <= arrival && arrival < bound("end");
        assert!(belongs, "{record} is not of {window}");
    }
}

impl Journal {
    pub(super) fn new(chance: Random, reports: bool) -> Self {
        Self {
            notes: Arc::default(),
            chance,
            reports,
            holding: watch::Sender::new(false),
        }
    }

    /// Makes every later invocation succeed.
    pub(super) fn heal(&self) {
        self.notes.lock().healthy = true;
    }

    /// Notes that delivered records may be delivered again from now on.
    pub(super) fn may_repeat(&self) {
        self.notes.lock().era += 1;
    }

    /// Notes that the power has failed, or that it is back.
    pub(super) fn darken(&self, is_dark: bool) {
        self.notes.lock().is_dark = is_dark;
    }

    /// Begins or ends to hold the answers of invocations. The held invocations fail at the end.
    pub(super) fn hold(&self, holds: bool) {
        self.holding.send_replace(holds);
    }

    /// Notes that the filters of the mapping keep the records with these tags from now on.
    pub(super) fn keeps(&self, tags: &[&'static str]) {
        let mut notes = self.notes.lock();
        notes.kept.extend(tags);
        let dropped = TAGS.iter().filter(|tag| !tags.contains(tag));
        notes.dropped.extend(dropped);
    }

    pub(super) fn function(&self) -> Function {
        let journal = self.clone();
        Function::new(move |event| {
            let journal = journal.clone();
            async move { journal.answer(&event).await }
        })
    }

    async fn answer(&self, event: &FunctionEvent) -> Result<String, FunctionError> {
        let at = {
            let mut notes = self.notes.lock();
            notes.moments += 1;
            let invocation = Invocation::of(event, notes.moments, &notes);
            notes.invocations.push(invocation);
            notes.invocations.len() - 1
        };
        for _ in 0..self.chance.number() % 3 {
            tokio::task::yield_now().await;
        }
        let mut holding = self.holding.subscribe();
        if *holding.borrow_and_update() {
            let _released = holding.wait_for(|holds| !holds).await;
            return Err(FunctionError::Failed("held".to_owned()));
        }
        let say = {
            let notes = self.notes.lock();
            self.say(&notes.invocations[at].records, notes.healthy)
        };
        let mut notes = self.notes.lock();
        notes.moments += 1;
        let moments = notes.moments;
        let invocation = &mut notes.invocations[at];
        invocation.ended = moments;
        match say {
            Say::Done => {
                invocation.done = invocation.records.len();
                invocation.is_success = true;
                Ok(invocation.body(invocation.done).to_string())
            }
            // An answer without the state of the window is also a failure.
            Say::Fail if invocation.window.is_some() && moments.is_multiple_of(2) => {
                Ok("{}".to_owned())
            }
            Say::Fail => Err(FunctionError::Failed("by chance".to_owned())),
            Say::NotReached => Err(FunctionError::NotReached {
                retry_after_s: None,
            }),
            Say::FailFrom(first) => {
                invocation.done = first;
                let mut body = invocation.body(first);
                let records = &event.json()["Records"];
                let number = &records[first]["kinesis"]["sequenceNumber"];
                body["batchItemFailures"] = json!([{ "itemIdentifier": number }]);
                Ok(body.to_string())
            }
        }
    }

    fn say(&self, records: &[usize], is_healthy: bool) -> Say {
        if is_healthy {
            return Say::Done;
        }
        let poison = records.iter().position(|record| record % POISON == 0);
        let dice = self.chance.number() % 100;
        match (dice, poison) {
            (0..6, _) => Say::NotReached,
            (_, Some(first)) if self.reports => Say::FailFrom(first),
            (_, Some(_)) | (6..20, None) => Say::Fail,
            (20..30, None) if self.reports && !records.is_empty() => {
                let at = self.chance.number() % records.len() as u64;
                Say::FailFrom(usize::try_from(at).unwrap())
            }
            (_, None) => Say::Done,
        }
    }

    /// The invocations, in their order.
    pub(super) fn trace(&self) -> Vec<String> {
        let notes = self.notes.lock();
        let line = |call: &Invocation| format!("{:?}: {} done", call.records, call.done);
        notes.invocations.iter().map(line).collect()
    }
}
