//! What was acknowledged survives SIGKILL: the real program, killed at random moments under full
//! load and started again on the same directory. `tests/long/kill` does the same fifty times.

use serde_json::{Value, json};
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hasher};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

const WRITERS: u64 = 8;
const BATCH: u64 = 25;
const SHARDS: usize = 4;

/// A record's writer and its number there.
type Name = (u64, u64);
/// A shard and a sequence number in it.
type Place = (String, String);

/// The program, killed when this is dropped.
struct Server {
    /// Until it is killed.
    child: Option<Child>,
    address: SocketAddr,
}

impl Server {
    fn spawn(directory: &Path) -> Child {
        Command::new(env!("CARGO_BIN_EXE_minikin"))
            .args(["--port", "0", "--profile", "fast", "--memory", "4MiB"])
            .args(["--durability", "always", "--data-dir"])
            .arg(directory)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn start(directory: &Path) -> Self {
        let mut child = Self::spawn(directory);
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut address = None;
        for line in stdout.lines() {
            let line = line.unwrap();
            if let Some(found) = line.strip_prefix("Listening on ") {
                address = address.or(found.parse().ok());
            }
            if line == "Ready." {
                break;
            }
        }
        let address = address.expect("the program starts");
        Self {
            child: Some(child),
            address,
        }
    }

    /// SIGKILL. The dead process is left unreaped on purpose: whoever starts the next one in a
    /// script does not wait either.
    fn kill(mut self) -> Child {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may be dead already.
            let _dead = child.kill().and_then(|()| child.wait());
        }
    }
}

/// One connection.
struct Client(BufReader<TcpStream>);

impl Client {
    fn new(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_nodelay(true).ok()?;
        Some(Self(BufReader::new(stream)))
    }

    /// An answer, or nothing when the server is gone.
    fn call(&mut self, operation: &str, input: &Value) -> Option<Value> {
        let body = input.to_string();
        let request = format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-amz-json-1.1\r\n\
             x-amz-target: Kinesis_20131202.{operation}\r\nx-amz-date: 20260101T000000Z\r\n\
             authorization: AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/kinesis/aws4_request, \
             SignedHeaders=host, Signature=00\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.get_mut().write_all(request.as_bytes()).ok()?;
        let mut line = String::new();
        self.0.read_line(&mut line).ok()?;
        let status = line.split(' ').nth(1)?.to_owned();
        let mut length = 0;
        loop {
            line.clear();
            self.0.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).ok()?;
        let answer = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(status, "200", "{operation}: {answer}");
        Some(serde_json::from_str(&answer).unwrap_or(Value::Null))
    }
}

/// Numbers that need not be secret (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// The letters are base64 of something whatever they are, as long as there are fours of them.
fn data((writer, number): Name, filler: u64) -> String {
    let name = format!("W{writer:03}N{number:011}");
    name + &"minikin0".repeat(usize::try_from(filler).unwrap())
}

