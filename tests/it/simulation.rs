//! Random runs of streams. An oracle predicts the result of each step.
//!
//! A seed decides the steps: calls of every operation, passing time, faults at every injection
//! point, restarts, and power cuts. After a power cut, a simulated disk keeps the flushed writes
//! and a random part of the other writes. After each step, all events of subscriptions are
//! received. After every few steps and after each fault, everything that can be read is compared
//! with the oracle. A change that was answered with a failure may have happened or not. The next
//! comparison shows which, and the oracle adopts it.

mod capacity;
mod change;
mod channels;
mod machine;
mod mappings;
mod oracle;
mod peril;
mod queues;
mod read;
mod resources;
mod rest;
mod seeds;
mod subscribe;
mod write;

use crate::lab::{Request, START_MS, block_on_one_thread, cbor};
use machine::{Ground, Machine};
use minikin::internals::operation::Entry;
use minikin::internals::store::SimulatedDisk;
use minikin::internals::world::Random;
use oracle::{Foretold, Oracle};
use read::Cursor;
use serde_json::{Value, json};
use subscribe::{Bookmark, Subscribed};
use tempfile::TempDir;
use write::Offered;

/// Number of steps of one run.
const STEPS: usize = 70;
/// Number of steps between two comparisons of everything.
const REST: usize = 14;
/// Names of the streams that can exist.
const NAMES: [&str; 3] = ["a", "b", "c"];

/// One run of the simulation.
struct Simulation {
    machine: Machine,
    oracle: Oracle,
    chance: Chance,
    cursors: Vec<Cursor>,
    subscribed: Vec<Subscribed>,
    bookmarks: Vec<Bookmark>,
    /// Number of records written so far. The data of each record contains its number.
    written: usize,
    /// True while a fault is injected. An internal failure is then a permitted answer.
    trouble: bool,
    /// True if a request was answered with an internal failure since the fault was injected.
    failed: bool,
    /// Records that were offered and answered with a failure.
    in_doubt: Vec<Offered>,
    /// The log of the run: the calls with their outcomes, and the other steps. It contains nothing
    /// that differs between two runs with the same seed.
    trace: Vec<String>,
}

/// The decisions of a seed.
struct Chance(Random);

impl Chance {
    /// A number below `limit`.
    fn below(&self, limit: usize) -> usize {
        usize::try_from(self.0.number() % limit as u64).unwrap()
    }

    fn one_of<'a, T>(&self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// A random hash key.
    fn key(&self) -> u128 {
        u128::from_le_bytes(self.0.bytes())
    }
}

impl Simulation {
    async fn start(seed: u64, ground: Ground) -> Self {
        let chance = Chance(Random::seeded(seed));
        let transition_ms = *chance.one_of(&[0, 0, 300, 2_000]);
        let now_ms = u64::try_from(START_MS).unwrap();
        Self {
            machine: Machine::start(ground, &chance.0, now_ms, transition_ms).await,
            oracle: Oracle::new(now_ms, transition_ms),
            chance,
            cursors: Vec::new(),
            subscribed: Vec::new(),
            bookmarks: Vec::new(),
            written: 0,
            trouble: false,
            failed: false,
            in_doubt: Vec::new(),
            trace: Vec::new(),
        }
    }

