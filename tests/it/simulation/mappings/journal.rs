//! The function of a life: it answers by chance, and notes what it was given.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minikin::internals::lock::Lock;
use minikin::internals::world::Random;
use minikin::{Function, FunctionError, FunctionEvent};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Records that the function never accepts: those whose number is a multiple.
const POISON: usize = 13;

/// The invocations of a life, over all starts of the program.
#[derive(Debug, Clone)]
pub(super) struct Journal {
    notes: Arc<Lock<Notes>>,
    chance: Random,
    /// The answer may be a report.
    pub(super) reports: bool,
}

#[derive(Debug, Default)]
struct Notes {
    invocations: Vec<Invocation>,
    /// Beginnings and ends of invocations so far.
    moments: usize,
    /// Grows whenever records may be delivered again.
    era: usize,
    healthy: bool,
}

/// One invocation.
#[derive(Debug)]
struct Invocation {
    id: String,
    /// The numbers of the records.
    records: Vec<usize>,
    keys: Vec<String>,
    began: usize,
    ended: usize,
    era: usize,
    /// Number of records, from the first on, that are done.
    done: usize,
}

/// A record of a stream.
#[derive(Debug)]
pub(super) struct Stored {
    shard: String,
    number: String,
    data: String,
}

impl Stored {
    pub(super) fn of(shard: &str, record: &Value) -> Self {
        let data = STANDARD.decode(record["Data"].as_str().unwrap()).unwrap();
        Self {
            shard: shard.to_owned(),
            number: record["SequenceNumber"].as_str().unwrap().to_owned(),
            data: String::from_utf8(data).unwrap(),
        }
    }
}

/// The answer of the function.
enum Say {
    Done,
    Fail,
    NotReached,
    FailFrom(usize),
}

impl Journal {
    pub(super) fn new(chance: Random, reports: bool) -> Self {
        Self {
            notes: Arc::default(),
            chance,
            reports,
        }
    }

    /// From now on every invocation succeeds.
    pub(super) fn heal(&self) {
        self.notes.lock().healthy = true;
    }

    /// Records that were delivered may be delivered again.
    pub(super) fn may_repeat(&self) {
        self.notes.lock().era += 1;
    }

    pub(super) fn function(&self) -> Function {
        let journal = self.clone();
        Function::new(move |event| {
            let journal = journal.clone();
            async move { journal.answer(&event).await }
        })
    }

