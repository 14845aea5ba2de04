//! The oracle. It judges the invocations of a run by the records of the stream and by the records
//! about discarded batches.

use super::journal::{Invocation, Notes, SeenWindow, number_in, tag_of};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A record of a stream.
#[derive(Debug)]
pub(super) struct Stored {
    shard: String,
    sequence: String,
    data: Vec<u8>,
}

impl Stored {
    pub(super) fn of(shard: &str, record: &Value) -> Self {
        Self {
            shard: shard.to_owned(),
            sequence: record["SequenceNumber"].as_str().unwrap().to_owned(),
            data: STANDARD.decode(record["Data"].as_str().unwrap()).unwrap(),
        }
    }

    pub(super) fn number(&self) -> usize {
        number_in(&self.data)
    }
}

/// A shard and the start of a tumbling window in it.
type WindowName = (String, String);

fn name_of(window: &SeenWindow) -> WindowName {
    (window.shard.clone(), window.start.clone())
}

/// Everything that the judgement needs.
pub(super) struct Trial<'a> {
    notes: &'a Notes,
    stored: &'a [Stored],
    numbers: BTreeSet<usize>,
    /// For each finished record the moment of its first success.
    finished: HashMap<usize, usize>,
    discarded: BTreeSet<usize>,
    discarded_windows: BTreeSet<WindowName>,
}

impl<'a> Trial<'a> {
    /// Prepares the judgement of a run. `stored` are all records that the stream ever had, and
    /// `failures` are the records of the on-failure stream.
    pub(super) fn new(notes: &'a Notes, stored: &'a [Stored], failures: &[Stored]) -> Self {
        let mut trial = Self {
            notes,
            stored,
            numbers: stored.iter().map(Stored::number).collect(),
            finished: HashMap::new(),
            discarded: BTreeSet::new(),
            discarded_windows: BTreeSet::new(),
        };
        assert_eq!(
            trial.numbers.len(),
            stored.len(),
            "a record is stored twice"
        );
        for failure in failures {
            trial.note_failure(&serde_json::from_slice(&failure.data).unwrap());
        }
        for call in &notes.invocations {
            for record in &call.records[..call.done] {
                let ended = trial.finished.entry(*record).or_insert(usize::MAX);
                *ended = call.ended.min(*ended);
            }
        }
        trial
    }

    /// Notes the records of a discarded batch: the records in its range or, if the batch was
    /// invoked, the records of its event. The final invocation of a window has no records.
    fn note_failure(&mut self, failure: &Value) {
        let info = &failure["KinesisBatchInfo"];
        let shard = info["shardId"].as_str().unwrap();
        let Some(first) = info["startSequenceNumber"].as_str() else {
            let start = &failure["timeWindowInfo"]["window"]["start"];
            let start = start.as_str().unwrap().to_owned();
            self.discarded_windows.insert((shard.to_owned(), start));
            return;
        };
        let last = info["endSequenceNumber"].as_str().unwrap();
        let id = failure["requestContext"]["requestId"].as_str().unwrap();
        let mut calls = self.notes.invocations.iter().rev();
        let call = calls.find(|call| call.id == id);
        // Sequence numbers have the same length, so their texts are in numerical order.
        let within = self.stored.iter().filter(|record| {
            record.shard == shard && (first..=last).contains(&record.sequence.as_str())
        });
        let within = within.map(Stored::number);
        self.discarded
            .extend(within.filter(|record| call.is_none_or(|call| call.records.contains(record))));
    }

    /// Judges the run. The records in `tolerated` expired while the mapping was disabled.
    pub(super) fn judge(&self, tolerated: &BTreeSet<usize>) {
        for number in &self.numbers {
            assert!(
                self.is_done(*number) || self.may_be_dropped(*number) || tolerated.contains(number),
                "record {number} was neither delivered nor discarded"
            );
        }
        for call in &self.notes.invocations {
            for record in &call.records {
                assert!(
                    self.numbers.contains(record),
                    "record {record} was never stored"
                );
                assert!(
                    self.notes.kept.contains(tag_of(*record)),
                    "all filters drop record {record}"
                );
            }
        }
        self.check_order(tolerated);
        self.check_repetition();
        self.check_states();
        self.check_windows_end(tolerated);
    }

