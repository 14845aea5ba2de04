//! Random runs of queues. A model predicts the result of each step.
//!
//! In a run, consumers receive, acknowledge and restore records, and change visibility timeouts.
//! Queues are created, updated and deleted. Shards are split. Time passes. The program stops, or
//! its power fails during other steps. After each step, everything that a queue shows is compared
//! with the model. A crash must not lose an acknowledgement or a restore that was answered, or
//! anything before it. A crash may lose a receive if no durable call came after it. The queue is
//! then in a state after one of the calls since the last durable one.

mod model;

use super::machine::{Ground, Machine};
use super::{Chance, ask, until_committed};
use crate::lab::{Request, START_MS, arn_of, block_on_one_thread};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minikin::Timestamp;
use minikin::internals::store::SimulatedDisk;
use model::{Handle, Queue, STATES, Standing, Use};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tempfile::TempDir;

/// Number of steps of one run.
const STEPS: usize = 80;
/// The code of an entry that succeeded.
const DONE: &str = "done";
/// Names of the queues that can exist.
const NAMES: [&str; 2] = ["q", "r"];
/// Maximum number of writes to the disk before its power fails.
const WRITES: usize = 6;

/// A queue, its model, and the handles of its receivers.
struct Subject {
    name: &'static str,
    arn: String,
    queue: Queue,
    /// The states of the model to which a crash may return the queue, the oldest first. The present
    /// state is not in the list.
    fallbacks: Vec<Queue>,
    handles: Vec<Handle>,
    visibility_s: u64,
}

struct Life {
    machine: Machine,
    chance: Chance,
    now_ms: u64,
    put: usize,
    deliveries: usize,
    shards: u64,
    queues: Vec<Subject>,
    /// True while an internal failure is a permitted answer.
    trouble: bool,
    trace: Vec<String>,
}

impl Life {
    async fn start(seed: u64, ground: Ground) -> Self {
        let chance = Chance(minikin::internals::world::Random::seeded(seed));
        let now_ms = u64::try_from(START_MS).unwrap();
        let mut life = Self {
            machine: Machine::start(ground, &chance.0, now_ms, 0).await,
            chance,
            now_ms,
            put: 0,
            deliveries: 0,
            shards: 4,
            queues: Vec::new(),
            trouble: false,
            trace: vec![format!("seed {seed}")],
        };
        let commitment = json!({"MinimumThroughputBillingCommitment": {"Status": "ENABLED"}});
        life.call("CreateStream", json!({"StreamName": "s"})).await;
        life.call("UpdateAccountSettings", commitment).await;
        life
    }

    async fn call(&mut self, operation: &str, body: Value) -> Option<Value> {
        match ask(&self.machine, &self.chance, operation, body).await {
            Ok(answer) => Some(answer),
            Err(kind) if self.trouble && kind == "InternalFailure" => None,
            Err(kind) => panic!("{operation}: {kind}\n{}", self.story()),
        }
    }

    fn story(&self) -> String {
        let from = self.trace.len().saturating_sub(40);
        self.trace[from..].join("\n")
    }

    async fn step(&mut self) {
        if self.queues.is_empty() {
            self.create().await;
        }
        match self.chance.below(100) {
            0..14 => self.put().await,
            14..58 => self.consume().await,
            58..72 => self.advance().await,
            72..77 => self.update().await,
            77..80 => self.create().await,
            80..82 => self.delete().await,
            82..85 => self.split().await,
            85..90 => self.restart().await,
            90..95 => self.crash().await,
            _ => self.lose_power().await,
        }
        for at in 0..self.queues.len() {
            self.compare(at).await;
        }
    }

    async fn put(&mut self) {
        let count = 1 + self.chance.below(12);
        let records = (self.put..self.put + count).map(|number| {
            let text = format!("{number:03}{}", "x".repeat(self.chance.below(200)));
            let key = self.chance.below(1_000).to_string();
            json!({"PartitionKey": key, "Data": STANDARD.encode(text)})
        });
        let body = json!({"StreamName": "s", "Records": records.collect::<Vec<_>>()});
        let put = self.call("PutRecords", body).await.unwrap();
        assert_eq!(put["FailedRecordCount"], 0);
        self.trace.push(format!("put {count} from {}", self.put));
        for subject in &mut self.queues {
            let all = subject.fallbacks.iter_mut().chain([&mut subject.queue]);
            all.for_each(|queue| queue.add(self.put..self.put + count));
        }
        self.put += count;
    }