fn name(data: &str) -> Name {
    (data[1..4].parse().unwrap(), data[5..16].parse().unwrap())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Writes until the server goes away and reports what was acknowledged, and at the end the next
/// number. Odd writers put batches.
fn write(
    address: SocketAddr,
    writer: u64,
    mut number: u64,
    seed: u64,
    acknowledged: &Sender<(Name, Place)>,
) -> u64 {
    let mut dice = Dice(seed);
    let Some(mut client) = Client::new(address) else {
        return number;
    };
    loop {
        let count = if writer % 2 == 1 { BATCH } else { 1 };
        let names: Vec<Name> = (number..number + count).map(|at| (writer, at)).collect();
        number += count;
        let mut records = names.iter().map(|name| {
            let filler = dice.below(400);
            let key = format!("{writer}-{}", name.1 % 7);
            json!({"Data": data(*name, filler), "PartitionKey": key})
        });
        let answers = if count == 1 {
            let mut record = records.next().unwrap();
            record["StreamName"] = json!("s");
            client.call("PutRecord", &record).map(|answer| vec![answer])
        } else {
            let input = json!({"StreamName": "s", "Records": records.collect::<Vec<_>>()});
            let answer = client.call("PutRecords", &input);
            answer.map(|answer| answer["Records"].as_array().unwrap().clone())
        };
        let Some(answers) = answers else {
            return number;
        };
        for (name, answer) in names.into_iter().zip(answers) {
            let place = (text(&answer["ShardId"]), text(&answer["SequenceNumber"]));
            if acknowledged.send((name, place)).is_err() {
                return number;
            }
        }
    }
}

/// Reads a shard from `after` on until it is at its end or the server is gone.
fn read(client: &mut Client, shard: &str, after: Option<&str>) -> Option<Vec<(String, Name)>> {
    let mut input = json!({"StreamName": "s", "ShardId": shard});
    match after {
        None => input["ShardIteratorType"] = json!("TRIM_HORIZON"),
        Some(after) => {
            input["ShardIteratorType"] = json!("AFTER_SEQUENCE_NUMBER");
            input["StartingSequenceNumber"] = json!(after);
        }
    }
    let mut iterator = client.call("GetShardIterator", &input)?["ShardIterator"].clone();
    let mut all = Vec::new();
    loop {
        let answer = client.call("GetRecords", &json!({"ShardIterator": iterator}))?;
        let records = answer["Records"].as_array().unwrap();
        all.extend(records.iter().map(|record| {
            let name = name(record["Data"].as_str().unwrap());
            (text(&record["SequenceNumber"]), name)
        }));
        if records.is_empty() && answer["MillisBehindLatest"] == 0 {
            return Some(all);
        }
        iterator = answer["NextShardIterator"].clone();
    }
}

fn shard(number: usize) -> String {
    format!("shardId-{number:012}")
}

/// Follows all shards until the server goes away; whatever it has seen has to stay.
fn follow(address: SocketAddr, mut ends: Vec<Option<String>>) -> Vec<(Name, Place)> {
    let mut seen = Vec::new();
    let Some(mut client) = Client::new(address) else {
        return seen;
    };
    loop {
        for (number, end) in ends.iter_mut().enumerate() {
            let shard = shard(number);
            let Some(records) = read(&mut client, &shard, end.as_deref()) else {
                return seen;
            };
            for (sequence, name) in records {
                *end = Some(sequence.clone());
                seen.push((name, (shard.clone(), sequence)));
            }
        }
    }
}

/// What has to be in the directory.
#[derive(Default)]
struct Expected {
    records: HashMap<Name, Place>,
    /// The last sequence number ever seen in each shard.
    ends: Vec<Option<String>>,
}

impl Expected {
    fn add(&mut self, (name, place): (Name, Place)) {
        let before = self.records.insert(name, place.clone());
        assert!(
            before.is_none_or(|before| before == place),
            "{name:?} moved to {place:?}"
        );
    }

    /// Reads everything back and compares. Records that nobody was told of may be there, once.
    fn check(&mut self, server: &Server) {
        let mut client = Client::new(server.address).unwrap();
        let mut found: HashMap<Name, Place> = HashMap::new();
        self.ends.clear();
        for number in 0..SHARDS {
            let shard = shard(number);
            let records = read(&mut client, &shard, None).expect("the server answers");
            assert!(
                records.is_sorted_by(|before, after| before.0 < after.0),
                "sequence numbers grow in {shard}"
            );
            let mut last = BTreeMap::new();
            for ((_, (writer, number)), at) in records.iter().zip(0..) {
                let before = last.insert(*writer, *number);
                assert!(
                    before < Some(*number),
                    "order of {writer} at {at} in {shard}"
                );
            }
            self.ends.push(records.last().map(|last| last.0.clone()));
            for (sequence, name) in records {
                let twice = found.insert(name, (shard.clone(), sequence));
                assert_eq!(twice, None, "{name:?} is there twice");
            }
        }
        for (name, place) in &self.records {
            assert_eq!(found.get(name), Some(place), "{name:?} was acknowledged");
        }
        // What was found once has to be found for ever, and no other record at its place.
        for record in found {
            self.add(record);
        }
    }
}

/// Takes acknowledgements until there are so many, and says whether there were.
fn take(acknowledged: &Receiver<(Name, Place)>, count: u64, expected: &mut Expected) -> bool {
    for _ in 0..count {
        let Ok(record) = acknowledged.recv() else {
            return false;
        };
        expected.add(record);
    }
    true
}

/// One life: writes until so many records are acknowledged, then dies.
fn live(server: Server, count: u64, numbers: &mut [u64], dice: &mut Dice, expected: &mut Expected) {
    let (sender, acknowledged) = channel();
    let address = server.address;
    let ends = expected.ends.clone();
    std::thread::scope(|scope| {
        let follower = scope.spawn(move || follow(address, ends));
        let writers: Vec<_> = (0..)
            .zip(numbers.iter())
            .map(|(writer, number)| {
                let (sender, seed, number) = (sender.clone(), dice.below(u64::MAX), *number);
                scope.spawn(move || write(address, writer, number, seed, &sender))
            })
            .collect();
        drop(sender);
        assert!(take(&acknowledged, count, expected), "the server lives");
        let mut dead = server.kill();
        // What was acknowledged between the decision and the kill counts like the rest.
        take(&acknowledged, u64::MAX, expected);
        for (number, writer) in numbers.iter_mut().zip(writers) {
            *number = writer.join().unwrap();
        }
        for record in follower.join().unwrap() {
            expected.add(record);
        }
        // The next process is started before this one is reaped.
        std::thread::spawn(move || dead.wait());
    });
}

#[test]
fn what_was_acknowledged_survives_kills() {
    let setting = |name, otherwise| {
        let value = std::env::var(name).ok();
        value.map_or(otherwise, |value| value.parse().unwrap())
    };
    let (kills, most) = (setting("KILLS", 5), setting("KILL_RECORDS", 3000));
    let seed = setting("KILL_SEED", RandomState::new().build_hasher().finish());
    eprintln!("KILL_SEED={seed}");
    let mut dice = Dice(seed);
    let home = tempfile::tempdir().unwrap();
    let mut expected = Expected::default();
    let mut numbers = vec![0; usize::try_from(WRITERS).unwrap()];
    let server = Server::start(home.path());
    let create = json!({"StreamName": "s", "ShardCount": SHARDS});
    let mut client = Client::new(server.address).unwrap();
    client.call("CreateStream", &create).unwrap();
    expected.check(&server);
    let mut server = Some(server);
    for kill in 1..=kills {
        let count = 1 + dice.below(most);
        live(
            server.take().unwrap(),
            count,
            &mut numbers,
            &mut dice,
            &mut expected,
        );
        if dice.below(4) == 0 {
            // Killed while it starts, too.
            let mut child = Server::spawn(home.path());
            for _ in 0..dice.below(20_000) {
                std::thread::yield_now();
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let next = Server::start(home.path());
        expected.check(&next);
        let records = expected.records.len();
        eprintln!("kill {kill}: {records} records are as they were");
        server = Some(next);
    }
    let mut last = server.unwrap().kill();
    last.wait().unwrap();
}
