//! Random runs of channels. A model predicts the result of each step.
//!
//! In a run, channels are created, updated and deleted. Checks of their destinations succeed or
//! fail. Records are put, and destinations accept objects or fail. Streams are resharded, cleared,
//! and deleted with their failed channels. Records expire. Time passes. The program stops, or its
//! power fails during other steps. After each step, everything that is visible of the channels is
//! compared with the model. A call that fails during a power failure may have happened or not. The
//! state after the restart shows which, and the model adopts it. Now and then, and at the end, the
//! objects of each channel are compared with the records that were put while the channel was active.

mod model;
mod perils;
mod records;

use super::machine::{Ground, Machine};
use super::{Chance, ask};
use crate::lab::{Request, START_MS, Shelf, block_on_one_thread};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minikin::Surroundings;
use minikin::internals::store::SimulatedDisk;
use model::{Channel, request};
use records::{KEYS, Records};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tempfile::TempDir;

/// Number of steps of one run.
const STEPS: usize = 80;
/// A time after which every record is delivered if the destinations accept objects.
const DELIVERED_MS: u64 = 1_000_000;
/// A time after which every record of a stream has expired.
const EXPIRED_MS: u64 = 25 * 3_600_000;
/// The time of a transition.
const TRANSITION_MS: u64 = 300;
const STREAMS: [&str; 2] = ["s", "t"];
const NAMES: [&str; 4] = ["a", "b", "c", "d"];
/// Maximum number of writes to the disk before its power fails.
const WRITES: usize = 6;

type Channels = BTreeMap<&'static str, Channel>;

struct Life {
    machine: Machine,
    chance: Chance,
    shelf: Arc<Shelf>,
    /// The reason why checks of destinations fail. None if they succeed.
    reason: Option<&'static str>,
    now_ms: u64,
    channels: Channels,
    records: Records,
    /// True while an internal failure is a permitted answer.
    trouble: bool,
    /// The channel that a failed call was about, in the state after a success of this call. The
    /// state is None if the call would have removed the channel.
    in_doubt: Option<(&'static str, Option<Channel>)>,
    /// True if a stream may be resharded in a moment, because a call in trouble asked for it.
    is_resharding: bool,
    trace: Vec<String>,
}

impl Life {
    async fn start(seed: u64, ground: Ground) -> Self {
        let chance = Chance(minikin::internals::world::Random::seeded(seed));
        let now_ms = u64::try_from(START_MS).unwrap();
        let shelf = Shelf::new();
        let around = Surroundings {
            destinations: Some(shelf.clone()),
            ..Surroundings::default()
        };
        let machine = Machine::start_with(ground, &chance.0, now_ms, TRANSITION_MS, around);
        let mut life = Self {
            machine: machine.await,
            chance,
            shelf,
            reason: None,
            now_ms,
            channels: Channels::new(),
            records: Records::default(),
            trouble: false,
            in_doubt: None,
            is_resharding: false,
            trace: vec![format!("seed {seed}")],
        };
        // Without the commitment no stream can be resharded.
        let body = json!({"MinimumThroughputBillingCommitment": {"Status": "ENABLED"}});
        let committed = life.call("UpdateAccountSettings", body).await;
        committed.unwrap().unwrap();
        for stream in STREAMS {
            life.create_stream(stream).await;
        }
        life
    }

    /// Calls an operation. Returns None if the call fails while internal failures are permitted.
    async fn call(&mut self, operation: &str, body: Value) -> Option<Result<Value, String>> {
        match ask(&self.machine, &self.chance, operation, body).await {
            Err(kind) if self.trouble && kind == "InternalFailure" => None,
            answer => Some(answer),
        }
    }

    fn story(&self) -> String {
        let from = self.trace.len().saturating_sub(40);
        self.trace[from..].join("\n")
    }

    async fn create_stream(&mut self, stream: &'static str) {
        let created = self.call("CreateStream", json!({"StreamName": stream}));
        created.await.unwrap().unwrap();
        self.advance(TRANSITION_MS).await;
        for key in 0..KEYS {
            self.put(stream, key).await;
        }
    }

