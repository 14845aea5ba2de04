//! Writers and consumers of a queue. Records their calls, to know which records must come and which
//! must not come again.

use super::load::Dice;
use super::program::{Client, Server};
use minikin::internals::lock::Lock;
use minikin::internals::world::Stopwatch;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

const WRITERS: u64 = 2;
const CONSUMERS: u64 = 4;
/// Number of records of one put.
const BATCH: u64 = 20;
/// Visibility timeout of a receive, in seconds.
const TIMEOUT_S: u64 = 2;
/// Longest wait for the remaining records.
const WAIT_LIMIT: Duration = Duration::from_secs(120);

/// A received record that was not acknowledged.
#[derive(Debug, Clone)]
struct Held {
    number: u64,
    handle: String,
}

/// The records of a queue, over many runs of the program.
#[derive(Default)]
struct Fates {
    /// Records whose put was answered.
    put: HashSet<u64>,
    /// Records whose acknowledgement was answered.
    acknowledged: HashSet<u64>,
    /// Records whose acknowledgement was not answered. They may come again or not.
    in_doubt: HashSet<u64>,
    /// Records that a consumer keeps in flight for an hour.
    held: Vec<Held>,
    /// Records for which the call that was to keep them in flight got no answer.
    perhaps_held: Vec<Held>,
}

/// A queue, over many runs of the program.
pub(crate) struct QueueStory {
    arn: String,
    pub(crate) dice: Dice,
    next: AtomicU64,
    fates: Lock<Fates>,
}

impl QueueStory {
    /// Creates the stream and the queue.
    pub(crate) fn begin(server: &Server, seed: u64) -> Self {
        let mut client = Client::new(server.address).unwrap();
        client
            .call("CreateStream", &json!({"StreamName": "s"}))
            .unwrap();
        let stream = json!({
            "StreamARN": crate::lab::arn_of("s"),
            "StartingPosition": {"Type": "TRIM_HORIZON"},
        });
        let queue = json!({"QueueName": "q", "StreamConfigurationList": [stream]});
        let created = client.call("CreateQueue", &queue).unwrap();
        let arn = created["QueueDescription"]["QueueARN"].as_str().unwrap();
        Self {
            arn: arn.to_owned(),
            dice: Dice(seed),
            next: AtomicU64::new(0),
            fates: Lock::new(Fates::default()),
        }
    }

    fn fates<T>(&self, look: impl FnOnce(&mut Fates) -> T) -> T {
        look(&mut self.fates.lock())
    }

    /// Number of acknowledged records.
    pub(crate) fn acknowledged(&self) -> usize {
        self.fates(|fates| fates.acknowledged.len())
    }

