//! Followers of a shard get every record after their start position, once and in order. They start
//! at any position, while writers and other readers work, records are moved to disk, records
//! expire, and the shard is split.

mod follower;

use super::hold_in;
use crate::lab::{Lab, Place, Stream, WAIT_LIMIT};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use follower::{Follower, Skips};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Concurrent steps, followed by a pause.
#[derive(Debug, Clone)]
struct Phase {
    /// The batches of each writer: the number of records in a batch, and their size.
    writers: Vec<Vec<(usize, usize)>>,
    /// The start positions of new followers, each with a percentage that selects a record.
    starts: Vec<(&'static str, usize)>,
    /// True if another follower polls with GetRecords instead of subscribing.
    asks: bool,
    /// Number of batches of the first writer after which the shard is split.
    split: Option<usize>,
    /// Length of the pause after the phase, in milliseconds. All records expire in a day.
    pause_ms: u64,
}

const KINDS: [&str; 5] = [
    "TRIM_HORIZON",
    "LATEST",
    "AT_SEQUENCE_NUMBER",
    "AFTER_SEQUENCE_NUMBER",
    "AT_TIMESTAMP",
];
const DAY_MS: u64 = 86_400_000;
/// Number of consumers of a stream. Each follower needs one of them.
const CONSUMERS: usize = 5;
/// The memory is so small that the records of a case do not fit.
const MEMORY: [&str; 2] = ["--memory", "150000"];

fn phases() -> impl Strategy<Value = Vec<Phase>> {
    let batches = prop::collection::vec((1..30_usize, 0..8_000_usize), 0..5);
    let start = (prop::sample::select(&KINDS), 0..100_usize);
    let phase = (
        prop::collection::vec(batches, 1..3),
        prop::collection::vec(start, 1..5),
        any::<bool>(),
        prop_oneof![4 => Just(None), 1 => (0..4_usize).prop_map(Some)],
        prop_oneof![6 => 0..4_000_u64, 1 => Just(DAY_MS)],
    );
    let phase = phase.prop_map(|(writers, starts, asks, split, pause_ms)| Phase {
        writers,
        starts,
        asks,
        split,
        pause_ms,
    });
    prop::collection::vec(phase, 1..5)
}

/// A record that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Record {
    number: String,
    data: String,
    arrival_ms: i64,
}

/// A stream. The followers read its lowest shard.
struct Followed {
    lab: Lab,
    stream: Stream,
    consumers: Vec<String>,
    shard: usize,
    shards: usize,
    /// The last hash key of the followed shard.
    end: u128,
    /// The acknowledged records, by shard and in the order of their numbers.
    records: BTreeMap<String, Vec<Record>>,
    followers: Vec<Follower>,
}

