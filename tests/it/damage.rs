//! The effects of damage to each file of a data directory. The program must not panic, must not
//! take for ever to start, and must not serve a record that was not written. It must report the
//! damage clearly and serve everything else. These tests run the real program on real directories.

use crate::durability::load::{Dice, SHARDS, read, shard};
use crate::durability::program::{Client, Server, program, serving};
use crate::lab::copied;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Number of runs of the program before the damage. Each run ends with a kill.
const LIVES: u64 = 2;
const BATCHES: u64 = 12;
const BATCH: u64 = 40;

/// A kind of damage to a file.
#[derive(Debug, Clone, Copy)]
enum Harm {
    Flip,
    Cut,
    Remove,
    Folder,
    Zeros,
}

const HARMS: [Harm; 7] = [
    Harm::Flip,
    Harm::Cut,
    Harm::Flip,
    Harm::Remove,
    Harm::Flip,
    Harm::Folder,
    Harm::Zeros,
];

impl Harm {
    /// Damages the file. Returns false if the content stays the same.
    fn inflict(self, path: &Path, dice: &mut Dice) -> bool {
        let mut bytes = std::fs::read(path).unwrap();
        let before = bytes.clone();
        match self {
            Self::Flip if bytes.is_empty() => return false,
            Self::Flip => {
                let at = usize::try_from(dice.below(bytes.len() as u64)).unwrap();
                bytes[at] ^= 1 << dice.below(8);
            }
            Self::Cut => bytes.truncate(bytes.len() * 2 / 3),
            Self::Remove | Self::Folder => std::fs::remove_file(path).unwrap(),
            Self::Zeros => bytes.fill(0),
        }
        match self {
            Self::Remove => true,
            Self::Folder => {
                std::fs::create_dir(path).unwrap();
                true
            }
            Self::Flip | Self::Cut | Self::Zeros => {
                std::fs::write(path, &bytes).unwrap();
                bytes != before
            }
        }
    }
}

/// Every record by its shard and sequence number.
type Records = HashMap<(usize, String), (u64, u64)>;

/// A directory of a killed server, and the acknowledged records.
fn written() -> (tempfile::TempDir, Records) {
    let home = tempfile::tempdir().unwrap();
    let mut records = Records::new();
    for life in 0..LIVES {
        let server = Server::start(home.path());
        let mut client = Client::new(server.address).unwrap();
        if life == 0 {
            let create = json!({"StreamName": "s", "ShardCount": SHARDS});
            client.call("CreateStream", &create).unwrap();
            std::fs::create_dir(home.path().join("tls")).unwrap();
            std::fs::write(home.path().join("tls/leaf.pem"), "no certificate").unwrap();
        }
        for batch in 0..BATCHES {
            let first = batch * BATCH;
            let entries = (first..first + BATCH).map(|number| {
                let data = format!("W{life:03}N{number:011}{}", "minikin0".repeat(150));
                json!({"Data": data, "PartitionKey": number.to_string()})
            });
            let input = json!({"StreamName": "s", "Records": entries.collect::<Vec<_>>()});
            let answer = client.call("PutRecords", &input).unwrap();
            for (entry, number) in answer["Records"].as_array().unwrap().iter().zip(first..) {
                let text = |name: &str| entry[name].as_str().unwrap().to_owned();
                let shard = text("ShardId")[8..].parse().unwrap();
                records.insert((shard, text("SequenceNumber")), (life, number));
            }
        }
        server.kill().wait().unwrap();
    }
    (home, records)
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if !path.to_string_lossy().contains("/slabs/") || path.metadata().unwrap().len() > 0
        {
            found.push(path);
        }
    }
}

/// Starts the program on a directory. Returns the number of records that it serves, or None if it
/// does not start. Also returns its log.
fn served(directory: &Path, all: &Records, what: &str) -> (Option<usize>, String) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let started = Server::try_start(serving(directory), log.path());
    let found = started.as_ref().ok().map(|server| {
        let mut client = Client::new(server.address).unwrap();
        let list = client.call("ListStreams", &json!({})).unwrap();
        if list["StreamNames"] != json!(["s"]) {
            return 0;
        }
        let mut count = 0;
        for number in 0..SHARDS {
            let found = read(&mut client, &shard(number), None).unwrap();
            assert!(found.is_sorted_by(|one, two| one.0 < two.0), "{what}");
            for (sequence, name) in found {
                assert_eq!(all.get(&(number, sequence)), Some(&name), "{what}");
                count += 1;
            }
        }
        count
    });
    let said = std::fs::read_to_string(log.path()).unwrap();
    if let Err(status) = &started {
        assert_eq!(status.code(), Some(1), "{what}: {said}");
    }
    drop(started);
    assert!(!said.contains("panicked at"), "{what}: {said}");
    (found, said)
}

