//! At rest all that can be seen is as the oracle says.

use super::oracle::Stream;
use super::subscribe::stream_arn;
use super::{Simulation, read};
use crate::control::numbers::{end, start};
use serde_json::{Value, json};

impl Simulation {
    pub(super) async fn compare(&mut self) {
        let told = self.ask("ListStreams", json!({})).await.unwrap();
        let names: Vec<_> = self.oracle.streams.keys().cloned().collect();
        assert_eq!(told["StreamNames"], json!(names), "{}", self.story());
        for name in &names {
            self.compare_stream(name).await;
            self.compare_consumers(name).await;
        }
        let subscribed = self.subscribed.len();
        assert_eq!(self.lab.subscriptions(), subscribed, "{}", self.story());
        let streams = self.oracle.streams.values();
        let on_demand = streams.clone().filter(|stream| stream.on_demand).count();
        let open: usize = streams.map(|stream| stream.open().len()).sum();
        let told = self.ask("DescribeLimits", json!({})).await.unwrap();
        assert_eq!(
            (&told["OnDemandStreamCount"], &told["OpenShardCount"]),
            (&json!(on_demand), &json!(open)),
            "{}",
            self.story()
        );
        self.trace
            .push(format!("{names:?} with {open} open shards are as foretold"));
    }

    async fn compare_stream(&self, name: &str) {
        let told = self
            .ask("DescribeStreamSummary", json!({"StreamName": name}))
            .await
            .unwrap();
        let summary = &told["StreamDescriptionSummary"];
        let (stream, state) = (&self.oracle.streams[name], self.oracle.state(name).unwrap());
        let mode = if stream.on_demand {
            "ON_DEMAND"
        } else {
            "PROVISIONED"
        };
        let open = if stream.settled {
            stream.open().len()
        } else {
            0
        };
        for (member, expected) in [
            ("StreamStatus", json!(state)),
            ("StreamModeDetails", json!({"StreamMode": mode})),
            ("RetentionPeriodHours", json!(stream.retention)),
            ("OpenShardCount", json!(open)),
            (
                "EncryptionType",
                json!(stream.key.map_or("NONE", |_| "KMS")),
            ),
            ("ConsumerCount", json!(stream.consumers.len())),
        ] {
            assert_eq!(
                summary[member],
                expected,
                "{member} of {name}\n{}",
                self.story()
            );
        }
        self.compare_tags(name).await;
        let listed = self.ask("ListShards", json!({"StreamName": name})).await;
        if state == "CREATING" || state == "DELETING" {
            assert_eq!(listed, Err("ResourceInUseException".to_owned()));
            return;
        }
        let listing = listing(stream, self.oracle.now_ms);
        let shards = listing
            .iter()
            .map(|(_, shard)| shard.clone())
            .collect::<Vec<_>>();
        assert_eq!(
            listed.unwrap()["Shards"],
            json!(shards),
            "{name}\n{}",
            self.story()
        );
        for (at, _) in listing {
            self.compare_records(name, at).await;
        }
    }

    async fn compare_tags(&self, name: &str) {
        let told = self
            .ask("ListTagsForStream", json!({"StreamName": name}))
            .await;
        let tags = self.oracle.streams[name].tags.iter();
        let tags: Vec<_> = tags
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        assert_eq!(
            told.unwrap()["Tags"],
            json!(tags),
            "{name}\n{}",
            self.story()
        );
    }

    async fn compare_consumers(&self, name: &str) {
        let body = json!({"StreamARN": stream_arn(name)});
        let told = self.ask("ListStreamConsumers", body).await.unwrap();
        let told = told["Consumers"].as_array().unwrap().iter();
        let told = told.map(|one| (one["ConsumerName"].clone(), one["ConsumerStatus"].clone()));
        let consumers = self.oracle.streams[name].consumers.iter();
        let expected = consumers.map(|(name, one)| (json!(name), json!(one.state())));
        assert!(expected.eq(told), "consumers of {name}\n{}", self.story());
    }

    /// All that can be read of a shard, as far as one answer goes.
    async fn compare_records(&self, name: &str, shard: usize) {
        let body = json!({
            "StreamName": name, "ShardId": shard.to_string(), "ShardIteratorType": "TRIM_HORIZON"
        });
        let told = self.ask("GetShardIterator", body).await.unwrap();
        let body = json!({"ShardIterator": told["ShardIterator"]});
        let told = self.ask("GetRecords", body).await.unwrap();
        let expected = self.oracle.streams[name].readable(shard, 0, self.oracle.now_ms);
        assert_eq!(
            read::records(&told),
            expected,
            "{name} {shard}\n{}",
            self.story()
        );
    }
}

/// The shards of a stream as they are listed, with their numbers.
fn listing(stream: &Stream, now_ms: u64) -> Vec<(usize, Value)> {
    let id = |at: usize| format!("shardId-{at:012}");
    let describe = |at: usize| {
        let shard = &stream.shards[at];
        let mut told = json!({
            "ShardId": id(at),
            "HashKeyRange": {
                "StartingHashKey": shard.start.to_string(), "EndingHashKey": shard.end.to_string(),
            },
            "SequenceNumberRange": {"StartingSequenceNumber": start(shard.created_s, at)},
        });
        if let Some(closed_s) = shard.closed_s {
            let range = &mut told["SequenceNumberRange"];
            range["EndingSequenceNumber"] = end(shard.created_s, at, closed_s).into();
        }
        for (member, parent) in ["ParentShardId", "AdjacentParentShardId"]
            .iter()
            .zip(&shard.parents)
        {
            told[*member] = id(*parent).into();
        }
        (at, told)
    };
    let listed = (0..stream.shards.len()).filter(|at| stream.lists(*at, now_ms));
    listed.map(describe).collect()
}