    async fn step(&mut self) {
        match self.chance.below(100) {
            0..38 => self.change().await,
            38..54 => self.put_some().await,
            54..58 => self.flush().await,
            58..73 => {
                let ms = *self.chance.one_of(&[1, 100, 299, 300, 5_000, 400_000]);
                self.advance(ms).await;
            }
            73..78 => self.delete_stream().await,
            78..82 => {
                self.reshard().await;
                self.advance(TRANSITION_MS).await;
            }
            82..85 => self.clear().await,
            85 => self.outlive().await,
            86..91 => self.restart().await,
            91..94 => self.crash().await,
            _ => self.lose_power().await,
        }
        self.compare().await;
    }

    /// Puts a record.
    async fn put(&mut self, stream: &'static str, key: usize) {
        let text = self.records.text(key);
        let body = json!({
            "StreamName": stream, "PartitionKey": key.to_string(), "Data": STANDARD.encode(&text),
        });
        let answer = self.call("PutRecord", body).await.map(Result::unwrap);
        let shard = answer
            .as_ref()
            .map(|answer| answer["ShardId"].as_str().unwrap());
        self.trace.push(format!("{stream}: put {text} {shard:?}"));
        let channels = self.channels.values();
        let of_stream = channels.filter(|one| one.stream == stream && one.delivers());
        let arns = of_stream.map(|channel| channel.arn.as_str());
        self.records.note(key, shard, arns);
    }

    async fn put_some(&mut self) {
        let stream = *self.chance.one_of(&STREAMS);
        self.put_into(stream).await;
    }

    async fn put_into(&mut self, stream: &'static str) {
        for _ in 0..1 + self.chance.below(4) {
            let key = self.chance.below(KEYS);
            self.put(stream, key).await;
        }
    }

    /// Asks a channel to deliver immediately. The channel may refuse.
    async fn flush(&mut self) {
        if let Some((name, _)) = self.any() {
            let path = format!("/_minikin/channels/{name}/flush");
            let answer = self.machine.send(&Request::bare("POST", &path)).await;
            let status = answer.status;
            self.trace.push(format!("{name}: flushed {status}"));
            assert!(
                matches!(status, 204 | 404 | 409),
                "{status}\n{}",
                self.story()
            );
        }
    }

    async fn change(&mut self) {
        match self.chance.below(12) {
            0..4 => self.create().await,
            4..7 => self.update().await,
            7..9 => self.delete().await,
            9 | 10 => {
                let is_down = self.chance.below(2) == 0;
                self.shelf.set_down(is_down);
                self.trace.push(format!("destinations fail: {is_down}"));
            }
            _ => {
                self.reason = *self.chance.one_of(&[None, None, Some("no bucket")]);
                self.shelf.set_check(self.reason.map_or(Ok(()), Err));
                self.trace.push(format!("checks: {:?}", self.reason));
            }
        }
    }

    async fn create(&mut self) {
        let name = *self.chance.one_of(&NAMES);
        let stream = *self.chance.one_of(&STREAMS);
        let is_table = self.chance.below(3) == 0;
        let freshness_s = 300 + self.chance.below(601) as u64;
        let answer = self.call(
            "CreateChannel",
            request(name, stream, is_table, freshness_s),
        );
        let answer = answer.await;
        let mut others = self.channels.values();
        let is_taken = self.channels.contains_key(name);
        let is_full = others.any(|one| (one.stream, one.is_table) == (stream, is_table));
        let (arn, is_certain) = match answer {
            Some(Err(kind)) => {
                let expected = match (is_taken, is_full) {
                    (true, _) => "ResourceInUseException",
                    (false, true) => "LimitExceededException",
                    (false, false) => panic!("{kind}\n{}", self.story()),
                };
                assert_eq!(kind, expected, "{}", self.story());
                return;
            }
            Some(Ok(answer)) => {
                let arn = answer["ChannelDescription"]["ChannelARN"].as_str();
                (arn.unwrap().to_owned(), true)
            }
            None => (String::new(), false),
        };
        if is_certain || !(is_taken || is_full) {
            assert!(!is_taken && !is_full, "{}", self.story());
            let channel = Channel {
                arn,
                stream,
                is_table,
                status: "CREATING",
                due_ms: Some(self.now_ms + TRANSITION_MS),
                reason: None,
                freshness_s,
            };
            self.trace.push(format!("{name}: created {channel:?}"));
            self.note(name, Some(channel), is_certain);
        }
    }