fn check(directory: &Path) -> Output {
    Command::new(program())
        .arg("check")
        .arg(directory)
        .output()
        .unwrap()
}

/// The files below a directory with their contents, to find a change.
fn picture(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    files(directory, &mut found);
    found.sort();
    let read = |path: PathBuf| std::fs::read(&path).map(|bytes| (path, bytes)).unwrap();
    found.into_iter().map(read).collect()
}

/// Damages one file, checks the directory and starts the program on it.
fn try_harm(whole: &Path, name: &Path, harm: Harm, all: &Records, dice: &mut Dice) {
    let what = format!("{harm:?} of {}", name.display());
    let home = copied(whole);
    if !harm.inflict(&home.path().join(name), dice) {
        return;
    }
    let before = picture(home.path());
    let checked = check(home.path());
    assert!(picture(home.path()) == before, "{what}: a check wrote");
    let report = [checked.stdout, checked.stderr].concat();
    let report = String::from_utf8_lossy(&report).into_owned();
    let (found, log) = served(home.path(), all, &what);
    let is_whole = found == Some(all.len());
    match checked.status.code() {
        Some(0) => assert!(
            is_whole,
            "{what}: {found:?} of {}: {report}{log}",
            all.len()
        ),
        Some(1) => {
            assert!(
                report.contains("DAMAGED ") || report.contains("is damaged"),
                "{what}: {report}"
            );
            let news = ["damaged", "lacks", "is missing"];
            let is_news = news.iter().any(|word| log.contains(word));
            assert!(is_whole || is_news, "{what}: {found:?}: {log}");
        }
        status => panic!("{what}: status {status:?}: {report}"),
    }
}

#[test]
fn damage_to_any_file_ends_in_a_message_and_the_rest_is_served() {
    let seed = std::env::var("DAMAGE_SEED").map_or(1, |seed| seed.parse().unwrap());
    let all_of_it = std::env::var_os("DAMAGE_ALL").is_some();
    let mut dice = Dice(seed);
    let (home, all) = written();
    let mut found = Vec::new();
    files(home.path(), &mut found);
    found.sort();
    assert!(found.len() > 12, "{found:?}");
    let start = usize::try_from(seed % 7).unwrap();
    for (path, turn) in found.iter().zip(start..) {
        let name = path.strip_prefix(home.path()).unwrap();
        for (harm, at) in HARMS.iter().zip(0..) {
            if all_of_it || at == turn % HARMS.len() {
                try_harm(home.path(), name, *harm, &all, &mut dice);
            }
        }
    }
}

/// The second run on the directory inserts the values of the first write-ahead log into sled, and
/// creates a write-ahead log with the newest commits. If sled's own log is then damaged, older
/// commits are missing.
#[test]
fn commits_that_are_missing_below_the_newest_ones_are_noticed() {
    let (home, all) = written();
    let mut found = Vec::new();
    files(&home.path().join("gen-000000"), &mut found);
    assert!(found.iter().any(|path| path.ends_with("wal")), "{found:?}");
    found.retain(|path| path.to_string_lossy().contains("/metadata/log_"));
    assert!(!found.is_empty());
    for path in found {
        let name = path.strip_prefix(home.path()).unwrap();
        for harm in [Harm::Zeros, Harm::Cut, Harm::Flip] {
            try_harm(home.path(), name, harm, &all, &mut Dice(1));
        }
    }
}

#[test]
fn a_folder_in_place_of_a_file_is_damage() {
    let (home, all) = written();
    for name in ["lock", "version", "marks"] {
        let harmed = copied(home.path());
        let path = harmed.path().join(name);
        assert!(Harm::Folder.inflict(&path, &mut Dice(1)));
        let checked = check(harmed.path());
        assert_eq!(checked.status.code(), Some(1), "{name}: {checked:?}");
        let (found, log) = served(harmed.path(), &all, name);
        assert_eq!(found, None);
        assert!(log.contains("it is a folder"), "{name}: {log}");
    }
}

