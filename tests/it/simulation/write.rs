//! Steps that write records.

use super::Simulation;
use super::oracle::Record;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

impl Simulation {
    pub(super) async fn write(&mut self) {
        let name = self.name();
        let single = self.chance.below(3) == 0;
        let count = if single { 1 } else { 1 + self.chance.below(8) };
        let mut entries = Vec::new();
        let mut records = Vec::new();
        for _ in 0..count {
            self.written += 1;
            let (key, data) = (
                format!("key {}", self.chance.below(9)),
                self.written.to_string(),
            );
            let hash_key = self.chance.key();
            entries.push(json!({
                "PartitionKey": key, "Data": STANDARD.encode(&data),
                "ExplicitHashKey": hash_key.to_string(),
            }));
            records.push((hash_key, key, data));
        }
        let foretold = self.oracle.route(name, 0).map(|_| ());
        let (operation, body) = if single {
            let mut body = entries.remove(0);
            body["StreamName"] = name.into();
            ("PutRecord", body)
        } else {
            (
                "PutRecords",
                json!({"StreamName": name, "Records": entries}),
            )
        };
        let Some(told) = self.call(operation, body, foretold).await else {
            return;
        };
        let encrypted = self.oracle.streams[name].key.is_some();
        assert_eq!(is_encrypted(&told), encrypted, "{}", self.story());
        let placed = if single {
            vec![told]
        } else {
            assert_eq!(told["FailedRecordCount"], 0);
            told["Records"].as_array().unwrap().clone()
        };
        assert_eq!(placed.len(), count);
        for ((hash_key, key, data), placed) in records.into_iter().zip(placed) {
            self.keep(name, hash_key, (key, data), &placed);
        }
    }

    fn keep(&mut self, name: &str, hash_key: u128, (key, data): (String, String), placed: &Value) {
        let shard = self.oracle.route(name, hash_key).unwrap();
        assert_eq!(
            placed["ShardId"],
            format!("shardId-{shard:012}"),
            "{}",
            self.story()
        );
        let arrival_ms = self.oracle.now_ms;
        let number = placed["SequenceNumber"].as_str().unwrap().to_owned();
        let stream = self.oracle.streams.get_mut(name).unwrap();
        let (encrypted, records) = (stream.key.is_some(), &mut stream.shards[shard].records);
        assert!(
            records.last().is_none_or(|last| last.number < number),
            "numbers grow"
        );
        records.push(Record {
            key,
            data,
            number,
            arrival_ms,
            encrypted,
        });
    }
}

/// What an answer or a record says of encryption: nothing, unless there is some.
pub(super) fn is_encrypted(told: &Value) -> bool {
    let kind = told.get("EncryptionType");
    assert!(kind.is_none_or(|kind| kind == "KMS"), "{told}");
    kind.is_some()
}
