//! Steps that write records.

use super::Simulation;
use super::oracle::{Foretold, Record};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Maximum number of records in concurrent requests.
const TOGETHER: usize = 24;

/// A request that puts records, with the shards that the oracle predicts.
#[derive(Debug)]
pub(super) struct Offer {
    stream: &'static str,
    pub(super) operation: &'static str,
    pub(super) body: Value,
    records: Vec<Offered>,
    foretold: Foretold,
}

/// A record that a request puts.
#[derive(Debug, Clone)]
pub(super) struct Offered {
    pub(super) stream: &'static str,
    hash_key: u128,
    key: String,
    pub(super) data: String,
    encrypted: bool,
}

impl Simulation {
    pub(super) async fn write(&mut self) {
        let offer = self.offer();
        let answer = self.ask(offer.operation, offer.body.clone()).await;
        self.take(offer, answer);
    }

    /// Sends several requests at the same time.
    pub(super) async fn write_together(&mut self) {
        let [one, two, three] = [(); 3].map(|()| self.offer());
        let answers = tokio::join!(
            self.ask(one.operation, one.body.clone()),
            self.ask(two.operation, two.body.clone()),
            self.ask(three.operation, three.body.clone()),
        );
        for (offer, answer) in [(one, answers.0), (two, answers.1), (three, answers.2)] {
            self.take(offer, answer);
        }
    }

    pub(super) fn offer(&mut self) -> Offer {
        let name = self.name();
        let single = self.chance.below(3) == 0;
        let count = if single { 1 } else { 1 + self.chance.below(8) };
        let mut entries = Vec::new();
        let mut records = Vec::new();
        let encrypted = self
            .oracle
            .streams
            .get(name)
            .is_some_and(|of| of.key.is_some());
        for _ in 0..count {
            self.written += 1;
            let key = format!("key {}", self.chance.below(9));
            // Some records are longer, so that they fill segments and generations.
            let length = if self.chance.below(4) == 0 { 300 } else { 0 };
            let data = format!("{:<length$}", self.written);
            let hash_key = self.chance.key();
            entries.push(json!({
                "PartitionKey": key, "Data": STANDARD.encode(&data),
                "ExplicitHashKey": hash_key.to_string(),
            }));
            records.push(Offered {
                stream: name,
                hash_key,
                key,
                data,
                encrypted,
            });
        }
        let (operation, body) = if single {
            let mut body = entries.remove(0);
            body["StreamName"] = name.into();
            ("PutRecord", body)
        } else {
            let body = json!({"StreamName": name, "Records": entries});
            ("PutRecords", body)
        };
        Offer {
            stream: name,
            operation,
            body,
            records,
            foretold: self.oracle.route(name, 0).map(|_| ()),
        }
    }

    /// Notes the result of a request that puts records.
    pub(super) fn take(&mut self, offer: Offer, answer: Result<Value, String>) {
        let outcome = answer.as_ref().map(|_| ()).map_err(String::as_str);
        let count = offer.records.len();
        let line = format!(
            "{} of {count} to {}: {outcome:?}",
            offer.operation, offer.stream
        );
        self.trace.push(line);
        if self.trouble && outcome == Err("InternalFailure") {
            self.failed = true;
            self.in_doubt.extend(offer.records);
            return;
        }
        assert_eq!(
            outcome,
            offer.foretold,
            "{:?}\n{}",
            offer.body,
            self.story()
        );
        let Ok(answer) = answer else { return };
        let encrypted = self.oracle.streams[offer.stream].key.is_some();
        assert_eq!(is_encrypted(&answer), encrypted, "{}", self.story());
        let placed = match answer.get("Records") {
            None => vec![answer.clone()],
            Some(placed) => placed.as_array().unwrap().clone(),
        };
        let refused = |placed: &&Value| placed.get("ErrorCode").is_some();
        if let Some(failed) = answer.get("FailedRecordCount") {
            assert_eq!(*failed, placed.iter().filter(refused).count());
        }
        assert_eq!(placed.len(), count);
        for (record, placed) in offer.records.into_iter().zip(placed) {
            if refused(&&placed) {
                let internal = placed["ErrorCode"] == "InternalFailure";
                assert!(self.trouble && internal, "{placed}\n{}", self.story());
                self.failed = true;
                self.in_doubt.push(record);
            } else {
                self.keep(record, &placed);
            }
        }
    }

    fn keep(&mut self, record: Offered, placed: &Value) {
        let arrival_ms = self.oracle.now_ms;
        let shard: usize = placed["ShardId"].as_str().unwrap()["shardId-".len()..]
            .parse()
            .unwrap();
        let number = placed["SequenceNumber"].as_str().unwrap();
        assert!(self.may_hold(&record, shard), "{placed}\n{}", self.story());
        let stream = self.oracle.streams.get_mut(record.stream).unwrap();
        let records = &mut stream.shards[shard].records;
        // Any of several concurrent requests may have been appended first.
        let place = records.partition_point(|record| index_of(&record.number) < index_of(number));
        let taken = records
            .get(place)
            .is_some_and(|record| record.number == number);
        assert!(!taken && place + TOGETHER > records.len(), "numbers grow");
        records.insert(place, record.numbered(number, arrival_ms));
    }

    /// True if a record may go to this shard now.
    pub(super) fn may_hold(&self, record: &Offered, shard: usize) -> bool {
        match self.oracle.streams.get(record.stream) {
            Some(stream) if stream.auto => stream.open().contains(&shard),
            _ => self.oracle.route(record.stream, record.hash_key) == Ok(shard),
        }
    }
}

impl Offered {
    pub(super) fn numbered(&self, number: &str, arrival_ms: u64) -> Record {
        Record {
            key: self.key.clone(),
            data: self.data.clone(),
            number: number.to_owned(),
            arrival_ms,
            encrypted: self.encrypted,
        }
    }
}

/// A sort key for the sequence numbers of one shard: the length of the number, and its text.
pub(super) fn index_of(number: &str) -> (usize, String) {
    (number.len(), number.to_owned())
}

/// True if an answer or a record says that it is encrypted.
pub(super) fn is_encrypted(item: &Value) -> bool {
    let kind = item.get("EncryptionType");
    assert!(kind.is_none_or(|kind| kind == "KMS"), "{item}");
    kind.is_some()
}