    /// Runs one server. Consumers work until `count` records are acknowledged, and then `end` ends
    /// the server.
    pub(crate) fn live<T>(
        &mut self,
        server: Server,
        count: u64,
        end: impl FnOnce(Server) -> T,
    ) -> T {
        let (sender, done) = channel();
        let address = server.address;
        let seeds: Vec<u64> = (0..CONSUMERS).map(|_| self.dice.below(u64::MAX)).collect();
        let story = &*self;
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| story.write(address));
            }
            for seed in seeds {
                let sender = sender.clone();
                scope.spawn(move || story.consume(address, Dice(seed), &sender));
            }
            drop(sender);
            let mut left = count;
            while left > 0 {
                let more = done.recv_timeout(WAIT_LIMIT).expect("the consumers work");
                left = left.saturating_sub(more);
            }
            end(server)
        })
    }

    fn write(&self, address: SocketAddr) {
        let Some(mut client) = Client::new(address) else {
            return;
        };
        loop {
            let first = self.next.fetch_add(BATCH, Ordering::Relaxed);
            let record = |number: u64| json!({"PartitionKey": number.to_string(), "Data": format!("{number:012}")});
            let records: Vec<Value> = (first..first + BATCH).map(record).collect();
            let body = json!({"StreamName": "s", "Records": records});
            let Some(answer) = client.call("PutRecords", &body) else {
                return;
            };
            let answers = answer["Records"].as_array().unwrap().iter();
            let stored = answers.zip(first..).filter_map(|(answer, number)| {
                answer["SequenceNumber"].is_string().then_some(number)
            });
            self.fates(|fates| fates.put.extend(stored));
            // Writers wait if they are too far ahead of the consumers.
            while self.fates(|fates| fates.put.len() > fates.acknowledged.len() + 2_000) {
                if client.call("DescribeLimits", &json!({})).is_none() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    fn consume(&self, address: SocketAddr, mut dice: Dice, done: &Sender<u64>) {
        let Some(mut client) = Client::new(address) else {
            return;
        };
        while let Some(received) = self.receive(&mut client, TIMEOUT_S) {
            let (hold, settle): (Vec<Held>, Vec<Held>) =
                received.into_iter().partition(|_| dice.below(10) == 0);
            let count = self.acknowledge(&mut client, settle);
            let (Some(count), Some(())) = (count, self.hold(&mut client, hold)) else {
                return;
            };
            if done.send(count).is_err() {
                return;
            }
        }
    }

    /// Receives records, and checks that none of them was acknowledged. Returns None if the server
    /// has ended.
    fn receive(&self, client: &mut Client, timeout_s: u64) -> Option<Vec<Held>> {
        let body = json!({
            "QueueARN": self.arn, "WaitTimeSeconds": 1, "VisibilityTimeoutSeconds": timeout_s,
        });
        let answer = client.call("ReceiveQueueRecords", &body)?;
        let records = answer["QueueRecords"].as_array().unwrap().iter();
        let received: Vec<Held> = records
            .map(|record| Held {
                number: record["Data"].as_str().unwrap().parse().unwrap(),
                handle: record["ReceiptHandle"].as_str().unwrap().to_owned(),
            })
            .collect();
        self.fates(|fates| {
            for held in &received {
                let number = held.number;
                let is_back = fates.acknowledged.contains(&number);
                assert!(!is_back, "{number} was acknowledged and comes again");
                let has_holder = fates.held.iter().any(|held| held.number == number);
                assert!(!has_holder, "{number} has two holders");
            }
        });
        Some(received)
    }

    /// Keeps records in flight for an hour. Returns None if the server has ended.
    fn hold(&self, client: &mut Client, records: Vec<Held>) -> Option<()> {
        if records.is_empty() {
            return Some(());
        }
        let entry =
            |held: &Held| json!({"ReceiptHandle": held.handle, "VisibilityTimeoutSeconds": 3_600});
        let entries: Vec<Value> = records.iter().map(entry).collect();
        let body = json!({"QueueARN": self.arn, "Entries": entries});
        let Some(answer) = client.call("UpdateQueueRecordsVisibility", &body) else {
            self.fates(|fates| fates.perhaps_held.extend(records));
            return None;
        };
        let held = records.into_iter().filter(|held| has(&answer, held));
        self.fates(|fates| fates.held.extend(held));
        Some(())
    }

    /// Acknowledges records. Returns the number of acknowledged records, or None if the server has
    /// ended.
    fn acknowledge(&self, client: &mut Client, records: Vec<Held>) -> Option<u64> {
        if records.is_empty() {
            return Some(0);
        }
        let entry = |held: &Held| json!({"ReceiptHandle": held.handle});
        let entries: Vec<Value> = records.iter().map(entry).collect();
        let body = json!({"QueueARN": self.arn, "Entries": entries});
        let answer = client.call("AcknowledgeQueueRecords", &body);
        let Some(answer) = answer else {
            let numbers = records.iter().map(|held| held.number);
            self.fates(|fates| fates.in_doubt.extend(numbers));
            return None;
        };
        let done = records.iter().filter(|held| has(&answer, held));
        let done: Vec<u64> = done.map(|held| held.number).collect();
        let count = done.len() as u64;
        self.fates(|fates| fates.acknowledged.extend(done));
        Some(count)
    }

    /// Acknowledges the records in flight after a kill. Their receipt handles must still be valid.
    pub(crate) fn settle_held(&self, server: &Server) {
        let mut client = Client::new(server.address).unwrap();
        let held = self.fates(|fates| std::mem::take(&mut fates.held));
        for some in held.chunks(10) {
            let count = self.acknowledge(&mut client, some.to_vec());
            assert_eq!(
                count,
                Some(some.len() as u64),
                "handles are as good as before"
            );
        }
        let perhaps = self.fates(|fates| std::mem::take(&mut fates.perhaps_held));
        for some in perhaps.chunks(10) {
            self.acknowledge(&mut client, some.to_vec()).unwrap();
        }
    }

    /// Checks that every record that was put and not acknowledged is received.
    pub(crate) fn drain(&self, server: &Server) {
        let mut client = Client::new(server.address).unwrap();
        let began = Stopwatch::start();
        let missing = || {
            self.fates(|fates| {
                let settled = fates.acknowledged.union(&fates.in_doubt).copied().collect();
                fates.put.difference(&settled).count()
            })
        };
        while missing() > 0 {
            assert!(
                began.elapsed() < WAIT_LIMIT,
                "{} records are lost",
                missing()
            );
            let received = self.receive(&mut client, 3_600).unwrap();
            self.acknowledge(&mut client, received).unwrap();
        }
    }
}

/// True if an answer lists the handle among the successful ones.
fn has(answer: &Value, held: &Held) -> bool {
    let mut successful = answer["Successful"].as_array().unwrap().iter();
    successful.any(|entry| entry["ReceiptHandle"] == held.handle)
}