    /// Lets a consumer do something with a queue.
    async fn consume(&mut self) {
        let at = self.chance.below(self.queues.len());
        self.queues[at].queue.turn(self.now_ms);
        if self.chance.below(5) < 2 || self.queues[at].handles.is_empty() {
            let dead = self.chance.below(4) == 0;
            self.receive(at, dead).await;
        } else {
            self.use_handles(at).await;
        }
    }

    async fn receive(&mut self, at: usize, dead: bool) {
        let limit = 1 + self.chance.below(10);
        let subject = &self.queues[at];
        let mut body = json!({"QueueARN": subject.arn, "Limit": limit, "WaitTimeSeconds": 1});
        let mut timeout_s = subject.visibility_s;
        if self.chance.below(3) == 0 {
            timeout_s = *self.chance.one_of(&[0, 1, 5, 43_200]);
            body["VisibilityTimeoutSeconds"] = json!(timeout_s);
        }
        let operation = match dead {
            true => "ReceiveDeadLetterQueueRecords",
            false => "ReceiveQueueRecords",
        };
        let has_some = subject.queue.has_some(dead);
        let end_ms = self.now_ms + 1_000;
        if !has_some {
            self.now_ms = subject.queue.comes_at(dead, end_ms);
        }
        let (machine, now_ms) = (&self.machine, self.now_ms);
        let passing = async {
            if !has_some {
                machine.settle().await;
                machine.advance_to(now_ms).await;
                machine.settle().await;
                machine.advance_to(end_ms).await;
            }
        };
        let (answer, ()) = tokio::join!(ask(machine, &self.chance, operation, body), passing);
        let answer = match answer {
            Ok(answer) => answer,
            Err(kind) if self.trouble && kind == "InternalFailure" => json!({"QueueRecords": []}),
            Err(kind) => panic!("{operation}: {kind}\n{}", self.story()),
        };
        let received = answer["QueueRecords"].as_array().unwrap().clone();
        self.received(at, dead, &received, limit, timeout_s);
        let is_due = has_some || now_ms < end_ms;
        assert!(
            !received.is_empty() || !is_due || self.trouble,
            "nothing was received of {}\n{}",
            self.queues[at].name,
            self.story()
        );
        if !has_some {
            self.now_ms = end_ms;
        }
    }

    /// Checks received records against the model, and applies the receive to the model.
    fn received(
        &mut self,
        at: usize,
        dead: bool,
        received: &[Value],
        limit: usize,
        timeout_s: u64,
    ) {
        let story = self.story();
        let subject = &mut self.queues[at];
        assert!(received.len() <= limit, "{story}");
        subject.queue.turn(self.now_ms);
        let before = subject.queue.clone();
        let due_ms = self.now_ms + timeout_s * 1000;
        let mut numbers = Vec::new();
        for record in received {
            let number = number_of(&STANDARD.decode(text(record, "Data")).unwrap());
            assert!(
                before.can_be_received(number, dead) && !numbers.contains(&number),
                "{number} of {} was received: {:?}\n{story}",
                subject.name,
                before.records[&number]
            );
            numbers.push(number);
            self.deliveries += 1;
            let count = subject.queue.receive(number, self.deliveries, due_ms);
            assert_eq!(record["ReceiveCount"], count, "{number}\n{story}");
            subject.handles.push(Handle {
                text: text(record, "ReceiptHandle").to_owned(),
                record: number,
                delivery: self.deliveries,
                dead,
            });
        }
        subject.queue.turn(self.now_ms);
        subject.fallbacks.push(before);
        let name = subject.name;
        self.trace.push(format!(
            "{name}: received {numbers:?}, dead {dead}, {timeout_s} s"
        ));
    }

