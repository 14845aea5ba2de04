//! Writers, a follower, and the records that must exist afterwards.

use super::program::{Client, DISK_LIMIT, Server};
use crate::lab::Rounds;
use minikin::internals::world::RealDeadline;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

const WRITERS: u64 = 8;
const BATCH: u64 = 25;
pub(crate) const SHARDS: usize = 4;

/// The writer of a record, and the record's number at that writer.
pub(crate) type Name = (u64, u64);
/// A shard, and a sequence number in the shard.
pub(crate) type Place = (String, String);

/// A generator of random numbers that need not be secret (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// The data of a record in base64. Any letters are valid base64 if their number is a multiple of
/// four.
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

/// Writes until the server ends, and reports the acknowledged records. Returns the number of the
/// next record. Odd writers put batches.
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
            if answer["ErrorCode"] == "InternalFailure" {
                // The disk of the server has no power.
                return number;
            }
            let place = (text(&answer["ShardId"]), text(&answer["SequenceNumber"]));
            if acknowledged.send((name, place)).is_err() {
                return number;
            }
        }
    }
}

/// Reads a shard from `after` on, until the end of the shard or the end of the server.
pub(crate) fn read(
    client: &mut Client,
    shard: &str,
    after: Option<&str>,
) -> Option<Vec<(String, Name)>> {
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
    let mut rounds = Rounds::of(100_000, "the end of a shard");
    loop {
        rounds.next();
        let answer = client.call("GetRecords", &json!({"ShardIterator": iterator}))?;
        let records = answer["Records"].as_array().unwrap();
        all.extend(records.iter().map(|record| {
            let name = name(record["Data"].as_str().unwrap());
            (text(&record["SequenceNumber"]), name)
        }));
        let next = &answer["NextShardIterator"];
        let at_tip = records.is_empty() && answer["MillisBehindLatest"] == 0;
        if at_tip || next.is_null() {
            return Some(all);
        }
        iterator = next.clone();
    }
}

pub(crate) fn shard(number: usize) -> String {
    format!("shardId-{number:012}")
}

/// Follows all shards until the server ends or every writer has ended. Every record that was seen
/// must stay.
fn follow(
    address: SocketAddr,
    mut ends: Vec<Option<String>>,
    over: &AtomicBool,
) -> Vec<(Name, Place)> {
    let mut seen = Vec::new();
    let Some(mut client) = Client::new(address) else {
        return seen;
    };
    while !over.load(Ordering::Relaxed) {
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
    seen
}

/// The records that must be in the directory.
#[derive(Default)]
pub(crate) struct Expected {
    pub(crate) records: HashMap<Name, Place>,
    /// The greatest sequence number that was ever seen in each shard.
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

    /// Reads all records and compares them with the expected records. A record that was not
    /// acknowledged may exist, but only once.
    pub(crate) fn check(&mut self, server: &Server) {
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
        // A record that was found once must be found at every later check, and no other record may
        // have its place.
        for record in found {
            self.add(record);
        }
    }
}

/// Receives `count` acknowledgements.
fn take(acknowledged: &Receiver<(Name, Place)>, count: u64, expected: &mut Expected) {
    for _ in 0..count {
        let record = acknowledged.recv_timeout(DISK_LIMIT);
        expected.add(record.expect("the server lives and acknowledges"));
    }
}

/// Receives all remaining acknowledgements, until every writer has ended.
fn take_rest(acknowledged: &Receiver<(Name, Place)>, expected: &mut Expected) {
    let deadline = RealDeadline::lasting(DISK_LIMIT);
    // Each writer notices the end of the server in its next call, which has a time limit.
    for record in acknowledged {
        expected.add(record);
        assert!(
            !deadline.is_over(),
            "waited {DISK_LIMIT:?} in vain for the end of the writers"
        );
    }
}

/// A stream with writers, over many runs of the program.
pub(crate) struct Story {
    pub(crate) dice: Dice,
    numbers: Vec<u64>,
    pub(crate) expected: Expected,
}

impl Story {
    /// Creates the stream.
    pub(crate) fn begin(server: &Server, seed: u64) -> Self {
        let mut client = Client::new(server.address).unwrap();
        let create = json!({"StreamName": "s", "ShardCount": SHARDS});
        client.call("CreateStream", &create).unwrap();
        let mut story = Self {
            dice: Dice(seed),
            numbers: vec![0; usize::try_from(WRITERS).unwrap()],
            expected: Expected::default(),
        };
        story.expected.check(server);
        story
    }

    /// Runs one server. Writes until `count` records are acknowledged, and then `end` ends the
    /// server.
    pub(crate) fn live<T>(
        &mut self,
        server: Server,
        count: u64,
        end: impl FnOnce(Server) -> T,
    ) -> T {
        let address = server.address;
        let ends = self.expected.ends.clone();
        let (dice, expected) = (&mut self.dice, &mut self.expected);
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            // If a check fails, the writers end because this receiver is dropped, and the follower
            // ends because the server is dropped.
            let (sender, acknowledged) = channel();
            let follower = scope.spawn(|| follow(address, ends, &over));
            let writers: Vec<_> = (0..)
                .zip(self.numbers.iter())
                .map(|(writer, number)| {
                    let (sender, seed, number) = (sender.clone(), dice.below(u64::MAX), *number);
                    scope.spawn(move || write(address, writer, number, seed, &sender))
                })
                .collect();
            drop(sender);
            take(&acknowledged, count, expected);
            let ended = end(server);
            // Writes that were acknowledged after the decision to end the server count, too.
            take_rest(&acknowledged, expected);
            for (number, writer) in self.numbers.iter_mut().zip(writers) {
                *number = writer.join().unwrap();
            }
            over.store(true, Ordering::Relaxed);
            for record in follower.join().unwrap() {
                expected.add(record);
            }
            ended
        })
    }
}
