//! Random lives of streams, each step of which an oracle foretells.
//!
//! A seed decides the steps: creating, deleting, writing, following, resharding, changing modes,
//! retention periods, keys and tags, registering consumers and subscribing with them, letting time
//! pass, restarting and crashing. After each step all that is pushed is heard; after every few all
//! that can be seen is compared with the oracle.

mod change;
mod machine;
mod oracle;
mod read;
mod rest;
mod subscribe;
mod write;

use crate::lab::{Lab, Request, START_MS, block_on, cbor};
use minikin::operation::Entry;
use minikin::world::Random;
use oracle::{Foretold, Oracle};
use read::Cursor;
use serde_json::Value;
use subscribe::{Bookmark, Subscribed};
use tempfile::TempDir;

/// Steps of one life.
const STEPS: usize = 150;
/// All is compared after so many steps.
const REST: usize = 10;
/// The streams there can be.
const NAMES: [&str; 3] = ["a", "b", "c"];

/// One life.
struct Simulation {
    lab: Lab,
    directory: TempDir,
    oracle: Oracle,
    chance: Chance,
    cursors: Vec<Cursor>,
    subscribed: Vec<Subscribed>,
    bookmarks: Vec<Bookmark>,
    /// Records written so far; each tells its own number.
    written: usize,
    /// What happened, without what differs from one life to the next of the same seed.
    trace: Vec<String>,
}

/// What a seed decides.
struct Chance(Random);

impl Chance {
    /// A number below `limit`.
    fn below(&self, limit: usize) -> usize {
        usize::try_from(self.0.number() % limit as u64).unwrap()
    }

    fn one_of<'a, T>(&self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Any hash key.
    fn key(&self) -> u128 {
        u128::from_le_bytes(self.0.bytes())
    }
}

impl Simulation {
    async fn start(seed: u64) -> Self {
        let chance = Chance(Random::seeded(seed));
        let transition_ms = *chance.one_of(&[0, 0, 300, 2_000]);
        let directory = TempDir::new().unwrap();
        let now_ms = u64::try_from(START_MS).unwrap();
        Self {
            lab: machine::emulator(directory.path(), now_ms, transition_ms).await,
            directory,
            oracle: Oracle::new(now_ms, transition_ms),
            chance,
            cursors: Vec::new(),
            subscribed: Vec::new(),
            bookmarks: Vec::new(),
            written: 0,
            trace: Vec::new(),
        }
    }

    /// Mostly the name of a stream that there is.
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
        match self.chance.below(136) {
            0..5 => self.create().await,
            5..7 => self.delete().await,
            7..36 => self.write().await,
            36..60 => self.follow().await,
            60..66 => self.split().await,
            66..72 => self.merge().await,
            72..77 => self.scale().await,
            77..80 => self.switch_mode().await,
            80..85 => self.change_retention().await,
            85..95 => self.advance().await,
            95..97 => self.restart().await,
            97..100 => self.crash().await,
            100..107 => self.register().await,
            107..109 => self.deregister().await,
            109..127 => self.subscribe().await,
            127..129 => self.hang_up().await,
            129..133 => self.encrypt().await,
            _ => self.tag().await,
        }
        self.hear().await;
        let streams = &self.oracle.streams;
        self.bookmarks
            .retain(|mark| streams.contains_key(mark.stream));
    }

    /// Calls an operation in either format; it has to end as was foretold.
    async fn call(&mut self, operation: &str, body: Value, foretold: Foretold) -> Option<Value> {
        let told = format!("{operation} {body}");
        let answer = self.ask(operation, body).await;
        let outcome = match &answer {
            Ok(_) => Ok(()),
            Err(refusal) => Err(refusal.as_str()),
        };
        self.trace.push(format!("{told}: {outcome:?}"));
        assert_eq!(outcome, foretold, "{told}\n{}", self.story());
        answer.ok()
    }

    /// Calls an operation in either format: its answer, or the refusal's type.
    async fn ask(&self, operation: &str, body: Value) -> Result<Value, String> {
        let text = body.to_string();
        let request = if self.chance.below(2) == 0 {
            Request::json(operation, &text)
        } else {
            let shape = Entry::find(operation).unwrap().input;
            Request::cbor(operation, &cbor::of_json(&text, shape))
        };
        let answer = self.lab.send(&request).await;
        match answer.status {
            200 if answer.body.is_empty() => Ok(Value::Null),
            200 => Ok(answer.value()),
            _ => Err(answer.refusal().kind),
        }
    }

    /// The last steps, for a failed comparison.
    fn story(&self) -> String {
        let from = self.trace.len().saturating_sub(40);
        self.trace[from..].join("\n")
    }
}

/// Lives a seed's life and returns its trace.
fn live(seed: u64) -> Vec<String> {
    block_on(async {
        let mut simulation = Simulation::start(seed).await;
        simulation.trace.push(format!("seed {seed}"));
        for step in 1..=STEPS {
            simulation.step().await;
            if step % REST == 0 {
                simulation.compare().await;
            }
        }
        simulation.lab.stop().await;
        simulation.trace
    })
}

#[test]
fn the_same_seed_twice_gives_the_same_trace() {
    for seed in [1, 2, 3] {
        let (first, second) = (live(seed), live(seed));
        assert!(first.len() > STEPS / 2);
        for (one, other) in first.iter().zip(&second) {
            assert_eq!(one, other, "seed {seed}");
        }
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
    assert_ne!(live(1), live(2));
}

macro_rules! lives {
    ($($name:ident $seeds:expr;)*) => {
        $(#[test]
        fn $name() {
            for seed in $seeds {
                live(seed);
            }
        })*
    };
}

lives! {
    the_oracle_foretells_lives_from_100_on 100..108;
    the_oracle_foretells_lives_from_200_on 200..208;
    the_oracle_foretells_lives_from_300_on 300..308;
    the_oracle_foretells_lives_from_400_on 400..408;
}