    /// Uses up to three handles in one call.
    async fn use_handles(&mut self, at: usize) {
        let dead = self.chance.below(4) == 0;
        let used = match self.chance.below(10) {
            0..6 => Use::Acknowledge { dead },
            6..9 => Use::SetVisibility {
                dead,
                seconds: *self.chance.one_of(&[0, 0, 3, 600]),
            },
            _ => Use::Restore,
        };
        let subject = &self.queues[at];
        let mut handles = Vec::new();
        for _ in 0..1 + self.chance.below(3) {
            // Usually select one of the newest handles.
            let newest = subject.handles.len().saturating_sub(8);
            let from = if self.chance.below(4) == 0 { 0 } else { newest };
            let handle = &subject.handles[from + self.chance.below(subject.handles.len() - from)];
            if !subject.queue.is_in_limbo(handle.record) {
                handles.push(handle.clone());
            }
        }
        if handles.is_empty() {
            return;
        }
        let (operation, seconds) = match used {
            Use::Acknowledge { dead: false } => ("AcknowledgeQueueRecords", None),
            Use::Acknowledge { dead: true } => ("AcknowledgeDeadLetterQueueRecords", None),
            Use::SetVisibility { dead, seconds } => match dead {
                false => ("UpdateQueueRecordsVisibility", Some(seconds)),
                true => ("UpdateDeadLetterQueueRecordsVisibility", Some(seconds)),
            },
            Use::Restore => ("RestoreDeadLetterQueueRecords", None),
        };
        let entry = |handle: &Handle| {
            let mut entry = json!({"ReceiptHandle": handle.text});
            if let Some(seconds) = seconds {
                entry["VisibilityTimeoutSeconds"] = json!(seconds);
            }
            entry
        };
        let entries: Vec<Value> = handles.iter().map(entry).collect();
        let body = json!({"QueueARN": subject.arn, "Entries": entries});
        let answer = self.call(operation, body).await;
        self.used(at, used, &handles, answer);
    }

    fn used(&mut self, at: usize, used: Use, handles: &[Handle], answer: Option<Value>) {
        let now_ms = self.now_ms;
        let subject = &mut self.queues[at];
        let before = subject.queue.clone();
        let outcome = |handle: &Handle| {
            let outcome = subject.queue.apply(handle, used, now_ms);
            (
                handle.text.clone(),
                outcome.err().unwrap_or(DONE).to_owned(),
            )
        };
        let mut foretold: Vec<(String, String)> = handles.iter().map(outcome).collect();
        // An answer lists the entries that succeeded before the others.
        foretold.sort_by_key(|(_, code)| code != DONE);
        let numbers: Vec<usize> = handles.iter().map(|handle| handle.record).collect();
        let failed: Vec<&str> = foretold.iter().map(|(_, code)| &**code).collect();
        let name = subject.name;
        self.trace
            .push(format!("{name}: {used:?} of {numbers:?}: {failed:?}"));
        let is_done = failed.contains(&DONE);
        let actual = answer.as_ref().map(outcomes);
        let is_lost = actual.as_ref().is_none_or(|actual| {
            actual
                .iter()
                .any(|(_, code)| code == "InternalFailureException")
        });
        let subject = &mut self.queues[at];
        if is_lost {
            assert!(self.trouble, "{}", self.story());
            // The request may have been carried out or not. The restart shows which.
            let after = std::mem::replace(&mut subject.queue, before);
            subject.fallbacks.push(after);
            return;
        }
        assert_eq!(actual.unwrap(), foretold, "{}", self.story());
        let is_durable = !matches!(used, Use::SetVisibility { .. });
        let subject = &mut self.queues[at];
        match is_durable && is_done {
            true => subject.fallbacks.clear(),
            false => subject.fallbacks.push(before),
        }
    }

    async fn advance(&mut self) {
        let ms = match self.chance.below(4) {
            0 => self.chance.below(1_000),
            1..3 => self.chance.below(20_000),
            _ => self.chance.below(700_000),
        } as u64;
        self.now_ms += ms;
        self.trace.push(format!("{ms} ms pass"));
        self.machine.advance_to(self.now_ms).await;
    }

    async fn create(&mut self) {
        let mut free = NAMES.into_iter();
        let free = free.find(|name| self.queues.iter().all(|queue| queue.name != *name));
        let Some(name) = free else {
            return;
        };
        let stream = json!({
            "StreamARN": arn_of("s"),
            "StartingPosition": {"Type": "TRIM_HORIZON"},
        });
        let (attributes, most, visibility_s) = self.attributes();
        let body = json!({
            "QueueName": name,
            "StreamConfigurationList": [stream],
            "QueueAttributes": attributes,
        });
        let created = self.call("CreateQueue", body).await.unwrap();
        let arn = text(&created["QueueDescription"], "QueueARN").to_owned();
        let mut queue = Queue {
            most,
            ..Queue::default()
        };
        queue.add(0..self.put);
        self.trace.push(format!("{name}: created, most {most:?}"));
        self.queues.push(Subject {
            name,
            arn,
            queue,
            fallbacks: Vec::new(),
            handles: Vec::new(),
            visibility_s,
        });
    }

