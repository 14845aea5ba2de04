//! Power cuts from the view of clients: the answers before a cut are compared with the answers
//! after it. The simulated disk loses writes that were not flushed. The clock does not move, so
//! that times in sequence numbers do not differ.

use crate::lab::{Request, Rounds, SHARD_0, START_MS, block_on};
use http_body_util::BodyExt as _;
use minikin::internals::store::SimulatedDisk;
use minikin::internals::world::Random;
use minikin::{Emulator, Options, Surroundings};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// An emulator on a simulated disk.
struct Machine {
    disk: SimulatedDisk,
    durability: &'static str,
    emulator: Option<Emulator>,
}

impl Machine {
    /// Starts on an empty disk, with an empty stream `s` that is durable.
    async fn start(durability: &'static str) -> Self {
        let mut machine = Self {
            disk: SimulatedDisk::new(),
            durability,
            emulator: None,
        };
        machine.open().await;
        let created = machine.call("CreateStream", json!({"StreamName": "s", "ShardCount": 1}));
        assert!(created.await.is_some());
        machine.stop().await;
        machine.open().await;
        machine
    }

    async fn open(&mut self) {
        let clock = format!("virtual={START_MS}");
        let flags = ["--data-dir", "/simulated", "--clock", &clock];
        let durability = ["--durability", self.durability, "--profile", "fast"];
        let flags = flags.into_iter().chain(durability).map(str::to_owned);
        let around = Surroundings {
            disk: Some(self.disk.clone()),
            random: Some(Random::seeded(1)),
            has_no_listeners: true,
            ..Surroundings::default()
        };
        let options = Options::read(flags).unwrap();
        self.emulator = Some(Emulator::start_in(options, around).await.unwrap());
    }

    /// Stops the emulator. The stop fails on a disk without power.
    async fn stop(&mut self) {
        let _failed = self.emulator.take().unwrap().stop().await;
    }

    /// Cuts the power, unless it is already cut, and starts again on the flushed writes.
    async fn crash(&mut self, seed: u64) {
        self.disk.cut_power_after(0);
        self.stop().await;
        self.disk.crash(&Random::seeded(seed));
        self.open().await;
    }

    /// Calls an operation. Returns None if it fails, which happens only on a disk without power.
    async fn call(&self, operation: &str, body: Value) -> Option<Value> {
        let request = Request::json(operation, &body.to_string());
        let answer = self.emulator.as_ref().unwrap().answer(request.here());
        let (head, body) = answer.await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        if head.status != 200 {
            let text = String::from_utf8_lossy(&body);
            assert!(self.disk.is_dark(), "{operation}: {text}");
            return None;
        }
        Some(match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&body).unwrap(),
        })
    }

    /// The data and the numbers of the records in the first shard.
    async fn records(&self) -> Vec<(String, String)> {
        let body =
            json!({"StreamName": "s", "ShardId": SHARD_0, "ShardIteratorType": "TRIM_HORIZON"});
        let mut iterator = self.call("GetShardIterator", body).await.unwrap();
        let mut found = Vec::new();
        let mut rounds = Rounds::of(1_000, "the end of a shard");
        loop {
            rounds.next();
            let body = json!({"ShardIterator": iterator["ShardIterator"]});
            let got = self.call("GetRecords", body).await.unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let records = got["Records"].as_array().unwrap().iter();
            found.extend(records.map(|r| (text(&r["Data"]), text(&r["SequenceNumber"]))));
            if got["MillisBehindLatest"] == 0 || got["NextShardIterator"].is_null() {
                return found;
            }
            iterator = json!({"ShardIterator": got["NextShardIterator"]});
        }
    }

    /// Everything that the changes of `changes` affect and that a client can see.
    async fn view(&self) -> Value {
        let stream = json!({"StreamName": "s"});
        let summary = self.call("DescribeStreamSummary", stream.clone()).await;
        let summary = &summary.unwrap()["StreamDescriptionSummary"];
        let arn = json!({"StreamARN": summary["StreamARN"]});
        let consumers = self.call("ListStreamConsumers", arn).await.unwrap();
        let consumers = consumers["Consumers"].as_array().unwrap().iter();
        let data = self.records().await.into_iter().map(|(data, _)| data);
        json!({
            "data": data.collect::<Vec<_>>(),
            "streams": self.call("ListStreams", json!({})).await.unwrap()["StreamNames"],
            "tags": self.call("ListTagsForStream", stream.clone()).await.unwrap()["Tags"],
            "hours": summary["RetentionPeriodHours"],
            "mode": summary["StreamModeDetails"],
            "shards": self.call("ListShards", stream).await.unwrap()["Shards"].as_array().unwrap().len(),
            "consumers": consumers.map(|c| c["ConsumerName"].clone()).collect::<Vec<_>>(),
        })
    }
}

