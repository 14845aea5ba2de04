//! Random runs of an event source mapping. An oracle judges the invocations at the end of each run.
//!
//! In a run, records are put, and shards are split and merged. Time passes, sometimes until the
//! records expire. The mapping is changed, disabled and enabled. The program stops, is killed, or
//! its power fails during other steps. The function succeeds, fails, cannot be reached, or reports
//! failed items. In some runs, filters select records by their tags. In other runs, tumbling
//! windows carry a state.
//!
//! At the end everything is drained. Every record of the stream must have been delivered, discarded
//! or dropped by a filter, and the records of each key in order. The on-failure stream must have a
//! record about each discarded batch. A delivered record may be delivered again only after a power
//! failure while the mapping was working, or after a change of the number of lanes. A kill may
//! repeat only batches that were in flight. The state of a window must agree with the position, and
//! the last invocation of the window must get this state.

mod journal;
mod judge;

use super::machine::{Ground, Machine};
use super::{Chance, ask};
use crate::lab::{START_MS, arn_of, block_on_one_thread};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use journal::{Journal, TAGS, tag_of};
use judge::{Stored, Trial};
use minikin::internals::engine::event_source::{DrainError, DrainRequest, Mapping, MappingView};
use minikin::internals::model::event_source::Changes;
use minikin::internals::store::SimulatedDisk;
use minikin::internals::world::{Fault, Point, Random, Rule};
use minikin::{Surroundings, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Number of steps of one run.
const STEPS: usize = 40;
/// Number of partition keys.
const KEYS: usize = 7;
/// Maximum number of writes to the disk before its power fails.
const WRITES: usize = 8;
/// Maximum number of open shards of a stream.
const SHARDS: usize = 6;

/// Length of the tumbling windows, in seconds, in a run with windows.
const WINDOW_S: usize = 10;

/// The kind of settings of a run. These settings exclude each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Filters,
    Windows,
}

struct Life {
    machine: Machine,
    chance: Chance,
    now_ms: u64,
    kind: Kind,
    journal: Journal,
    put: usize,
    /// Records of the stream that have expired.
    past: Vec<Stored>,
    /// Numbers of the records that expired while the mapping was disabled.
    tolerated: BTreeSet<usize>,
}

impl Life {
    async fn start(seed: u64, ground: Ground) -> Self {
        let chance = Chance(Random::seeded(seed));
        let now_ms = u64::try_from(START_MS).unwrap();
        let journal = Journal::new(Random::seeded(seed + 1), chance.below(2) == 0);
        let functions = BTreeMap::from([("f".to_owned(), journal.function())]);
        let around = Surroundings {
            functions,
            ..Surroundings::default()
        };
        let machine = Machine::start_with(ground, &chance.0, now_ms, 0, around).await;
        let kind = *chance.one_of(&[Kind::Plain, Kind::Filters, Kind::Windows]);
        let mut life = Self {
            machine,
            chance,
            now_ms,
            kind,
            journal,
            put: 0,
            past: Vec::new(),
            tolerated: BTreeSet::new(),
        };
        for (name, shards) in [("s", 2), ("sink", 1)] {
            let body = json!({"StreamName": name, "ShardCount": shards});
            life.call("CreateStream", body).await;
        }
        let body = json!({"StreamName": "sink", "RetentionPeriodHours": 8_760});
        life.call("IncreaseStreamRetentionPeriod", body).await;
        life.map().await;
        life
    }

    async fn call(&self, operation: &str, body: Value) -> Value {
        let request = format!("{operation} {body}");
        let answer = ask(&self.machine, &self.chance, operation, body).await;
        answer.unwrap_or_else(|kind| panic!("{request}: {kind}"))
    }

    async fn map(&mut self) {
        let mut request = self.settings();
        request["EventSourceArn"] = json!(arn_of("s"));
        request["FunctionName"] = json!("f");
        request["StartingPosition"] = json!("TRIM_HORIZON");
        request["DestinationConfig"] = json!({"OnFailure": {"Destination": arn_of("sink")}});
        if self.journal.reports {
            request["FunctionResponseTypes"] = json!(["ReportBatchItemFailures"]);
        }
        self.machine.emulator().map_function(&request).unwrap();
        self.flush().await;
    }

    /// Settings of a mapping.
    fn settings(&self) -> Value {
        let mut settings = self.common_settings();
        let mut kept = TAGS;
        match self.kind {
            Kind::Plain => {}
            Kind::Filters => {
                kept = &TAGS[..1 + self.chance.below(TAGS.len())];
                let pattern = json!({ "data": { "t": kept } }).to_string();
                settings["FilterCriteria"] = json!({ "Filters": [{ "Pattern": pattern }] });
            }
            Kind::Windows => {
                settings["ParallelizationFactor"] = json!(1);
                settings["TumblingWindowInSeconds"] = json!(WINDOW_S);
            }
        }
        self.journal.keeps(kept);
        settings
    }

