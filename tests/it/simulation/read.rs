//! Steps that read shards from a position on, and then their children.

use super::Simulation;
use super::oracle::Record;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Lifetime of an iterator.
const LIFE_MS: u64 = 300_000;

/// A reader of a shard.
#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) stream: &'static str,
    pub(super) shard: usize,
    /// Number of the shard's records before the position.
    position: usize,
    pub(super) iterator: String,
    issued_ms: u64,
}

/// The members that some types of positions need.
#[derive(Debug, Default)]
pub(super) struct Start {
    pub(super) time_s: Option<f64>,
    pub(super) number: Option<String>,
}

impl Simulation {
    pub(super) async fn follow(&mut self) {
        if self.cursors.is_empty() || self.chance.below(3) == 0 {
            self.begin_to_read().await;
        }
        for _ in 0..3.min(self.cursors.len()) {
            let at = self.chance.below(self.cursors.len());
            let cursor = self.cursors.swap_remove(at);
            self.go_on_reading(cursor).await;
            if self.cursors.is_empty() {
                return;
            }
        }
    }

    async fn begin_to_read(&mut self) {
        let name = self.name();
        if !matches!(self.oracle.state(name), Some("ACTIVE" | "UPDATING")) {
            return;
        }
        let shard = self.some_shard(name);
        let stream = &self.oracle.streams[name];
        if shard >= stream.shards.len() {
            return;
        }
        let (kind, position, start) = self.some_position(name, shard);
        let body = json!({
            "StreamName": name, "ShardId": shard.to_string(), "Timestamp": start.time_s,
            "StartingSequenceNumber": start.number,
        });
        self.open_cursor(name, shard, position, kind, body).await;
    }

    /// A position in a shard, with its type and its member.
    pub(super) fn some_position(&self, name: &str, shard: usize) -> (&'static str, usize, Start) {
        let mut start = Start::default();
        let shards = self.oracle.streams.get(name).map(|stream| &stream.shards);
        let Some(shard_there) = shards.and_then(|shards| shards.get(shard)) else {
            return ("TRIM_HORIZON", 0, start);
        };
        let records = &shard_there.records;
        let mut number = |kind, position, number: &str| {
            start.number = Some(number.to_owned());
            (kind, position, std::mem::take(&mut start))
        };
        match self.chance.below(5) {
            0 => ("LATEST", records.len(), start),
            1 => {
                let at_ms = self.oracle.now_ms - self.chance.below(7_200_000) as u64;
                start.time_s = Some(at_ms as f64 / 1000.0);
                let position = records.partition_point(|record| record.arrival_ms < at_ms);
                ("AT_TIMESTAMP", position, start)
            }
            2 if !records.is_empty() => {
                let at = self.chance.below(records.len());
                match self.chance.below(2) {
                    0 => number("AT_SEQUENCE_NUMBER", at, &records[at].number),
                    _ => number("AFTER_SEQUENCE_NUMBER", at + 1, &records[at].number),
                }
            }
            3 => {
                let mut marks = self.bookmarks.iter().rev();
                match marks.find(|mark| (mark.stream, mark.shard) == (name, shard)) {
                    Some(mark) => number("AFTER_SEQUENCE_NUMBER", mark.position, &mark.number),
                    None => ("LATEST", records.len(), start),
                }
            }
            _ => ("TRIM_HORIZON", 0, start),
        }
    }

    async fn open_cursor(
        &mut self,
        stream: &'static str,
        shard: usize,
        position: usize,
        kind: &str,
        mut body: Value,
    ) {
        body["ShardIteratorType"] = kind.into();
        let answer = self.ask("GetShardIterator", body).await;
        let answer = answer.unwrap_or_else(|refusal| panic!("{refusal}\n{}", self.story()));
        self.trace
            .push(format!("{kind} of {stream} {shard} is {position}"));
        self.cursors.push(Cursor {
            stream,
            shard,
            position,
            iterator: answer["ShardIterator"].as_str().unwrap().to_owned(),
            issued_ms: self.oracle.now_ms,
        });
    }