#[test]
fn a_directory_of_another_version_is_left_alone() {
    let (home, _) = written();
    for version in ["minikin data 1\n", "minikin data 4\n"] {
        std::fs::write(home.path().join("version"), version).unwrap();
        let before = picture(home.path());
        let (found, said) = served(home.path(), &Records::new(), version);
        assert_eq!(found, None);
        assert!(said.contains("another version"), "{said}");
        let checked = check(home.path());
        assert_eq!(checked.status.code(), Some(2), "{checked:?}");
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert!(said.contains("another version"), "{said}");
        assert!(picture(home.path()) == before);
    }
}

#[test]
fn a_directory_of_the_version_before_is_taken_over() {
    let (home, all) = written();
    let version = home.path().join("version");
    let ours = std::fs::read_to_string(&version).unwrap();
    std::fs::write(&version, "minikin data 2\n").unwrap();
    let (found, _) = served(home.path(), &all, "the version before");
    assert_eq!(found, Some(all.len()));
    assert_eq!(std::fs::read_to_string(&version).unwrap(), ours);
}

/// Makes a user the owner of every file below a path.
fn give(path: &Path, user: u32) {
    std::os::unix::fs::chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), user);
        }
    }
}

#[test]
fn permission_that_is_missing_is_named_and_costs_nothing() {
    const OTHER_USER: u32 = 65_534;
    let (home, all) = written();
    let place = tempfile::tempdir().unwrap();
    let own = place.path().join("minikin");
    std::fs::copy(program(), &own).unwrap();
    let open_up = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    open_up(place.path(), 0o755);
    let is_root = home.path().metadata().unwrap().uid() == 0;
    if is_root {
        // The superuser may read every file, so another user runs the program.
        give(home.path(), OTHER_USER);
    }
    let command = |arguments: &[&str]| {
        let mut command = Command::new(if is_root { Path::new("setpriv") } else { &own });
        if is_root {
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
            command.arg(&own);
        }
        command.args(arguments);
        command
    };
    if let Err(error) = command(&["--version"]).output() {
        return eprintln!("SKIPPED: permission: setpriv: {error}");
    }
    let directory = home.path().to_str().unwrap();
    let start = || {
        let log = tempfile::NamedTempFile::new().unwrap();
        let options = ["--port", "0", "--profile", "fast", "--data-dir", directory];
        let started = Server::try_start(command(&options), log.path());
        (started, std::fs::read_to_string(log.path()).unwrap())
    };
    let slab = std::fs::read_dir(home.path().join("gen-000000/slabs")).unwrap();
    let slab = slab.map(|entry| entry.unwrap().path()).next().unwrap();
    for closed in [home.path().join("meta"), slab, home.path().join("version")] {
        let mode = closed.metadata().unwrap().mode();
        open_up(&closed, 0);
        let (started, said) = start();
        assert!(started.is_err(), "{}: {said}", closed.display());
        assert!(said.contains("ermission denied"), "{said}");
        assert!(!said.contains("panicked at"), "{said}");
        let checked = command(&["check", directory]).output().unwrap();
        assert_eq!(checked.status.code(), Some(2), "{checked:?}");
        open_up(&closed, mode);
    }
    let (started, said) = start();
    drop(started.unwrap_or_else(|_| panic!("{said}")));
    if is_root {
        give(home.path(), 0);
    }
    assert_eq!(
        served(home.path(), &all, "permission given back").0,
        Some(all.len())
    );
}

#[test]
fn a_directory_that_cannot_be_checked_has_its_own_exit_status() {
    let home = tempfile::tempdir().unwrap();
    let status = |path: &Path| {
        let checked = check(path);
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        (checked.status.code(), said)
    };
    let (code, said) = status(&home.path().join("none"));
    assert!(code == Some(2) && said.contains("does not exist"), "{said}");
    let (code, said) = status(home.path());
    let strange = said.contains("not a data directory");
    assert!(code == Some(2) && strange, "{said}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    let server = Server::start(home.path());
    let (code, said) = status(home.path());
    assert!(code == Some(2) && said.contains("in use"), "{said}");
    let (second, said) = served(home.path(), &Records::new(), "a second process");
    assert_eq!(second, None);
    assert!(said.contains("in use by another process"), "{said}");
    let list = Client::new(server.address)
        .unwrap()
        .call("ListStreams", &json!({}));
    assert_eq!(
        list.map(|list| list["StreamNames"].clone()),
        Some(Value::Array(Vec::new()))
    );
    server.kill().wait().unwrap();
    assert_eq!(status(home.path()).0, Some(0));
}