    fn common_settings(&self) -> Value {
        json!({
            "ParallelizationFactor": self.chance.one_of(&[1, 1, 2, 4]),
            "BatchSize": self.chance.one_of(&[1, 2, 5, 10, 100]),
            "MaximumBatchingWindowInSeconds": self.chance.one_of(&[0, 0, 2, 10]),
            "MaximumRetryAttempts": self.chance.one_of(&[-1, 0, 1, 3]),
            "MaximumRecordAgeInSeconds": self.chance.one_of(&[-1, -1, 60, 600]),
            "BisectBatchOnFunctionError": self.chance.below(2) == 0,
        })
    }

    /// Waits until all earlier changes are durable, including changes that no request waits for.
    /// The function makes a later change and waits until that change is durable.
    async fn flush(&self) {
        let commitment = json!({"MinimumThroughputBillingCommitment": {"Status": "DISABLED"}});
        self.call("UpdateAccountSettings", commitment).await;
    }

    fn mapping(&self) -> Arc<Mapping> {
        self.machine.emulator().event_sources().all().remove(0)
    }

    fn view(&self) -> MappingView {
        let now = Timestamp::from_millis(self.now_ms.cast_signed());
        self.mapping().view(now)
    }

    async fn step(&mut self) {
        match self.chance.below(100) {
            0..45 => drop(self.write().await),
            45..64 => self.advance().await,
            64 => self.outlive().await,
            65..72 => self.reshard().await,
            72..78 => self.change().await,
            78..84 => self.toggle(),
            84..88 => self.keep_away().await,
            88..92 => self.restart().await,
            92..96 => self.be_killed().await,
            _ => self.lose_power().await,
        }
        self.machine.settle().await;
    }

    /// Puts records. Returns an error if the disk has no power.
    async fn write(&mut self) -> Result<Value, String> {
        let count = 1 + self.chance.below(8);
        let record = |number| {
            let key = format!("k{}", self.chance.below(KEYS));
            let data = json!({"n": number, "t": tag_of(number)}).to_string();
            let data = STANDARD.encode(data);
            json!({"PartitionKey": key, "Data": data})
        };
        let records: Vec<Value> = (self.put..self.put + count).map(record).collect();
        self.put += count;
        let body = json!({"StreamName": "s", "Records": records});
        ask(&self.machine, &self.chance, "PutRecords", body).await
    }

    async fn advance(&mut self) {
        let ms = match self.chance.below(4) {
            0 => self.chance.below(500),
            1..3 => self.chance.below(15_000),
            _ => self.chance.below(900_000),
        } as u64;
        self.now_ms += ms;
        self.machine.advance_to(self.now_ms).await;
    }

    /// Lets time pass until all records of the stream have expired.
    async fn outlive(&mut self) {
        let stored = self.all_of("s").await;
        if self.view().state == "Disabled" {
            self.tolerated.extend(stored.iter().map(Stored::number));
        }
        self.past.extend(stored);
        self.now_ms += 86_400_000 + self.chance.below(3_600_000) as u64;
        self.machine.advance_to(self.now_ms).await;
    }

    /// Splits a shard in its middle, or merges two.
    async fn reshard(&mut self) {
        let listed = self.call("ListShards", json!({"StreamName": "s"})).await;
        let shards = listed["Shards"].as_array().unwrap().iter();
        let open: Vec<(String, u128, u128)> = shards
            .filter(|shard| shard["SequenceNumberRange"]["EndingSequenceNumber"].is_null())
            .map(|shard| {
                let range = &shard["HashKeyRange"];
                let bound = |member: &str| range[member].as_str().unwrap().parse().unwrap();
                let id = shard["ShardId"].as_str().unwrap().to_owned();
                (id, bound("StartingHashKey"), bound("EndingHashKey"))
            })
            .collect();
        let at = self.chance.below(open.len());
        let (shard, start, end) = &open[at];
        let next = open
            .iter()
            .find(|(_, start, _)| end.checked_add(1) == Some(*start));
        let merges = open.len() >= SHARDS || self.chance.below(2) == 0;
        match next.filter(|_| merges) {
            Some((next, ..)) => {
                let body = json!({
                    "StreamName": "s",
                    "ShardToMerge": shard,
                    "AdjacentShardToMerge": next,
                });
                self.call("MergeShards", body).await;
            }
            None if open.len() < SHARDS => {
                let middle = start + (end - start) / 2 + 1;
                let body = json!({
                    "StreamName": "s",
                    "ShardToSplit": shard,
                    "NewStartingHashKey": middle.to_string(),
                });
                self.call("SplitShard", body).await;
            }
            None => {}
        }
    }

    async fn change(&mut self) {
        let settings = self.settings();
        if settings["ParallelizationFactor"] != self.view().settings.factor {
            self.journal.may_repeat();
        }
        self.update(&settings);
        self.machine.settle().await;
    }

    fn update(&self, settings: &Value) {
        let changes = Changes::read(settings).unwrap();
        let sources = self.machine.emulator().event_sources();
        let updated = sources.update_by_request(&self.mapping(), &changes);
        updated.unwrap();
    }