    async fn go_on_reading(&mut self, cursor: Cursor) {
        let Cursor {
            stream: name,
            shard,
            position,
            ..
        } = cursor;
        let limit = 1 + self.chance.below(6);
        let body = json!({"ShardIterator": cursor.iterator, "Limit": limit});
        let answer = self.ask("GetRecords", body).await;
        let place = format!("{name} {shard} from {position}");
        let now_ms = self.oracle.now_ms;
        if now_ms - cursor.issued_ms > LIFE_MS {
            assert_eq!(
                answer,
                Err("ExpiredIteratorException".to_owned()),
                "{}",
                self.story()
            );
            self.trace.push(format!("{place}: expired"));
            return;
        }
        let stream = &self.oracle.streams[name];
        if !stream.lists(shard, now_ms) {
            // Until the retention task removes the shard, the shard can be read, but has no
            // records.
            assert!(answer.is_err() || answer.unwrap()["Records"] == json!([]));
            return;
        }
        let answer =
            answer.unwrap_or_else(|refusal| panic!("{place}: {refusal}\n{}", self.story()));
        let left = stream.readable(shard, position, now_ms);
        let expected: Vec<Record> = left.iter().take(limit).cloned().collect();
        let got = records(&answer);
        // An answer may end at the boundary between disk and memory, but has at least one record.
        let short = got.len().max(1).min(expected.len());
        assert_eq!(got, expected[..short], "{place}\n{}", self.story());
        let all = stream.shards[shard].records.len();
        let next = all - left.len() + got.len();
        let behind_ms = got
            .last()
            .filter(|_| next < all)
            .map_or(stream.shards[shard].behind_at_end_ms(now_ms), |last| {
                (now_ms - last.arrival_ms).max(1)
            });
        assert_eq!(
            answer["MillisBehindLatest"],
            behind_ms,
            "{place}\n{}",
            self.story()
        );
        let data: Vec<_> = got.iter().map(|record| record.data.trim_end()).collect();
        self.trace.push(format!("{place}: {data:?}"));
        match answer.get("NextShardIterator") {
            Some(iterator) => {
                let iterator = iterator.as_str().unwrap().to_owned();
                // An empty answer keeps the position, or moves it behind expired records.
                let position = next;
                self.cursors.push(Cursor {
                    position,
                    iterator,
                    issued_ms: now_ms,
                    ..cursor
                });
                assert!(answer.get("ChildShards").is_none());
            }
            None => self.end_reading(name, shard, &answer).await,
        }
    }

    /// Ends the reading of a closed shard that was read to its end, and begins with its children.
    async fn end_reading(&mut self, name: &'static str, shard: usize, answer: &Value) {
        let stream = &self.oracle.streams[name];
        assert!(stream.shards[shard].closed_s.is_some(), "{}", self.story());
        assert_eq!(answer["Records"], json!([]));
        let children = stream.children(shard);
        let expected = self.child_shards(name, shard);
        assert_eq!(answer["ChildShards"], expected, "{}", self.story());
        if matches!(self.oracle.state(name), Some("ACTIVE" | "UPDATING")) {
            for child in children {
                let body = json!({"StreamName": name, "ShardId": child.to_string()});
                self.open_cursor(name, child, 0, "TRIM_HORIZON", body).await;
            }
        }
    }

    /// The children of a shard, as the last answer to a reader lists them.
    pub(super) fn child_shards(&self, name: &str, shard: usize) -> Value {
        let stream = &self.oracle.streams[name];
        let id = |at: &usize| format!("shardId-{at:012}");
        let child = |at: &usize| {
            let of = &stream.shards[*at];
            json!({
                "ShardId": id(at),
                "ParentShards": of.parents.iter().map(id).collect::<Vec<_>>(),
                "HashKeyRange": {
                    "StartingHashKey": of.start.to_string(), "EndingHashKey": of.end.to_string(),
                },
            })
        };
        stream.children(shard).iter().map(child).collect()
    }
}

/// The records of an answer.
pub(super) fn records(answer: &Value) -> Vec<Record> {
    let record = |record: &Value| {
        let text = |member: &str| record[member].as_str().unwrap().to_owned();
        let data = STANDARD.decode(text("Data")).unwrap();
        let arrival_ms = record["ApproximateArrivalTimestamp"].as_f64().unwrap() * 1000.0;
        Record {
            key: text("PartitionKey"),
            data: String::from_utf8(data).unwrap(),
            number: text("SequenceNumber"),
            arrival_ms: arrival_ms.round() as u64,
            encrypted: super::write::is_encrypted(record),
        }
    };
    answer["Records"]
        .as_array()
        .unwrap()
        .iter()
        .map(record)
        .collect()
}