    /// A channel of the model, with its name. None if the model has no channel.
    fn any(&self) -> Option<(&'static str, Channel)> {
        if self.channels.is_empty() {
            return None;
        }
        let at = self.chance.below(self.channels.len());
        let (name, channel) = self.channels.iter().nth(at)?;
        Some((*name, channel.clone()))
    }

    async fn update(&mut self) {
        let Some((name, mut channel)) = self.any() else {
            return;
        };
        let freshness_s = 300 + self.chance.below(601) as u64;
        let block = match channel.is_table {
            true => "S3TablesDestinationConfiguration",
            false => "S3DestinationConfiguration",
        };
        let body = json!({
            "ChannelARN": channel.arn, block: {"DataFreshnessInSeconds": freshness_s},
        });
        let answer = self.call("UpdateChannel", body).await;
        let is_active = channel.status == "ACTIVE";
        match &answer {
            Some(Err(kind)) => {
                let is_right = kind == "ResourceInUseException" && !is_active;
                assert!(is_right, "{kind} {channel:?}\n{}", self.story());
            }
            Some(Ok(_)) | None => {
                assert!(
                    is_active || answer.is_none(),
                    "{channel:?}\n{}",
                    self.story()
                );
                channel.status = "UPDATING";
                channel.due_ms = Some(self.now_ms + TRANSITION_MS);
                channel.freshness_s = freshness_s;
                self.trace.push(format!("{name}: {freshness_s} s"));
                self.note(name, Some(channel), answer.is_some());
            }
        }
    }

    async fn delete(&mut self) {
        let Some((name, mut channel)) = self.any() else {
            return;
        };
        let answer = self.call("DeleteChannel", json!({"ChannelARN": channel.arn}));
        let answer = answer.await.map(Result::unwrap);
        if channel.status != "DELETING" {
            channel.status = "DELETING";
            channel.reason = None;
            channel.due_ms = Some(self.now_ms + TRANSITION_MS);
        }
        self.trace.push(format!("{name}: deleted"));
        self.note(name, Some(channel), answer.is_some());
    }

    /// Applies a change to the model if the change is certain. Otherwise notes the change as
    /// doubtful. After the first failure the store accepts no write, so only one call is doubtful.
    fn note(&mut self, name: &'static str, after: Option<Channel>, is_certain: bool) {
        if !is_certain {
            self.trace.push(format!("{name}: in doubt"));
            self.in_doubt.get_or_insert((name, after));
            return;
        }
        match after {
            Some(channel) => self.channels.insert(name, channel),
            None => self.channels.remove(name),
        };
    }

    async fn delete_stream(&mut self) {
        let stream = *self.chance.one_of(&STREAMS);
        let answer = self.call("DeleteStream", json!({"StreamName": stream}));
        let answer = answer.await.unwrap();
        let mut of_stream = self.channels.values().filter(|one| one.stream == stream);
        let is_held = of_stream.any(|one| one.status != "FAILED");
        self.trace.push(format!("{stream}: deleted {answer:?}"));
        let refusal = answer.err();
        let expected = is_held.then(|| "ResourceInUseException".to_owned());
        assert_eq!(refusal, expected, "{stream}\n{}", self.story());
        if !is_held {
            self.advance(TRANSITION_MS).await;
            self.channels.retain(|_, one| one.stream != stream);
            self.create_stream(stream).await;
        }
    }

    async fn advance(&mut self, ms: u64) {
        self.now_ms += ms;
        self.trace.push(format!("{ms} ms pass"));
        self.machine.advance_to(self.now_ms).await;
        self.turn().await;
    }

    /// Ends the statuses that are due.
    async fn turn(&mut self) {
        self.machine.settle().await;
        let (now_ms, reason) = (self.now_ms, self.reason);
        let all = std::mem::take(&mut self.channels).into_iter();
        let turned = |(name, channel): (&'static str, Channel)| {
            Some((name, channel.turned(now_ms, reason)?))
        };
        self.channels = all.filter_map(turned).collect();
    }

