//! The machine of a run: an emulator in this process, its disk, its clock and its power.

use super::{Simulation, until_committed};
use crate::lab::{Answer, Events, Request, copied, within};
use http_body_util::BodyExt as _;
use minikin::ClockChoice;
use minikin::Surroundings;
use minikin::internals::store::SimulatedDisk;
use minikin::internals::world::{Faults, Random};
use minikin::{Clock, Timestamp};
use minikin::{Emulator, Options};
use tempfile::TempDir;

/// Sizes of a generation and of a segment, in bytes. They are so small that even a short run
/// begins, seals, reads, rewrites and removes many generations and segments.
const GENERATION_BYTES: u64 = 6_000;
const SEGMENT_BYTES: usize = 256 + 600;

/// The disk of a run.
#[derive(Debug)]
pub(super) enum Ground {
    /// A simulated disk, whose power can be cut at any write.
    Simulated(SimulatedDisk),
    /// A directory on the real disk, with the real storage.
    Directory(TempDir),
}

/// An emulator with its disk and its other surroundings.
#[derive(Debug)]
pub(super) struct Machine {
    emulator: Option<Emulator>,
    pub(super) ground: Ground,
    pub(super) faults: Faults,
    options: Options,
    /// The functions of event source mappings, and the destinations of channels.
    around: Surroundings,
}

impl Machine {
    pub(super) async fn start(
        ground: Ground,
        chance: &Random,
        now_ms: u64,
        transition_ms: u64,
    ) -> Self {
        let around = Surroundings::default();
        Self::start_with(ground, chance, now_ms, transition_ms, around).await
    }

    /// Starts a machine as `start` does, but with functions of event source mappings or
    /// destinations of channels.
    pub(super) async fn start_with(
        ground: Ground,
        chance: &Random,
        now_ms: u64,
        transition_ms: u64,
        around: Surroundings,
    ) -> Self {
        let directory = match &ground {
            Ground::Simulated(_) => "/simulated",
            Ground::Directory(directory) => directory.path().to_str().unwrap(),
        };
        let transition = transition_ms.to_string();
        // In some runs almost no record stays in memory, and in some the objects are small.
        let number = chance.number();
        let memory = ["64MiB", "2KiB"][usize::from(number & 1 == 0)];
        let object = ["128MiB", "100"][usize::from(number & 2 == 0)];
        let flags = [
            "--data-dir",
            directory,
            "--durability",
            "always",
            "--transition-ms",
            &transition,
            "--memory",
            memory,
            "--channels-max-object-bytes",
            object,
        ];
        let options = Options::read(flags.into_iter().map(str::to_owned)).unwrap();
        let mut machine = Self {
            emulator: None,
            ground,
            faults: Faults::by(Random::seeded(chance.number())),
            options,
            around,
        };
        machine.open(now_ms).await;
        machine
    }

    pub(super) async fn open(&mut self, now_ms: u64) {
        let mut options = self.options.clone();
        options.clock = ClockChoice::Virtual {
            start: Some(Timestamp::from_millis(now_ms.cast_signed())),
        };
        let mut around = Surroundings {
            random: Some(Random::seeded(now_ms)),
            faults: self.faults.clone(),
            has_no_listeners: true,
            ..self.around.clone()
        };
        match &self.ground {
            Ground::Simulated(disk) => {
                around.disk = Some(disk.clone());
                around.generation_bytes = Some(GENERATION_BYTES);
                around.segment_bytes = SEGMENT_BYTES;
            }
            Ground::Directory(directory) => options.data_dir = Some(directory.path().into()),
        }
        let started = Emulator::start_in(options, around);
        let started = in_time("the emulator to start", started).await;
        self.emulator = Some(started.unwrap());
        self.advance_to(now_ms).await;
    }

    /// Stops the emulator. Returns true if the emulator could save everything.
    pub(super) async fn stop(&mut self) -> bool {
        let emulator = self.emulator.take().unwrap();
        in_time("the emulator to stop", emulator.stop())
            .await
            .is_ok()
    }

    pub(super) fn emulator(&self) -> &Emulator {
        self.emulator.as_ref().unwrap()
    }

    pub(super) fn subscriptions(&self) -> usize {
        self.emulator().subscriptions()
    }

    /// Advances the clock to this time, past all deadlines before it.
    pub(super) async fn advance_to(&self, time_ms: u64) {
        let Clock::Virtual(clock) = self.emulator().clock() else {
            panic!("the clock is in our hands");
        };
        let target = Timestamp::from_millis(time_ms.cast_signed());
        let moved = clock.advance_to(target);
        in_time("the emulator to follow its clock", moved).await;
        assert_eq!(clock_ms(self.emulator()), time_ms);
    }