impl Followed {
    async fn create(lab: &Lab, name: &str) -> Self {
        let stream = lab.stream(name).create().await;
        let mut consumers = Vec::new();
        for number in 0..CONSUMERS {
            let body = json!({"StreamARN": stream.arn(), "ConsumerName": format!("c{number}")});
            let answer = lab.ok("RegisterStreamConsumer", &body.to_string()).await;
            consumers.push(
                answer["Consumer"]["ConsumerARN"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            );
        }
        Self {
            lab: lab.clone(),
            stream,
            consumers,
            shard: 0,
            shards: 1,
            end: u128::MAX,
            records: BTreeMap::new(),
            followers: Vec::new(),
        }
    }

    fn shard_id(&self) -> String {
        format!("shardId-{:012}", self.shard)
    }

    /// The acknowledged records of the followed shard.
    fn known(&self) -> &[Record] {
        let known = self.records.get(&self.shard_id());
        known.map_or(&[], Vec::as_slice)
    }

    /// Number of the shard's records that arrived before a time or have expired.
    fn passed(&self, moment_ms: i64) -> usize {
        let horizon_ms = self.lab.clock.now_ms() + 1 - DAY_MS.cast_signed();
        let from_ms = moment_ms.max(horizon_ms);
        self.known()
            .partition_point(|record| record.arrival_ms < from_ms)
    }

    /// A start position of this kind, and the permitted numbers of records before the position.
    fn start(&self, kind: &str, percent: usize) -> (Value, Skips) {
        let known = self.known();
        let at = known.len() * percent / 100;
        let expired = self.passed(0);
        let exactly = |skipped: usize| skipped.max(expired)..=skipped.max(expired);
        let numbered = |record: &Record| json!({"Type": kind, "SequenceNumber": record.number});
        match (kind, known.get(at)) {
            // While a follower begins, the writers write further records, which may be before its
            // position.
            ("LATEST", _) => (json!({"Type": kind}), known.len()..=usize::MAX),
            ("AT_SEQUENCE_NUMBER", Some(record)) => (numbered(record), exactly(at)),
            ("AFTER_SEQUENCE_NUMBER", Some(record)) => (numbered(record), exactly(at + 1)),
            ("AT_TIMESTAMP", Some(record)) => {
                let time_s = record.arrival_ms as f64 / 1000.0;
                let skipped = self.passed(record.arrival_ms);
                (json!({"Type": kind, "Timestamp": time_s}), exactly(skipped))
            }
            _ => (json!({"Type": "TRIM_HORIZON"}), exactly(0)),
        }
    }

    async fn live(&mut self, phase: &Phase, last: String) {
        let last_data = STANDARD.encode(&last);
        let mut reading = JoinSet::new();
        let mut free: Vec<_> = (0..CONSUMERS).collect();
        for follower in std::mem::take(&mut self.followers) {
            free.retain(|consumer| *consumer != follower.consumer);
            reading.spawn(follower.hear(last_data.clone()));
        }
        let (began, mut begun) = mpsc::unbounded_channel();
        let starts = phase.starts.len().min(free.len());
        for ((kind, percent), consumer) in phase.starts.iter().zip(free) {
            let (position, skips) = self.start(kind, *percent);
            let body = json!({
                "ConsumerARN": self.consumers[consumer], "ShardId": self.shard_id(),
                "StartingPosition": position,
            });
            let (lab, began, last) = (self.lab.clone(), began.clone(), last_data.clone());
            reading.spawn(async move {
                let follower = Follower::begin(&lab, consumer, &body, skips).await;
                began.send(()).unwrap();
                follower.hear(last).await
            });
        }
        if phase.asks {
            let (stream, shard) = (self.stream.clone(), self.shard_id());
            let skips = self.passed(0)..=self.passed(0);
            reading.spawn(Follower::ask(stream, shard, skips, last_data));
        }
        let beginning = async {
            for _ in 0..starts {
                begun.recv().await.unwrap();
            }
        };
        let (acknowledged, ()) = tokio::join!(self.write(phase), beginning);
        self.keep(acknowledged);
        if phase.split.is_none() {
            let last = put(&self.lab, &self.stream.name, &[entry("0", &last)]).await;
            self.keep(last);
        }
        let read = tokio::time::timeout(WAIT_LIMIT, reading.join_all()).await;
        let read = read.expect("every follower comes to the end");
        read.iter()
            .for_each(|follower| follower.check(self.known()));
        self.followers = read.into_iter().filter(Follower::goes_on).collect();
    }

    /// Writes the batches of a phase, all writers at once. Returns the acknowledged records with
    /// their shards.
    async fn write(&self, phase: &Phase) -> Vec<(String, Record)> {
        let mut writers = JoinSet::new();
        for (writer, batches) in phase.writers.iter().enumerate() {
            let (lab, name, batches) =
                (self.lab.clone(), self.stream.name.clone(), batches.clone());
            let split = phase.split.filter(|_| writer == 0);
            let split = split.map(|after| (after.min(batches.len()), self.split_call()));
            writers.spawn(async move {
                let mut acknowledged = Vec::new();
                for at in 0..=batches.len() {
                    if let Some((_, call)) = split.as_ref().filter(|(after, _)| *after == at) {
                        lab.ok("SplitShard", call).await;
                    }
                    let Some((count, size)) = batches.get(at) else {
                        break;
                    };
                    let entries: Vec<_> = (0..*count)
                        .map(|record| {
                            // After a split, some records go to the other shard.
                            let key = if record % 3 == 2 { u128::MAX } else { 0 };
                            let data = format!("{writer} {at} {record} {}", "x".repeat(*size));
                            entry(&key.to_string(), &data)
                        })
                        .collect();
                    acknowledged.extend(put(&lab, &name, &entries).await);
                }
                acknowledged
            });
        }
        writers.join_all().await.concat()
    }

    fn split_call(&self) -> String {
        let key = self.end / 2 + 1;
        let body = json!({
            "StreamName": self.stream.name, "ShardToSplit": self.shard_id(),
            "NewStartingHashKey": key.to_string(),
        });
        body.to_string()
    }

    fn keep(&mut self, acknowledged: Vec<(String, Record)>) {
        for (shard, record) in acknowledged {
            self.records.entry(shard).or_default().push(record);
        }
        self.records.values_mut().for_each(|records| records.sort());
    }

    /// Prepares the next phase: after a split, the followers read the lower child. Then lets time
    /// pass.
    async fn go_on(&mut self, phase: &Phase) {
        if phase.split.is_some() {
            assert!(self.followers.is_empty(), "a closed shard's followers end");
            self.shard = self.shards;
            self.shards += 2;
            self.end /= 2;
        }
        if phase.pause_ms == DAY_MS {
            self.leave().await;
        }
        self.lab
            .clock
            .advance(Duration::from_millis(phase.pause_ms + 1))
            .await;
    }

    async fn leave(&mut self) {
        self.followers.clear();
        self.lab.until_subscriptions(0).await;
    }
}

fn entry(key: &str, data: &str) -> Value {
    json!({"PartitionKey": "k", "ExplicitHashKey": key, "Data": STANDARD.encode(data)})
}

/// Puts records. Returns their shards and their contents.
async fn put(lab: &Lab, name: &str, entries: &[Value]) -> Vec<(String, Record)> {
    let arrival_ms = lab.clock.now_ms();
    let body = json!({"StreamName": name, "Records": entries});
    let answer = lab.ok("PutRecords", &body.to_string()).await;
    let text = |value: &Value, member: &str| value[member].as_str().unwrap().to_owned();
    let placed = answer["Records"].as_array().unwrap().iter().zip(entries);
    let record = |(placed, entry)| {
        let record = Record {
            number: text(placed, "SequenceNumber"),
            data: text(entry, "Data"),
            arrival_ms,
        };
        (text(placed, "ShardId"), record)
    };
    placed.map(record).collect()
}

fn check(place: Place, cases: u32) {
    let mut names = 0..;
    let names = minikin::internals::lock::Lock::new(&mut names);
    hold_in(place, &MEMORY, cases, phases(), async |lab, phases| {
        let name = format!("followed-{}", names.lock().next().unwrap());
        let mut followed = Followed::create(lab, &name).await;
        for (number, phase) in phases.iter().enumerate() {
            followed.live(phase, format!("last of {number}")).await;
            followed.go_on(phase).await;
        }
        followed.leave().await;
        Ok(())
    });
}

#[test]
fn followers_miss_and_repeat_nothing_while_memory_spills() {
    check(Place::Memory, 24);
}

#[test]
fn followers_miss_and_repeat_nothing_while_segments_are_evicted() {
    check(Place::Disk, 8);
}