    /// Finds out whether a failed call has happened.
    async fn learn(&mut self, name: &'static str, after: Option<Channel>) {
        let listed = self.call("ListChannels", json!({})).await.unwrap().unwrap();
        let mut summaries = listed["ChannelSummaries"].as_array().unwrap().iter();
        let found = summaries.find(|summary| summary["ChannelName"] == name);
        let happened = match (found, self.channels.get(name)) {
            (Some(_), None) => true,
            (None, None) => false,
            (None, Some(_)) => panic!("{name} is lost\n{}", self.story()),
            (Some(found), Some(before)) => {
                // A temporary status that was due has ended in the meantime.
                let before = before.clone().turned(self.now_ms, self.reason);
                before.is_none_or(|before| found["ChannelStatus"] != before.status)
            }
        };
        self.trace.push(format!("{name}: happened {happened}"));
        if let (true, Some(mut channel)) = (happened, after) {
            let arn = found.unwrap()["ChannelARN"].as_str().unwrap();
            channel.arn = arn.to_owned();
            self.channels.insert(name, channel);
        }
    }

    /// Lets the channels deliver everything, and compares the objects with the records that were
    /// put.
    async fn compare_objects(&mut self) {
        self.trace.push("everything is delivered".to_owned());
        self.shelf.set_down(false);
        for _ in 0..2 {
            self.advance(DELIVERED_MS).await;
        }
        let living = self.channels.values().filter(|one| one.delivers());
        let living = living.map(|channel| channel.arn.clone()).collect();
        if let Err(problem) = self.records.compare(&self.shelf.puts(), &living) {
            panic!("{problem}\n{}", self.story());
        }
    }

    /// Compares everything that is visible of the channels with the model.
    async fn compare(&mut self) {
        let mut seen = BTreeMap::new();
        let listed = self.call("ListChannels", json!({})).await.unwrap().unwrap();
        for summary in listed["ChannelSummaries"].as_array().unwrap() {
            let body = json!({"ChannelARN": summary["ChannelARN"]});
            let answer = self.call("DescribeChannel", body).await.unwrap().unwrap();
            let channel = &answer["ChannelDescription"];
            assert_eq!(channel["ChannelStatus"], summary["ChannelStatus"]);
            let tables = channel.get("S3TablesDestinationConfiguration");
            let destination = tables.unwrap_or(&channel["S3DestinationConfiguration"]);
            let shown = json!([
                channel["ChannelARN"],
                channel["StreamConfigurationList"][0]["StreamARN"],
                tables.is_some(),
                channel["ChannelStatus"],
                channel.get("ChannelStatusReason"),
                destination["DataFreshnessInSeconds"],
            ]);
            seen.insert(summary["ChannelName"].as_str().unwrap().to_owned(), shown);
        }
        let model = self.channels.iter();
        let model = model.map(|(name, channel)| ((*name).to_owned(), channel.shown()));
        let model: BTreeMap<_, _> = model.collect();
        assert_eq!(seen, model, "seen, and the model\n{}", self.story());
        for stream in STREAMS {
            let body = json!({"StreamName": stream});
            let answer = self.call("DescribeStreamSummary", body).await.unwrap();
            let count = answer.unwrap()["StreamDescriptionSummary"]["ChannelCount"].clone();
            let of_stream = self.channels.values().filter(|one| one.stream == stream);
            assert_eq!(count, of_stream.count(), "{stream}\n{}", self.story());
        }
    }
}

/// Runs the simulation with a seed on one thread, so that only the seed decides the order of
/// events. Returns the log of the run.
fn live_on(seed: u64, ground: Ground) -> Vec<String> {
    block_on_one_thread(async {
        let mut life = Life::start(seed, ground).await;
        for _ in 0..STEPS {
            life.step().await;
        }
        life.compare_objects().await;
        assert!(life.machine.stop().await);
        life.trace
    })
}

/// Runs the simulation with a seed on a simulated disk. Returns the log of the run.
pub(super) fn live(seed: u64) -> Vec<String> {
    live_on(seed, Ground::Simulated(SimulatedDisk::new()))
}

#[test]
fn the_same_seed_twice_gives_the_same_trace() {
    for seed in 1..=3 {
        assert_eq!(live(seed), live(seed), "seed {seed}");
    }
    assert_ne!(live(1), live(2));
}

#[test]
fn the_model_foretells_lives_on_the_storage_engine_in_use() {
    for seed in 0..2 {
        live_on(seed, Ground::Directory(TempDir::new().unwrap()));
    }
}