    fn attributes(&self) -> (Value, Option<u32>, u64) {
        let most = *self.chance.one_of(&[None, Some(1), Some(2), Some(3)]);
        let visibility_s = *self.chance.one_of(&[0, 2, 30, 30, 600]);
        let dead_letter = match most {
            Some(most) => json!({"TargetType": "BUILT_IN", "MaxReceiveCount": most}),
            None => json!({"TargetType": "NONE"}),
        };
        let attributes = json!({
            "VisibilityTimeoutSeconds": visibility_s,
            "DeadLetterConfiguration": dead_letter,
        });
        (attributes, most, visibility_s)
    }

    async fn update(&mut self) {
        let at = self.chance.below(self.queues.len());
        let (attributes, most, visibility_s) = self.attributes();
        let subject = &self.queues[at];
        let body = json!({"QueueARN": subject.arn, "QueueAttributes": attributes});
        self.call("UpdateQueue", body).await.unwrap();
        let subject = &mut self.queues[at];
        // Timeouts that have ended count by the earlier limit.
        subject.queue.turn(self.now_ms);
        let all = subject.fallbacks.iter_mut().chain([&mut subject.queue]);
        all.for_each(|queue| queue.most = most);
        subject.visibility_s = visibility_s;
        let name = subject.name;
        self.trace
            .push(format!("{name}: most {most:?}, {visibility_s} s"));
    }

    async fn delete(&mut self) {
        let at = self.chance.below(self.queues.len());
        let subject = self.queues.remove(at);
        self.call("DeleteQueue", json!({"QueueARN": subject.arn}))
            .await
            .unwrap();
        self.trace.push(format!("{}: deleted", subject.name));
    }

    async fn split(&mut self) {
        if self.shards >= 16 {
            return;
        }
        self.shards *= 2;
        let body = json!({"StreamARN": arn_of("s"), "WarmThroughputMiBps": self.shards});
        self.call("UpdateStreamWarmThroughput", body).await.unwrap();
        self.trace.push(format!("{} shards", self.shards));
    }

    async fn restart(&mut self) {
        self.trace.push("restart".to_owned());
        assert!(self.machine.stop().await);
        self.pass_a_moment();
        self.machine.open(self.now_ms).await;
        self.queues
            .iter_mut()
            .for_each(|subject| subject.fallbacks.clear());
    }

    /// Moves the time of the next start. The machine derives its random numbers from the time of
    /// its start, so two starts at the same time would give the same id to two queues.
    fn pass_a_moment(&mut self) {
        self.now_ms += 1;
    }

    /// Cuts the power while no step is in progress.
    async fn crash(&mut self) {
        self.trace.push("crash".to_owned());
        self.machine.settle().await;
        until_committed(&self.machine, &self.chance, "ENABLED").await;
        self.pass_a_moment();
        self.machine.crash(&self.chance.0, self.now_ms).await;
        self.fall_back().await;
    }

    /// Cuts the power while consumers are working.
    async fn lose_power(&mut self) {
        let Ground::Simulated(disk) = &self.machine.ground else {
            return self.crash().await;
        };
        let disk = disk.clone();
        self.machine.settle().await;
        self.trouble = true;
        disk.cut_power_after(self.chance.below(WRITES) as u64);
        for _ in 0..1 + self.chance.below(4) {
            self.consume().await;
        }
        self.trouble = false;
        self.trace
            .push(format!("the power fails; {}", disk.is_dark()));
        self.pass_a_moment();
        self.machine.crash(&self.chance.0, self.now_ms).await;
        self.fall_back().await;
    }

