//! Acknowledged writes survive SIGKILL and power cuts. The tests kill the real program at random
//! moments under full load, or shut down the file system below it, and start it again on the same
//! directory. `tests/long/kill` and `tests/long/power` do the same for longer.
#![allow(
    clippy::print_stderr,
    reason = "what a long run did, and what it skipped, has to be seen"
)]

mod channel;
mod consumers;
mod disk;
pub(crate) mod load;
mod mapping;
pub(crate) mod program;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use channel::ChannelStory;
use consumers::QueueStory;
use disk::Disk;
use load::Story;
use mapping::HeldFunction;
use program::{Client, Server, serving};
use serde_json::{Value, json};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;

/// Number of runs of the program on one directory. All records in the directory are read after each
/// run.
const LIVES: u64 = 50;

fn setting(name: &str, otherwise: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(otherwise, |value| value.parse().unwrap())
}

fn seed(name: &str) -> u64 {
    let seed = setting(name, RandomState::new().build_hasher().finish());
    eprintln!("{name}={seed}");
    seed
}

#[test]
fn acknowledged_records_survive_kills() {
    let (kills, most) = (setting("KILLS", 5), setting("KILL_RECORDS", 3000));
    let seed = seed("KILL_SEED");
    for first in (1..=kills).step_by(usize::try_from(LIVES).unwrap()) {
        let home = tempfile::tempdir().unwrap();
        let mut server = Some(Server::start(home.path()));
        let mut story = Story::begin(server.as_ref().unwrap(), seed.wrapping_add(first));
        for kill in first..=kills.min(first + LIVES - 1) {
            let count = 1 + story.dice.below(most);
            let mut dead = story.live(server.take().unwrap(), count, Server::kill);
            // The next process is started before this one is reaped.
            std::thread::spawn(move || dead.wait());
            if story.dice.below(4) == 0 {
                // Kill the program during its start, too.
                let mut child = Server::spawn(home.path());
                for _ in 0..story.dice.below(20_000) {
                    std::thread::yield_now();
                }
                child.kill().unwrap();
                child.wait().unwrap();
            }
            let next = Server::start(home.path());
            story.expected.check(&next);
            let records = story.expected.records.len();
            eprintln!("kill {kill}: {records} records are as they were");
            server = Some(next);
        }
        server.unwrap().kill().wait().unwrap();
    }
}

#[test]
fn acknowledgements_of_a_queue_survive_kills() {
    let (kills, most) = (setting("KILLS", 3), setting("KILL_RECORDS", 1000));
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(home.path());
    let mut story = QueueStory::begin(&server, seed("KILL_SEED"));
    for kill in 1..=kills {
        let count = 1 + story.dice.below(most);
        let mut dead = story.live(server, count, Server::kill);
        std::thread::spawn(move || dead.wait());
        server = Server::start(home.path());
        story.settle_held(&server);
        let records = story.acknowledged();
        eprintln!("kill {kill}: {records} records are acknowledged");
    }
    story.drain(&server);
    server.kill().wait().unwrap();
}

/// Starts the program with a mapping of the stream `s` to the function. `settings` are the settings
/// of the mapping.
fn start_mapped(home: &Path, log: &Path, function: &HeldFunction, settings: &str) -> Server {
    let mut command = serving(home);
    let named = format!("f=http://{}/invoke", function.address);
    let mapping = format!("s=f?{settings}");
    command.args(["--function", &named, "--event-source", &mapping]);
    command.args(["--clock", "virtual=1700000000000"]);
    Server::try_start(command, log).expect("the program starts")
}

fn create_stream(client: &mut Client) {
    let create = json!({"StreamName": "s", "ShardCount": 1});
    client.call("CreateStream", &create).unwrap();
}

fn put(client: &mut Client, texts: &[&str]) {
    let data = |text: &&str| STANDARD.encode(text);
    let record = |text: &&str| json!({"PartitionKey": "k", "Data": data(text)});
    let records: Vec<_> = texts.iter().map(record).collect();
    let body = json!({"StreamName": "s", "Records": records});
    client.call("PutRecords", &body).unwrap();
}

#[test]
fn what_a_channel_delivers_survives_kills() {
    let kills = setting("KILLS", 5);
    let seed = seed("KILL_SEED");
    for durability in ["always", "none"] {
        let mut story = ChannelStory::begin(durability, seed);
        for _ in 0..kills {
            story.live();
        }
        let repeated = story.end();
        let records = story.delivered.len();
        eprintln!(
            "durability {durability}: {kills} kills, {records} records, {repeated} objects repeated"
        );
        // A kill may come too late to interrupt a particular object, but some kills interrupt one.
        assert!(kills < 50 || repeated > 0, "no object was repeated");
    }
}