    /// True if the record was delivered or discarded.
    fn is_done(&self, number: usize) -> bool {
        self.finished.contains_key(&number) || self.discarded.contains(&number)
    }

    fn may_be_dropped(&self, number: usize) -> bool {
        self.notes.dropped.contains(tag_of(number))
    }

    /// Checks that an invocation has a record only if all earlier records of the same key are
    /// finished or in the same event. After a power failure, the program runs on until it ends.
    /// Batches that it discards meanwhile are delivered again, so these invocations are not judged.
    fn check_order(&self, tolerated: &BTreeSet<usize>) {
        let mut of_key: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for call in &self.notes.invocations {
            for (record, key) in call.records.iter().zip(&call.keys) {
                of_key.entry(key).or_default().insert(*record);
            }
        }
        let judged = |call: &&Invocation| !call.is_dark;
        for call in self.notes.invocations.iter().filter(judged) {
            for (at, (record, key)) in call.records.iter().zip(&call.keys).enumerate() {
                for before in of_key[key.as_str()].range(..record) {
                    let finished = self.finished.get(before);
                    assert!(
                        finished.is_some_and(|end| *end < call.began)
                            || self.discarded.contains(before)
                            || self.may_be_dropped(*before)
                            || tolerated.contains(before)
                            || call.records[..at].contains(before),
                        "record {record} of {key} overtook {before} in {call:?}"
                    );
                }
            }
        }
    }

    /// Checks that a delivered record is not delivered again within an era.
    fn check_repetition(&self) {
        let mut delivered: BTreeMap<(usize, usize), &Invocation> = BTreeMap::new();
        for call in &self.notes.invocations {
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

    /// Checks that the state of a window contains the earlier delivered records of the window, and
    /// none of the records of the same invocation. Position and state must belong together, also
    /// after a power failure.
    fn check_states(&self) {
        let mut delivered: BTreeMap<WindowName, BTreeSet<usize>> = BTreeMap::new();
        for call in &self.notes.invocations {
            let Some(window) = &call.window else {
                continue;
            };
            let before = delivered.entry(name_of(window)).or_default();
            let first = call.records.first().copied().unwrap_or(usize::MAX);
            for record in before.range(..first) {
                assert!(
                    window.state.contains(record) || self.discarded.contains(record),
                    "record {record} is missing in the state of {call:?}"
                );
            }
            for record in &call.records {
                assert!(
                    !window.state.contains(record),
                    "record {record} is in the state of {call:?} already"
                );
            }
            before.extend(&call.records[..call.done]);
        }
    }

    /// Checks that every record that was delivered in a window is in the state of a final
    /// invocation, which succeeded or was discarded. If the records of a closed shard expire while
    /// the mapping is disabled, the shard is not read any more after a restart, so its window does
    /// not end.
    fn check_windows_end(&self, tolerated: &BTreeSet<usize>) {
        let mut ended: BTreeMap<WindowName, BTreeSet<usize>> = BTreeMap::new();
        let windows = |call: &'a Invocation| Some((call, call.window.as_ref()?));
        for (call, window) in self.notes.invocations.iter().filter_map(windows) {
            if window.is_final && call.is_success {
                let state = ended.entry(name_of(window)).or_default();
                state.extend(&window.state);
            }
        }
        for (call, window) in self.notes.invocations.iter().filter_map(windows) {
            let name = name_of(window);
            if self.discarded_windows.contains(&name) {
                continue;
            }
            for record in &call.records[..call.done] {
                assert!(
                    self.discarded.contains(record)
                        || tolerated.contains(record)
                        || ended.get(&name).is_some_and(|state| state.contains(record)),
                    "record {record} is in no final state of {name:?}"
                );
            }
        }
    }
}