    /// Finds the last call whose effect the crash has kept.
    async fn fall_back(&mut self) {
        for at in 0..self.queues.len() {
            let seen = self.seen(at).await;
            let now_ms = self.now_ms;
            let subject = &mut self.queues[at];
            let mut fallbacks = std::mem::take(&mut subject.fallbacks);
            fallbacks.push(subject.queue.clone());
            let most = subject.queue.most;
            let kept = fallbacks.into_iter().rev().find_map(|mut queue| {
                queue.most = most;
                queue.turn(now_ms);
                queue.may_be(&seen).then_some(queue)
            });
            let Some(kept) = kept else {
                let queue = &self.queues[at].queue;
                panic!("{seen:?} is no state of {queue:?}\n{}", self.story());
            };
            let lost = kept != subject.queue;
            subject.queue = kept;
            subject.queue.learn(&seen);
            let name = subject.name;
            self.trace.push(format!("{name}: calls were lost: {lost}"));
        }
    }

    /// Compares everything that a queue shows with the model.
    async fn compare(&mut self, at: usize) {
        let seen = self.seen(at).await;
        let now_ms = self.now_ms;
        let subject = &mut self.queues[at];
        subject.queue.turn(now_ms);
        if !subject.queue.may_be(&seen) {
            let queue = &self.queues[at].queue;
            panic!("{seen:?}\ninstead of {queue:?}\n{}", self.story());
        }
        subject.queue.learn(&seen);
    }

    /// Reads the records of a queue from its own path. Checks that no record is listed twice, and
    /// that the list of queues has the same counts.
    async fn seen(&self, at: usize) -> BTreeMap<usize, (Standing, u32)> {
        let name = self.queues[at].name;
        let mut seen = BTreeMap::new();
        let listed = self.own("queues").await;
        let mut listed = listed["queues"].as_array().unwrap().iter();
        let counts = listed.find(|queue| queue["QueueName"] == *name).unwrap();
        for (state, member) in STATES {
            let path = format!("queues/{name}/records?state={state}&limit=1000");
            let page = self.own(&path).await;
            assert_eq!(page.get("Next"), None);
            let records = page["Records"].as_array().unwrap();
            let (count, shown) = (counts[member].as_u64().unwrap(), records.len() as u64);
            // The number of unread records is an upper bound while they are only on disk.
            let is_right = count == shown || (state == "visible" && count > shown);
            assert!(is_right, "{count} {state}, not {shown}\n{}", self.story());
            for record in records {
                let number = number_of(&STANDARD.decode(text(record, "Data")).unwrap());
                let due_ms = record["VisibleAt"].as_str().map(moment_ms);
                let standing = match (state, due_ms) {
                    ("visible", None) => Standing::Visible,
                    ("in-flight", Some(due_ms)) => Standing::InFlight { due_ms },
                    ("dead-letter", Some(due_ms)) => Standing::DeadInFlight { due_ms },
                    ("dead-letter", None) => Standing::DeadVisible,
                    _ => panic!("{record}"),
                };
                let count = u32::try_from(record["ReceiveCount"].as_u64().unwrap()).unwrap();
                let twice = seen.insert(number, (standing, count));
                assert_eq!(twice, None, "{number} is there twice\n{}", self.story());
            }
        }
        seen
    }

    /// Returns the JSON document of an own path.
    async fn own(&self, path: &str) -> Value {
        let request = Request::bare("GET", &format!("/_minikin/{path}"));
        let answer = self.machine.send(&request).await;
        assert_eq!(answer.status, 200, "{}\n{}", answer.text(), self.story());
        serde_json::from_slice(&answer.body).unwrap()
    }
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap()
}

fn number_of(data: &[u8]) -> usize {
    std::str::from_utf8(&data[..3]).unwrap().parse().unwrap()
}

fn moment_ms(text: &str) -> u64 {
    Timestamp::parse(text).unwrap().millis().cast_unsigned()
}

/// The handle and the code of each entry of an answer.
fn outcomes(answer: &Value) -> Vec<(String, String)> {
    let entries = |member: &str| answer[member].as_array().unwrap().iter();
    let entry = |entry: &Value| {
        let code = entry["ErrorCode"].as_str().unwrap_or(DONE);
        (text(entry, "ReceiptHandle").to_owned(), code.to_owned())
    };
    let successful = entries("Successful");
    successful.chain(entries("Failed")).map(entry).collect()
}

/// Runs the simulation with a seed. Returns the log of the run.
fn live_on(seed: u64, ground: Ground) -> Vec<String> {
    block_on_one_thread(async {
        let mut life = Life::start(seed, ground).await;
        for _ in 0..STEPS {
            life.step().await;
        }
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