    /// Lets the tasks of the emulator run until they wait.
    pub(super) async fn settle(&self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    async fn respond(&self, request: &Request) -> minikin::Response<minikin::Body> {
        let answer = self.emulator().answer(request.here());
        let answer = in_time("the answer to a request", answer).await;
        answer.unwrap()
    }

    /// Answers a request.
    pub(super) async fn send(&self, request: &Request) -> Answer {
        whole(self.respond(request).await).await
    }

    /// Begins a subscription.
    pub(super) async fn subscribe(&self, request: &Request) -> Result<Events, Answer> {
        let response = self.respond(request).await;
        if response.status() != 200 {
            return Err(whole(response).await);
        }
        Ok(Events::of_body(response.into_body()).await)
    }

    /// Cuts the power, unless it is cut already, and starts again on the flushed writes.
    pub(super) async fn crash(&mut self, chance: &Random, now_ms: u64) {
        if let Ground::Directory(directory) = &mut self.ground {
            // The next emulator starts on a copy of the directory. The copy is taken while the
            // first emulator is running.
            let copy = copied(directory.path());
            let old = std::mem::replace(directory, copy);
            self.stop().await;
            drop(old);
        } else if let Ground::Simulated(disk) = &self.ground {
            let disk = disk.clone();
            disk.cut_power_after(0);
            self.stop().await;
            disk.crash(chance);
        }
        self.open(now_ms).await;
    }
}

/// Finishes `work`, or fails the test after the time limit. The work is boxed, because the nested
/// calls of a run need much of the thread's small stack.
async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    within(what, Box::pin(work)).await
}

fn clock_ms(emulator: &Emulator) -> u64 {
    emulator.clock().now().millis().cast_unsigned()
}

async fn whole(response: minikin::Response<minikin::Body>) -> Answer {
    let (head, body) = response.into_parts();
    let headers = head.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()));
    Answer {
        status: head.status.as_u16(),
        headers: headers.collect(),
        body: in_time("the body of an answer", body.collect())
            .await
            .unwrap()
            .to_bytes()
            .into(),
    }
}

impl Simulation {
    pub(super) async fn advance(&mut self) {
        let time_ms = match self.chance.below(20) {
            0 => 1,
            1..4 => self.chance.below(300),
            4..16 => self.chance.below(3_000),
            16..18 => self.chance.below(400_000),
            18 => self.chance.below(20_000_000),
            _ => *self.chance.one_of(&[43_200_000, 86_399_999, 86_400_000]),
        } as u64;
        self.trace.push(format!("{time_ms} ms pass"));
        let target_ms = self.oracle.now_ms + time_ms;
        while self.oracle.now_ms < target_ms {
            // Advance to each time at which events are due, and receive the events at that time.
            let due = self
                .subscribed
                .iter()
                .map(super::subscribe::Subscribed::due_ms);
            let next_ms = due.chain(self.oracle.next_due_ms()).min();
            let next_ms = next_ms.map_or(target_ms, |next_ms| next_ms.min(target_ms));
            self.oracle.advance(next_ms - self.oracle.now_ms);
            self.machine.advance_to(next_ms).await;
            self.hear().await;
        }
        self.drop_cursors();
    }

    /// Drops the cursors of streams and shards that cannot be read any more.
    pub(super) fn drop_cursors(&mut self) {
        let oracle = &self.oracle;
        self.cursors.retain(|cursor| {
            let stream = oracle.streams.get(cursor.stream);
            let there = stream.is_some_and(|stream| cursor.shard < stream.shards.len());
            there && matches!(oracle.state(cursor.stream), Some("ACTIVE" | "UPDATING"))
        });
    }

    pub(super) async fn restart(&mut self) {
        self.trace.push("restart".to_owned());
        assert!(self.machine.stop().await);
        self.hear_the_end().await;
        self.machine.open(self.oracle.now_ms).await;
    }

    /// Cuts the power while no write is in progress. All acknowledged records exist afterwards.
    pub(super) async fn crash(&mut self) {
        self.trace.push("crash".to_owned());
        self.machine.settle().await;
        let status = match self.oracle.account_status() {
            "ENABLED" => "ENABLED",
            _ => "DISABLED",
        };
        until_committed(&self.machine, &self.chance, status).await;
        self.hang_up_all().await;
        self.machine.crash(&self.chance.0, self.oracle.now_ms).await;
    }
}
