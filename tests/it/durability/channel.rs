//! A channel into a directory. The program is killed between the write of an object and the save of
//! the channel's positions.

use super::load::Dice;
use super::program::{Client, Server, serving_with};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minikin::internals::world::RealDeadline;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Longest wait for an object.
const WAIT_LIMIT: Duration = Duration::from_secs(60);
/// Maximum number of records of one put.
const BATCH: u64 = 20;

/// A channel, over many runs of the program.
pub(crate) struct ChannelStory {
    home: TempDir,
    buckets: TempDir,
    logs: TempDir,
    durability: &'static str,
    dice: Dice,
    put: u64,
    /// The acknowledged records. All of them must be delivered, unless durability is not promised.
    acknowledged: BTreeSet<String>,
    /// The records in the objects at the last read.
    pub(crate) delivered: BTreeSet<String>,
    /// Number of objects that were written again.
    repeated: usize,
    /// The newest objects at the last kill, with the numbers of their files.
    suspects: BTreeMap<PathBuf, u64>,
}

impl ChannelStory {
    /// Creates the stream and the channel.
    pub(crate) fn begin(durability: &'static str, seed: u64) -> Self {
        let [home, buckets, logs] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let mut story = Self {
            home,
            buckets,
            logs,
            durability,
            dice: Dice(seed),
            put: 0,
            acknowledged: BTreeSet::new(),
            delivered: BTreeSet::new(),
            repeated: 0,
            suspects: BTreeMap::new(),
        };
        let server = story.start();
        let mut client = Client::new(server.address).unwrap();
        client
            .call("CreateStream", &json!({"StreamName": "s"}))
            .unwrap();
        client
            .call("CreateChannel", &crate::channels::to_plain_bucket("n", "s"))
            .unwrap();
        // A write is on disk after 200 ms, or when the first object is written.
        story.put(&mut client);
        story.await_objects(BTreeMap::new());
        server.kill().wait().unwrap();
        story
    }

    fn start(&self) -> Server {
        let mut command = serving_with(self.durability, self.home.path());
        command.args(["--channels-flush-interval-ms", "1"]);
        command.arg("--channels-s3-local-dir");
        command.arg(self.buckets.path());
        Server::try_start(command, &self.logs.path().join("log")).expect("the program starts")
    }

    /// Puts records, and kills the program when an object appears, or a little later.
    pub(crate) fn live(&mut self) {
        let server = self.start();
        let mut client = Client::new(server.address).unwrap();
        for _ in 0..1 + self.dice.below(3) {
            let before = self.files();
            self.put(&mut client);
            self.await_objects(before);
        }
        let before = self.files();
        self.put(&mut client);
        let after = self.await_objects(before.clone());
        for _ in 0..self.dice.below(4) * self.dice.below(200) {
            std::hint::spin_loop();
        }
        server.kill().wait().unwrap();
        self.note_repetitions(&after);
        let is_new = |(path, _): &(PathBuf, u64)| !before.contains_key(path);
        self.suspects = after.into_iter().filter(is_new).collect();
    }

    /// Ends the test of the channel: waits until everything is delivered. Returns the number of
    /// objects that were written again.
    pub(crate) fn end(&mut self) -> usize {
        let server = self.start();
        let mut client = Client::new(server.address).unwrap();
        self.put(&mut client);
        let deadline = RealDeadline::lasting(WAIT_LIMIT);
        let newest = format!("{{\"number\":{}}}", self.put);
        loop {
            self.read();
            let is_whole = self.acknowledged.is_subset(&self.delivered);
            let is_lossy = self.durability == "none" && self.delivered.contains(&newest);
            if is_whole || is_lossy {
                break;
            }
            assert!(!deadline.is_over(), "some records are not delivered");
            std::thread::yield_now();
        }
        let files = self.files();
        self.note_repetitions(&files);
        server.kill().wait().unwrap();
        self.repeated
    }

    fn put(&mut self, client: &mut Client) {
        let numbers = self.put + 1..=self.put + 1 + self.dice.below(BATCH);
        self.put = *numbers.end();
        let texts: Vec<String> = numbers.map(|at| format!("{{\"number\":{at}}}")).collect();
        let record = |text: &String| json!({"PartitionKey": text, "Data": STANDARD.encode(text)});
        let records: Vec<_> = texts.iter().map(record).collect();
        let body = json!({"StreamName": "s", "Records": records});
        client.call("PutRecords", &body).unwrap();
        self.acknowledged.extend(texts);
    }

    /// Waits until an object exists that is not in `before`. Returns all objects.
    fn await_objects(&self, before: BTreeMap<PathBuf, u64>) -> BTreeMap<PathBuf, u64> {
        let deadline = RealDeadline::lasting(WAIT_LIMIT);
        loop {
            let now = self.files();
            if now.keys().any(|path| !before.contains_key(path)) {
                return now;
            }
            assert!(!deadline.is_over(), "no object appeared");
            std::thread::yield_now();
        }
    }

    /// Counts the objects that were written again since the last kill.
    fn note_repetitions(&mut self, now: &BTreeMap<PathBuf, u64>) {
        let suspects = std::mem::take(&mut self.suspects);
        let is_repeated = |(path, file): &(&PathBuf, &u64)| now.get(*path) != Some(*file);
        self.repeated += suspects.iter().filter(is_repeated).count();
    }

    /// Reads all objects. Checks that each record is in them once.
    fn read(&mut self) {
        self.delivered.clear();
        for path in self.files().keys() {
            let body = std::fs::read_to_string(path).unwrap();
            for line in body.lines() {
                let is_first = self.delivered.insert(line.to_owned());
                assert!(is_first, "{line} is in two objects, one is {path:?}");
            }
        }
    }

    /// The objects, each with the inode number of its file. Leaves out an object that is still
    /// being written.
    fn files(&self) -> BTreeMap<PathBuf, u64> {
        let mut found = BTreeMap::new();
        collect(self.buckets.path(), &mut found);
        found
    }
}

fn collect(folder: &Path, found: &mut BTreeMap<PathBuf, u64>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // A file that is being written may be gone by now.
        let is_object = !path.file_name().unwrap().to_str().unwrap().starts_with('.');
        match std::fs::metadata(&path) {
            Ok(data) if data.is_dir() => collect(&path, found),
            Ok(data) if is_object => drop(found.insert(path, data.ino())),
            _ => {}
        }
    }
}
