//! A stream of a test. The test creates, writes and reads it through the SDK.

use super::{ACCOUNT, Lab, REGION, Rounds, SHARD_0};
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::operation::get_records::GetRecordsOutput;
use aws_sdk_kinesis::operation::put_records::PutRecordsOutput;
use aws_sdk_kinesis::primitives::{Blob, DateTime};
use aws_sdk_kinesis::types::{PutRecordsRequestEntry, Record, ShardIteratorType};

/// A stream that is not created yet.
#[derive(Debug)]
pub(crate) struct StreamBuilder {
    lab: Lab,
    client: Client,
    name: String,
    shards: i32,
    record_kib: Option<i32>,
}

/// A stream that exists.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) lab: Lab,
    pub(crate) client: Client,
    pub(crate) name: String,
}

/// The shard and the sequence number of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Placed {
    pub(crate) shard: String,
    pub(crate) number: String,
}

impl StreamBuilder {
    pub(super) fn new(lab: &Lab, name: &str) -> Self {
        Self {
            lab: lab.clone(),
            client: lab.client(),
            name: name.to_owned(),
            shards: 1,
            record_kib: None,
        }
    }

    /// Sets the number of shards; the default is one.
    pub(crate) fn shards(mut self, count: i32) -> Self {
        self.shards = count;
        self
    }

    /// Sets the maximum record size, in KiB.
    pub(crate) fn record_kib(mut self, size: i32) -> Self {
        self.record_kib = Some(size);
        self
    }

    /// Creates the stream.
    pub(crate) async fn create(self) -> Stream {
        let created = self.client.create_stream().stream_name(&self.name);
        let created = created
            .shard_count(self.shards)
            .set_max_record_size_in_kib(self.record_kib);
        created.send().await.unwrap();
        Stream {
            lab: self.lab,
            client: self.client,
            name: self.name,
        }
    }
}

impl Stream {
    /// A stream that a test created in another way.
    pub(crate) fn existing(lab: &Lab, name: &str) -> Self {
        Self {
            lab: lab.clone(),
            client: lab.client(),
            name: name.to_owned(),
        }
    }

    /// The ARN of the stream.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{}", self.name)
    }

    /// Puts a record.
    pub(crate) async fn put(&self, key: &str, data: impl AsRef<[u8]>) -> Placed {
        let put = self
            .client
            .put_record()
            .stream_name(&self.name)
            .partition_key(key);
        let put = put.data(Blob::new(data.as_ref())).send().await.unwrap();
        Placed {
            shard: put.shard_id,
            number: put.sequence_number,
        }
    }

    /// Puts a record into the shard that owns a hash key.
    pub(crate) async fn put_at(&self, hash_key: &str, data: impl AsRef<[u8]>) -> Placed {
        let put = self
            .client
            .put_record()
            .stream_name(&self.name)
            .partition_key("key");
        let put = put
            .explicit_hash_key(hash_key)
            .data(Blob::new(data.as_ref()));
        let put = put.send().await.unwrap();
        Placed {
            shard: put.shard_id,
            number: put.sequence_number,
        }
    }

    /// Puts records in one request.
    pub(crate) async fn put_records<D: AsRef<[u8]>>(
        &self,
        records: &[(&str, D)],
    ) -> PutRecordsOutput {
        let entry = |(key, data): &(&str, D)| {
            let entry = PutRecordsRequestEntry::builder().partition_key(*key);
            entry.data(Blob::new(data.as_ref())).build().unwrap()
        };
        let entries = records.iter().map(entry).collect();
        let put = self.client.put_records().stream_name(&self.name);
        put.set_records(Some(entries)).send().await.unwrap()
    }

    /// An iterator of a type that needs no further member.
    pub(crate) async fn iterator(&self, shard: &str, kind: ShardIteratorType) -> String {
        let got = self
            .client
            .get_shard_iterator()
            .stream_name(&self.name)
            .shard_id(shard);
        let got = got.shard_iterator_type(kind).send().await.unwrap();
        got.shard_iterator.unwrap()
    }

    /// An iterator at the oldest record.
    pub(crate) async fn horizon(&self, shard: &str) -> String {
        self.iterator(shard, ShardIteratorType::TrimHorizon).await
    }

    /// An iterator after the newest record.
    pub(crate) async fn latest(&self, shard: &str) -> String {
        self.iterator(shard, ShardIteratorType::Latest).await
    }

    /// An iterator at a sequence number or after it.
    pub(crate) async fn iterator_by_number(&self, kind: ShardIteratorType, at: &Placed) -> String {
        let got = self
            .client
            .get_shard_iterator()
            .stream_name(&self.name)
            .shard_id(&at.shard);
        let got = got
            .shard_iterator_type(kind)
            .starting_sequence_number(&at.number);
        got.send().await.unwrap().shard_iterator.unwrap()
    }

    /// An iterator of the first shard at a time.
    pub(crate) async fn iterator_at(&self, at_ms: i64) -> String {
        let got = self
            .client
            .get_shard_iterator()
            .stream_name(&self.name)
            .shard_id(SHARD_0);
        let got = got.shard_iterator_type(ShardIteratorType::AtTimestamp);
        let got = got
            .timestamp(DateTime::from_millis(at_ms))
            .send()
            .await
            .unwrap();
        got.shard_iterator.unwrap()
    }

    /// Calls GetRecords once.
    pub(crate) async fn get(&self, iterator: &str) -> GetRecordsOutput {
        self.client
            .get_records()
            .shard_iterator(iterator)
            .send()
            .await
            .unwrap()
    }

    /// The data of the records in one GetRecords answer.
    pub(crate) async fn data(&self, iterator: &str) -> Vec<String> {
        texts(&self.get(iterator).await.records)
    }

    /// All readable records of a shard.
    pub(crate) async fn read(&self, shard: &str) -> Vec<Record> {
        let mut iterator = self.horizon(shard).await;
        let mut records = Vec::new();
        let mut rounds = Rounds::of(100_000, "the end of a shard");
        loop {
            rounds.next();
            let got = self.get(&iterator).await;
            records.extend(got.records);
            match got.next_shard_iterator {
                Some(next) if got.millis_behind_latest != Some(0) => iterator = next,
                _ => return records,
            }
        }
    }

    /// All readable records of the stream, shard by shard.
    pub(crate) async fn read_all(&self) -> Vec<Record> {
        let listed = self
            .client
            .list_shards()
            .stream_name(&self.name)
            .send()
            .await
            .unwrap();
        let mut records = Vec::new();
        for shard in listed.shards.unwrap_or_default() {
            records.extend(self.read(&shard.shard_id).await);
        }
        records
    }
}

/// The data of records, as texts.
pub(crate) fn texts(records: &[Record]) -> Vec<String> {
    let text = |record: &Record| String::from_utf8(record.data.as_ref().to_vec()).unwrap();
    records.iter().map(text).collect()
}