#[test]
fn case_46_the_batch_in_flight_at_a_kill_comes_again_and_none_before_it() {
    let (home, logs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let function = HeldFunction::start();
    let start = || {
        start_mapped(
            home.path(),
            &logs.path().join("log"),
            &function,
            "BatchSize=2",
        )
    };
    let server = start();
    let mut client = Client::new(server.address).unwrap();
    create_stream(&mut client);
    put(&mut client, &["a", "b", "c", "d", "e", "f"]);
    let first = function.next();
    assert_eq!(first.texts, ["a", "b"]);
    first.answer(&Value::Null);
    let held = function.next();
    assert_eq!(held.texts, ["c", "d"]);
    // The next commit makes the position durable. The put waits for this commit.
    put(&mut client, &["g"]);
    server.kill().wait().unwrap();
    drop(held);
    let server = start();
    for expected in [vec!["c", "d"], vec!["e", "f"], vec!["g"]] {
        let invocation = function.next();
        assert_eq!(invocation.texts, expected);
        invocation.answer(&Value::Null);
    }
    server.kill().wait().unwrap();
}

#[test]
fn case_85_the_state_of_a_window_agrees_with_the_position_after_a_kill() {
    let (home, logs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let function = HeldFunction::start();
    let settings = "TumblingWindowInSeconds=10";
    let start = || start_mapped(home.path(), &logs.path().join("log"), &function, settings);
    let mut server = start();
    let mut client = Client::new(server.address).unwrap();
    create_stream(&mut client);
    let mut state = json!({});
    for (sent, held, next) in [("a", "b", "c"), ("d", "e", "f")] {
        put(&mut client, &[sent]);
        let invocation = function.next();
        assert_eq!(invocation.texts, [sent]);
        assert_eq!(invocation.event["state"], state);
        state[sent] = json!(1);
        invocation.answer(&json!({ "state": state }));
        put(&mut client, &[held]);
        let lost = function.next();
        assert_eq!(
            (&lost.texts[..], &lost.event["state"]),
            (&[held.to_owned()][..], &state)
        );
        // The next commit makes the state and the position durable. The put waits for this commit.
        put(&mut client, &[next]);
        server.kill().wait().unwrap();
        drop(lost);
        server = start();
        client = Client::new(server.address).unwrap();
        let again = function.next();
        assert_eq!(again.texts, [held, next]);
        assert_eq!(again.event["state"], state);
        state[held] = json!(2);
        again.answer(&json!({ "state": state }));
    }
    server.kill().wait().unwrap();
}

#[test]
fn acknowledged_records_survive_power_cuts() {
    let (cuts, most) = (setting("POWER_CUTS", 1), setting("POWER_RECORDS", 6000));
    let disk = match Disk::new(2 << 30) {
        Ok(disk) => disk,
        Err(reason) => return eprintln!("POWER CUTS: 0 done, {cuts} SKIPPED: {reason}"),
    };
    let home = disk.folder("data");
    let mut server = Some(Server::start(&home));
    let mut story = Story::begin(server.as_ref().unwrap(), seed("POWER_SEED"));
    for cut in 1..=cuts {
        let count = 1 + story.dice.below(most);
        story.live(server.take().unwrap(), count, |server| {
            disk.cut_power();
            server.kill().wait().unwrap();
        });
        disk.mount_again();
        let next = Server::start(&home);
        story.expected.check(&next);
        let records = story.expected.records.len();
        eprintln!("power cut {cut}: {records} records are as they were");
        server = Some(next);
    }
    server.unwrap().kill().wait().unwrap();
    eprintln!("POWER CUTS: {cuts} done, 0 skipped");
}

/// Writes until the disk refuses. Checks that all acknowledged records are served then, and again
/// after `mend` and a restart.
fn reads_go_on(disk: &Disk, break_it: impl FnOnce(), mend: impl FnOnce()) {
    let home = disk.folder("data");
    let log = tempfile::NamedTempFile::new().unwrap();
    let server = Server::try_start(serving(&home), log.path()).unwrap();
    let mut story = Story::begin(&server, 7);
    let server = story.live(server, 2000, |server| {
        break_it();
        server
    });
    // All writers have ended, because each of them got the service's InternalFailure.
    story.expected.check(&server);
    let put = json!({"StreamName": "s", "PartitionKey": "p", "Data": "AAAA"});
    let mut client = Client::new(server.address).unwrap();
    assert_eq!(client.call("PutRecord", &put), None);
    let said = std::fs::read_to_string(log.path()).unwrap();
    assert!(said.contains("reads go on, writes are refused"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    server.kill().wait().unwrap();
    mend();
    let server = Server::start(&home);
    story.expected.check(&server);
    let mut client = Client::new(server.address).unwrap();
    assert!(client.call("PutRecord", &put).is_some());
}

#[test]
fn a_full_disk_refuses_writes_and_serves_reads_until_it_has_free_space() {
    let disk = match Disk::new(64 << 20) {
        Ok(disk) => disk,
        Err(reason) => return eprintln!("SKIPPED: a full disk: {reason}"),
    };
    // The records of the writers fill the rest of the disk.
    let ballast = disk.folder("ballast");
    std::fs::write(&ballast, vec![0; 24 << 20]).unwrap();
    reads_go_on(
        &disk,
        || {},
        || {
            std::fs::remove_file(&ballast).unwrap();
        },
    );
}

#[test]
fn a_disk_that_turns_read_only_refuses_writes_and_serves_reads_until_it_is_mended() {
    let disk = match Disk::new(256 << 20) {
        Ok(disk) => disk,
        Err(reason) => return eprintln!("SKIPPED: a read-only disk: {reason}"),
    };
    reads_go_on(&disk, || disk.turn_read_only(), || disk.mount_again());
}
