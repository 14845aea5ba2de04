//! The setup on a data directory: power cuts while it is carried out, and the number of its syncs.

use crate::lab::{Request, Rounds, block_on};
use http_body_util::BodyExt as _;
use minikin::internals::store::SimulatedDisk;
use minikin::internals::world::Random;
use minikin::{Emulator, Options, StartError, Surroundings};
use serde_json::{Value, json};
use std::fmt::Write as _;
use tempfile::TempDir;

/// A setup file, and the simulated disk of the emulators that carry it out.
struct Machine {
    folder: TempDir,
    disk: SimulatedDisk,
}

impl Machine {
    fn new(setup: &str) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("setup.toml"), setup).unwrap();
        let disk = SimulatedDisk::new();
        Self { folder, disk }
    }

    async fn start(&self, durability: &str) -> Result<Emulator, StartError> {
        let setup = self.folder.path().join("setup.toml");
        let flags = ["--data-dir", "/simulated", "--durability", durability];
        let flags = flags
            .into_iter()
            .chain(["--setup", setup.to_str().unwrap()]);
        let options = Options::read(flags.map(str::to_owned)).unwrap();
        let around = Surroundings {
            disk: Some(self.disk.clone()),
            random: Some(Random::seeded(1)),
            has_no_listeners: true,
            ..Surroundings::default()
        };
        Emulator::start_in(options, around).await
    }
}

/// The status and the JSON of the answer of an own path.
async fn own(emulator: &Emulator, method: &'static str, path: &str, body: &str) -> (u16, Value) {
    let request = Request::bare(method, &format!("/_minikin/{path}")).body(body.as_bytes());
    let (head, body) = emulator.answer(request.here()).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let json = serde_json::from_slice(&body).unwrap_or_default();
    (head.status.as_u16(), json)
}

/// The name, the number of records and the number of consumers of each stream.
async fn streams(emulator: &Emulator) -> Value {
    let (_, listed) = own(emulator, "GET", "streams", "").await;
    let streams = listed["streams"].as_array().unwrap().iter();
    let members = ["StreamName", "Records", "ConsumerCount"];
    let shown = |stream: &Value| members.map(|member| stream[member].clone());
    streams
        .map(|stream| Value::from(shown(stream).to_vec()))
        .collect()
}

/// Text of a setup with streams that have records and a consumer each.
const FILLED: &str = r#"
[[streams]]
StreamName = "a"
ShardCount = 2
RetentionPeriodHours = 48
Consumers = ["c"]
Records = [{ PartitionKey = "k", Text = "one" }, { PartitionKey = "l", Text = "two" }]

[[streams]]
StreamName = "b"
Records = [{ PartitionKey = "k", Text = "three" }]
"#;

#[test]
fn the_start_after_a_power_cut_during_the_setup_leaves_no_stream_half_filled() {
    block_on(async {
        for durability in ["always", "none"] {
            let mut rounds = Rounds::of(200, "a start without a power cut");
            for cut in 0.. {
                rounds.next();
                let machine = Machine::new(FILLED);
                machine.disk.cut_power_after(cut);
                let started = machine.start(durability).await;
                let is_whole = match started {
                    Ok(emulator) => emulator.stop().await.is_ok(),
                    Err(_) => false,
                };
                machine.disk.crash(&Random::seeded(cut));
                let emulator = machine.start(durability).await.unwrap();
                let expected = json!([["a", 2, 1], ["b", 1, 0]]);
                assert_eq!(
                    streams(&emulator).await,
                    expected,
                    "{durability}: cut before write {cut}"
                );
                emulator.stop().await.unwrap();
                if is_whole {
                    break;
                }
            }
        }
    });
}

#[test]
fn a_reset_makes_the_removal_and_the_setup_of_many_streams_durable_in_few_syncs() {
    block_on(async {
        let mut setup = String::new();
        for number in 0..100 {
            let members = "ShardCount = 2\nConsumers = [\"c\"]";
            writeln!(setup, "[[streams]]\nStreamName = \"s{number}\"\n{members}").unwrap();
        }
        let machine = Machine::new(&setup);
        let emulator = machine.start("always").await.unwrap();
        for body in ["{}", r#"{"setup": true}"#, r#"{"setup": true}"#] {
            let before = machine.disk.syncs();
            assert_eq!(own(&emulator, "POST", "reset", body).await.0, 204);
            let syncs = machine.disk.syncs() - before;
            assert!(syncs <= 3, "{body}: {syncs} syncs");
        }
        assert_eq!(streams(&emulator).await.as_array().unwrap().len(), 100);
        emulator.stop().await.unwrap();
    });
}