    async fn answer(&self, event: &FunctionEvent) -> Result<String, FunctionError> {
        let body = event.json();
        let given = body["Records"].as_array().unwrap();
        let kinesis = || given.iter().map(|record| &record["kinesis"]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let number = |record: &Value| {
            let data = STANDARD.decode(text(&record["data"])).unwrap();
            String::from_utf8(data).unwrap().parse().unwrap()
        };
        let records: Vec<usize> = kinesis().map(number).collect();
        let at = {
            let mut notes = self.notes.lock();
            notes.moments += 1;
            let (began, era) = (notes.moments, notes.era);
            notes.invocations.push(Invocation {
                id: event.request_id.clone(),
                keys: kinesis()
                    .map(|record| text(&record["partitionKey"]))
                    .collect(),
                records: records.clone(),
                began,
                ended: usize::MAX,
                era,
                done: 0,
            });
            notes.invocations.len() - 1
        };
        for _ in 0..self.chance.number() % 3 {
            tokio::task::yield_now().await;
        }
        let say = self.say(&records);
        let mut notes = self.notes.lock();
        notes.moments += 1;
        let moments = notes.moments;
        let invocation = &mut notes.invocations[at];
        invocation.ended = moments;
        match say {
            Say::Done => {
                invocation.done = records.len();
                Ok(String::new())
            }
            Say::Fail => Err(FunctionError::Failed("by chance".to_owned())),
            Say::NotReached => Err(FunctionError::NotReached {
                retry_after_s: None,
            }),
            Say::FailFrom(first) => {
                invocation.done = first;
                let number = &given[first]["kinesis"]["sequenceNumber"];
                let failures = json!({"batchItemFailures": [{"itemIdentifier": number}]});
                Ok(failures.to_string())
            }
        }
    }

    fn say(&self, records: &[usize]) -> Say {
        if self.notes.lock().healthy {
            return Say::Done;
        }
        let poison = records.iter().position(|record| record % POISON == 0);
        let dice = self.chance.number() % 100;
        match (dice, poison) {
            (0..6, _) => Say::NotReached,
            (_, Some(first)) if self.reports => Say::FailFrom(first),
            (_, Some(_)) | (6..20, None) => Say::Fail,
            (20..30, None) if self.reports => {
                let at = self.chance.number() % records.len() as u64;
                Say::FailFrom(usize::try_from(at).unwrap())
            }
            (_, None) => Say::Done,
        }
    }

    /// Judges a life, whose stream holds `stored` at the end, and whose on-failure stream holds
    /// `failures`.
    pub(super) fn judge(&self, stored: &[Stored], failures: &[Stored]) {
        let notes = self.notes.lock();
        let numbers: BTreeSet<usize> = stored.iter().map(|s| s.data.parse().unwrap()).collect();
        assert_eq!(numbers.len(), stored.len(), "a record is stored twice");
        let discarded = notes.discarded(stored, failures);
        let mut finished: HashMap<usize, usize> = HashMap::new();
        for invocation in &notes.invocations {
            for record in &invocation.records[..invocation.done] {
                let ended = finished.entry(*record).or_insert(usize::MAX);
                *ended = invocation.ended.min(*ended);
            }
        }
        for number in &numbers {
            assert!(
                finished.contains_key(number) || discarded.contains(number),
                "record {number} was neither delivered nor discarded"
            );
        }
        notes.check_order(&numbers, &finished, &discarded);
        notes.check_repetition();
    }

    /// The invocations, in their order.
    pub(super) fn trace(&self) -> Vec<String> {
        let notes = self.notes.lock();
        let line = |call: &Invocation| format!("{:?}: {} done", call.records, call.done);
        notes.invocations.iter().map(line).collect()
    }
}

impl Notes {
    /// The records that the on-failure stream tells of: those in the range, and of a batch that was
    /// invoked those of the event.
    fn discarded(&self, stored: &[Stored], failures: &[Stored]) -> BTreeSet<usize> {
        let mut discarded = BTreeSet::new();
        for failure in failures {
            let failure: Value = serde_json::from_str(&failure.data).unwrap();
            let info = &failure["KinesisBatchInfo"];
            let id = failure["requestContext"]["requestId"].as_str().unwrap();
            let call = self.invocations.iter().rev().find(|call| call.id == id);
            // Sequence numbers are of one length, so that their texts are ordered as they are.
            let [shard, first, last] = ["shardId", "startSequenceNumber", "endSequenceNumber"]
                .map(|member| info[member].as_str().unwrap());
            let within = stored.iter().filter(|record| {
                record.shard == shard && (first..=last).contains(&record.number.as_str())
            });
            let within = within.map(|record| record.data.parse::<usize>().unwrap());
            discarded.extend(
                within.filter(|record| call.is_none_or(|call| call.records.contains(record))),
            );
        }
        discarded
    }

    /// An invocation has a record only when all records of its key before it are finished or in the
    /// same event.
    fn check_order(
        &self,
        stored: &BTreeSet<usize>,
        finished: &HashMap<usize, usize>,
        discarded: &BTreeSet<usize>,
    ) {
        let mut of_key: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for call in &self.invocations {
            for (record, key) in call.records.iter().zip(&call.keys) {
                assert!(stored.contains(record), "record {record} was never stored");
                of_key.entry(key).or_default().insert(*record);
            }
        }
        for call in &self.invocations {
            for (at, (record, key)) in call.records.iter().zip(&call.keys).enumerate() {
                for before in of_key[key.as_str()].range(..record) {
                    let is_finished = finished.get(before).is_some_and(|end| *end < call.began);
                    assert!(
                        is_finished
                            || discarded.contains(before)
                            || call.records[..at].contains(before),
                        "record {record} of {key} overtook {before} in {call:?}"
                    );
                }
            }
        }
    }

    /// A record that was delivered is not delivered again within an era.
    fn check_repetition(&self) {
        let mut delivered: BTreeMap<(usize, usize), &Invocation> = BTreeMap::new();
        for call in &self.invocations {
            for (at, record) in call.records.iter().enumerate() {
                let before = delivered.get(&(call.era, *record));
                assert!(
                    before.is_none(),
                    "record {record} of {before:?} again in {call:?}"
                );
                if at < call.done {
                    delivered.insert((call.era, *record), call);
                }
            }
        }
    }
}