/// Changes of every kind of item that survives a restart.
fn changes() -> Vec<(&'static str, Value)> {
    let arn = crate::lab::arn_of("s");
    let middle = (1_u128 << 127).to_string();
    vec![
        (
            "PutRecord",
            json!({"StreamName": "s", "PartitionKey": "k", "Data": "b25l"}),
        ),
        (
            "AddTagsToStream",
            json!({"StreamName": "s", "Tags": {"a": "1", "b": "2"}}),
        ),
        (
            "IncreaseStreamRetentionPeriod",
            json!({"StreamName": "s", "RetentionPeriodHours": 48}),
        ),
        (
            "RegisterStreamConsumer",
            json!({"StreamARN": arn, "ConsumerName": "c"}),
        ),
        ("CreateStream", json!({"StreamName": "t", "ShardCount": 2})),
        (
            "PutRecord",
            json!({"StreamName": "s", "PartitionKey": "k", "Data": "dHdv"}),
        ),
        (
            "SplitShard",
            json!({"StreamName": "s", "ShardToSplit": SHARD_0, "NewStartingHashKey": middle}),
        ),
        (
            "RemoveTagsFromStream",
            json!({"StreamName": "s", "TagKeys": ["a"]}),
        ),
        (
            "DeregisterStreamConsumer",
            json!({"StreamARN": arn, "ConsumerName": "c"}),
        ),
        ("DeleteStream", json!({"StreamName": "t"})),
    ]
}

#[test]
fn a_change_that_was_answered_is_there_after_a_power_cut_before_any_write() {
    block_on(async {
        let mut whole = Machine::start("always").await;
        let mut views = vec![whole.view().await];
        for (operation, body) in changes() {
            whole.call(operation, body).await.unwrap();
            views.push(whole.view().await);
        }
        whole.stop().await;
        let mut answered_counts = BTreeSet::new();
        let mut rounds = Rounds::of(500, "a life without a power cut");
        for cut in 0.. {
            rounds.next();
            let mut machine = Machine::start("always").await;
            machine.disk.cut_power_after(cut);
            let mut answered = 0;
            for (operation, body) in changes() {
                if machine.call(operation, body).await.is_none() {
                    break;
                }
                answered += 1;
            }
            machine.crash(cut).await;
            let view = machine.view().await;
            // The interrupted change was made completely or not at all.
            let interrupted = views.get(answered + 1);
            assert!(
                view == views[answered] || Some(&view) == interrupted,
                "cut before write {cut}, after {answered} answers: {view:#}"
            );
            answered_counts.insert(answered);
            machine.stop().await;
            if answered == changes().len() {
                break;
            }
        }
        assert!(answered_counts.into_iter().eq(0..=changes().len()));
    });
}

/// A sort key for sequence numbers: a longer number is greater, and numbers of the same length are
/// compared as texts.
fn order(number: &str) -> (usize, &str) {
    (number.len(), number)
}

#[test]
fn a_sequence_number_that_was_given_out_is_not_given_out_again_after_a_power_cut() {
    block_on(async {
        for durability in ["none", "always"] {
            let mut machine = Machine::start(durability).await;
            let (mut greatest, mut answered, mut lost) = (String::new(), 0, 0);
            for cut in 0..12 {
                machine.disk.cut_power_after(cut);
                let mut given = BTreeSet::new();
                let put = json!({"StreamName": "s", "PartitionKey": "k", "Data": "AAAA"});
                for _ in 0..20 {
                    let Some(answer) = machine.call("PutRecord", put.clone()).await else {
                        break;
                    };
                    let number = answer["SequenceNumber"].as_str().unwrap().to_owned();
                    assert!(
                        order(&number) > order(&greatest),
                        "{durability}, cut {cut}: {number} comes after {greatest}"
                    );
                    greatest.clone_from(&number);
                    given.insert(number);
                }
                machine.crash(cut).await;
                let kept: BTreeSet<_> = machine.records().await.into_iter().map(|r| r.1).collect();
                answered += given.len();
                lost += given.difference(&kept).count();
            }
            assert!(answered > 0);
            match durability {
                "always" => assert_eq!(lost, 0, "they were durable when they were answered"),
                _ => assert!(lost > 0, "no cut lost a record, so that none was tried"),
            }
            machine.stop().await;
        }
    });
}