    fn toggle(&mut self) {
        let enabled = self.chance.below(3) > 0;
        self.update(&json!({ "Enabled": enabled }));
    }

    /// Makes the next invocations fail to reach the function.
    async fn keep_away(&mut self) {
        let rule = Rule::new(Point::Invoke, Fault::Error).unwrap().at_most(2);
        self.machine.faults.set(vec![rule]);
        drop(self.write().await);
        self.machine.settle().await;
        self.machine.faults.set(Vec::new());
    }

    /// Stops and starts the emulator while no invocation is running.
    async fn restart(&mut self) {
        self.rest().await;
        assert!(self.machine.stop().await);
        self.pass_a_moment();
        self.machine.open(self.now_ms).await;
    }

    /// Returns when the mapping waits only for a later time.
    async fn rest(&self) {
        let sources = self.machine.emulator().event_sources();
        let drained = sources.drain(None, DrainRequest::default()).await;
        assert!(
            !matches!(drained, Err(DrainError::TimedOut(_))),
            "{drained:?}"
        );
    }

    /// Kills the program while batches are in flight and all other work is on the disk.
    async fn be_killed(&mut self) {
        self.rest().await;
        self.journal.hold(true);
        drop(self.write().await);
        self.machine.settle().await;
        self.flush().await;
        self.journal.hold(false);
        self.pass_a_moment();
        self.machine.crash(&self.chance.0, self.now_ms).await;
    }

    /// Moves the time of the next start, because the machine derives its random numbers from the
    /// time of its start.
    fn pass_a_moment(&mut self) {
        self.now_ms += 1;
    }

    /// Cuts the power while the mapping is working.
    async fn lose_power(&mut self) {
        let Ground::Simulated(disk) = &self.machine.ground else {
            panic!("the disk of these lives is simulated");
        };
        let disk = disk.clone();
        disk.cut_power_after(self.chance.below(WRITES) as u64);
        self.journal.darken(true);
        for _ in 0..1 + self.chance.below(3) {
            let written = self.write().await;
            assert!(
                written
                    .as_ref()
                    .err()
                    .is_none_or(|kind| kind == "InternalFailure"),
                "{written:?}"
            );
            self.machine.settle().await;
        }
        self.journal.may_repeat();
        self.pass_a_moment();
        self.machine.crash(&self.chance.0, self.now_ms).await;
        self.journal.darken(false);
    }

    /// Drains everything with a function that always succeeds, and judges the run. Returns the log
    /// of the run.
    async fn end(mut self) -> Vec<String> {
        self.journal.heal();
        self.update(&json!({"Enabled": true}));
        let request = DrainRequest {
            advance: true,
            timeout: Duration::from_secs(60),
            windows: true,
            ..DrainRequest::default()
        };
        let sources = self.machine.emulator().event_sources();
        // Records may expire during the drain. Keep a copy of them.
        let mut stored = std::mem::take(&mut self.past);
        stored.extend(self.all_of("s").await);
        sources.drain(None, request).await.unwrap();
        let failures = self.all_of("sink").await;
        Trial::new(&self.journal.notes.lock(), &stored, &failures).judge(&self.tolerated);
        assert!(self.machine.stop().await);
        self.journal.trace()
    }

    /// The records of a stream, shard by shard.
    async fn all_of(&self, name: &str) -> Vec<Stored> {
        let listed = self.call("ListShards", json!({"StreamName": name})).await;
        let mut all = Vec::new();
        for shard in listed["Shards"].as_array().unwrap() {
            let shard = shard["ShardId"].as_str().unwrap();
            let body = json!({
                "StreamName": name,
                "ShardId": shard,
                "ShardIteratorType": "TRIM_HORIZON",
            });
            let mut iterator = self.call("GetShardIterator", body).await["ShardIterator"].take();
            while !iterator.is_null() {
                let body = json!({"ShardIterator": iterator});
                let mut answer = self.call("GetRecords", body).await;
                let records = answer["Records"].as_array().unwrap();
                if records.is_empty() {
                    break;
                }
                all.extend(records.iter().map(|record| Stored::of(shard, record)));
                iterator = answer["NextShardIterator"].take();
            }
        }
        all
    }
}

/// Runs the simulation with a seed. Returns the log of the run.
pub(super) fn live(seed: u64) -> Vec<String> {
    block_on_one_thread(async {
        let ground = Ground::Simulated(SimulatedDisk::new());
        let mut life = Life::start(seed, ground).await;
        for _ in 0..STEPS {
            life.step().await;
        }
        life.end().await
    })
}

#[test]
fn the_same_seed_twice_gives_the_same_invocations() {
    for seed in 1..=5 {
        let (one, other) = (live(seed), live(seed));
        assert!(!one.is_empty());
        assert_eq!(one, other, "seed {seed}");
    }
    assert_ne!(live(1), live(2));
}