    /// Returns the name of a stream, usually of a stream that exists.
    fn name(&self) -> &'static str {
        let known = NAMES
            .into_iter()
            .filter(|name| self.oracle.streams.contains_key(*name));
        let known: Vec<_> = known.collect();
        if known.is_empty() || self.chance.below(12) == 0 {
            return self.chance.one_of::<&str>(&NAMES);
        }
        self.chance.one_of::<&str>(&known)
    }

    async fn step(&mut self) {
        if self.oracle.streams.is_empty() && self.chance.below(4) > 0 {
            self.create().await;
        }
        match self.chance.below(100) {
            0..20 => self.write().await,
            20..23 => self.write_together().await,
            23..36 => self.follow().await,
            36..45 => self.advance().await,
            45..47 => self.restart().await,
            47..49 => self.crash().await,
            49..55 => self.lose_power().await,
            55..61 => self.suffer().await,
            61..72 => self.subscribe().await,
            72..74 => self.hang_up().await,
            _ => self.some_change().await,
        }
        self.hear().await;
        let streams = &self.oracle.streams;
        self.bookmarks
            .retain(|mark| streams.contains_key(mark.stream));
    }

    /// Changes something other than records.
    async fn some_change(&mut self) {
        match self.chance.below(70) {
            0..8 => self.create().await,
            8..10 => self.delete().await,
            10..17 => self.split().await,
            17..24 => self.merge().await,
            24..30 => self.scale().await,
            30..33 => self.switch_mode().await,
            33..37 => self.change_retention().await,
            37..43 => self.register().await,
            43..45 => self.deregister().await,
            45..49 => self.encrypt().await,
            49..52 => self.tag().await,
            52..55 => self.tag_resource().await,
            55..58 => self.set_policy().await,
            58..60 => self.monitor().await,
            60..62 => self.resize_records().await,
            62..65 => self.warm().await,
            65..67 => self.distribute().await,
            _ => self.commit_account().await,
        }
    }

    /// Calls an operation in either format. Checks that the outcome is the predicted one.
    async fn call(&mut self, operation: &str, body: Value, foretold: Foretold) -> Option<Value> {
        let request = format!("{operation} {body}");
        let answer = self.ask(operation, body).await;
        let outcome = match &answer {
            Ok(_) => Ok(()),
            Err(refusal) => Err(refusal.as_str()),
        };
        self.trace.push(format!("{request}: {outcome:?}"));
        if self.trouble && outcome == Err("InternalFailure") {
            self.failed = true;
            return None;
        }
        assert_eq!(outcome, foretold, "{request}\n{}", self.story());
        answer.ok()
    }

    /// Calls an operation in either format. Returns its answer, or the type of the refusal.
    async fn ask(&self, operation: &str, body: Value) -> Result<Value, String> {
        ask(&self.machine, &self.chance, operation, body).await
    }

    /// The last lines of the log, for the message of a failed comparison.
    fn story(&self) -> String {
        let from = self.trace.len().saturating_sub(40);
        self.trace[from..].join("\n")
    }
}

/// Calls an operation in either format. Returns its answer, or the type of the refusal.
async fn ask(
    machine: &Machine,
    chance: &Chance,
    operation: &str,
    body: Value,
) -> Result<Value, String> {
    let text = body.to_string();
    let request = if chance.below(2) == 0 {
        Request::json(operation, &text)
    } else {
        let shape = Entry::find(operation).unwrap().input;
        Request::cbor(operation, &cbor::of_json(&text, shape))
    };
    let answer = machine.send(&request).await;
    match answer.status {
        200 if answer.body.is_empty() => Ok(Value::Null),
        200 => Ok(answer.value()),
        _ => Err(answer.refusal().kind),
    }
}

/// Waits on a real disk until all earlier changes are durable, including changes that no call waits
/// for. The function makes a later change and waits until that change is durable.
async fn until_committed(machine: &Machine, chance: &Chance, status: &str) {
    if matches!(machine.ground, Ground::Directory(_)) {
        let body = json!({"MinimumThroughputBillingCommitment": {"Status": status}});
        let saved = ask(machine, chance, "UpdateAccountSettings", body).await;
        saved.unwrap();
    }
}

/// Runs the simulation with a seed on a simulated disk. Returns the log of the run.
fn live(seed: u64) -> Vec<String> {
    live_on(seed, Ground::Simulated(SimulatedDisk::new()))
}

/// Runs the simulation with a seed. Returns the log of the run.
fn live_on(seed: u64, ground: Ground) -> Vec<String> {
    block_on_one_thread(async {
        let mut simulation = Simulation::start(seed, ground).await;
        simulation.trace.push(format!("seed {seed}"));
        for step in 1..=STEPS {
            simulation.step().await;
            if step % REST == 0 {
                simulation.compare().await;
            }
        }
        assert!(simulation.machine.stop().await);
        simulation.trace
    })
}

#[test]
fn the_same_seed_twice_gives_the_same_trace() {
    for seed in 1..=10 {
        let (first, second) = (live(seed), live(seed));
        assert!(first.len() > STEPS / 2);
        for (one, other) in first.iter().zip(&second) {
            assert_eq!(one, other, "seed {seed}");
        }
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
    assert_ne!(live(1), live(2));
}

#[test]
fn the_oracle_foretells_lives_on_the_storage_engine_in_use() {
    for seed in 0..20 {
        live_on(seed, Ground::Directory(TempDir::new().unwrap()));
    }
}
