//! Compares everything that can be read with the oracle, while no request is in flight.

use super::oracle::{Record, Stream};
use super::{Simulation, read};
use crate::control::numbers::{end, start};
use crate::lab::arn_of;
use serde_json::{Value, json};

/// The result of a comparison. The error describes a difference from the expected state.
pub(super) type Difference = Result<(), String>;

fn same(actual: &Value, expected: &Value, what: &str) -> Difference {
    if actual == expected {
        return Ok(());
    }
    Err(format!("{what}: {actual}\ninstead of {expected}"))
}

fn shard_id(at: usize) -> String {
    format!("shardId-{at:012}")
}

impl Simulation {
    pub(super) async fn compare(&mut self) {
        if let Err(difference) = self.difference().await {
            panic!("{difference}\n{}", self.story());
        }
        let names: Vec<_> = self.oracle.streams.keys().collect();
        let compared = format!("{names:?} are as foretold");
        self.trace.push(compared);
    }

    /// Compares the emulator with the oracle. Returns the first difference.
    pub(super) async fn difference(&self) -> Difference {
        let names: Vec<_> = self.oracle.streams.keys().cloned().collect();
        let listed = self
            .pages("ListStreams", json!({"Limit": 2}), "StreamNames")
            .await?;
        same(&listed, &json!(names), "the streams")?;
        for name in &names {
            self.stream_differs(name).await?;
            self.consumers_differ(name).await?;
        }
        let subscribed = self.subscribed.len();
        same(
            &json!(self.machine.subscriptions()),
            &json!(subscribed),
            "subscriptions",
        )?;
        let streams = self.oracle.streams.values();
        let on_demand = streams.clone().filter(|stream| stream.on_demand).count();
        let provisioned = streams.filter(|stream| !stream.on_demand);
        let open: usize = provisioned.map(|stream| stream.open().len()).sum();
        let answer = self.look("DescribeLimits", json!({})).await?;
        same(
            &answer["OnDemandStreamCount"],
            &json!(on_demand),
            "on-demand streams",
        )?;
        same(&answer["OpenShardCount"], &json!(open), "open shards")?;
        let answer = self.look("DescribeAccountSettings", json!({})).await?;
        let status = &answer["MinimumThroughputBillingCommitment"]["Status"];
        same(
            status,
            &json!(self.oracle.account_status()),
            "the commitment",
        )
    }

    async fn look(&self, operation: &str, body: Value) -> Result<Value, String> {
        let answer = self.ask(operation, body.clone()).await;
        answer.map_err(|refusal| format!("{operation} {body}: {refusal}"))
    }

    /// All pages of a listing.
    async fn pages(&self, operation: &str, body: Value, list: &str) -> Result<Value, String> {
        let mut all = Vec::new();
        let mut answer = self.look(operation, body.clone()).await?;
        loop {
            all.extend(answer[list].as_array().cloned().unwrap_or_default());
            let Some(token) = answer.get("NextToken").and_then(Value::as_str) else {
                return Ok(all.into());
            };
            let mut next = json!({"NextToken": token});
            for member in ["Limit", "MaxResults"] {
                if let Some(size) = body.get(member) {
                    next[member] = size.clone();
                }
            }
            if operation == "ListStreamConsumers" {
                next["StreamARN"] = body["StreamARN"].clone();
            }
            answer = self.look(operation, next).await?;
        }
    }

    async fn stream_differs(&self, name: &str) -> Difference {
        let named = json!({"StreamName": name});
        let answer = self.look("DescribeStreamSummary", named.clone()).await?;
        let summary = &answer["StreamDescriptionSummary"];
        for (member, expected) in self.summary(name) {
            let actual = summary.get(member).unwrap_or(&Value::Null);
            same(actual, &expected, &format!("{member} of {name}"))?;
        }
        let stream = &self.oracle.streams[name];
        self.tags_and_policy_differ(&arn_of(name), &stream.tags, stream.policy.as_deref())
            .await?;
        let listing = listing(stream, self.oracle.now_ms);
        let shards: Vec<_> = listing.iter().map(|(_, shard)| shard.clone()).collect();
        let state = self.oracle.state(name).unwrap();
        let shown: &[_] = if state == "DELETING" { &[] } else { &shards };
        self.description_differs(name, shown).await?;
        if state == "CREATING" || state == "DELETING" {
            let listed = self.ask("ListShards", named).await;
            let in_use: Result<Value, _> = Err("ResourceInUseException".to_owned());
            return same(&json!(listed), &json!(in_use), "ListShards");
        }
        let body = json!({"StreamName": name, "MaxResults": 7});
        let listed = self.pages("ListShards", body, "Shards").await?;
        same(&listed, &json!(shards), &format!("shards of {name}"))?;
        for (at, _) in listing {
            self.records_differ(name, at).await?;
        }
        Ok(())
    }

    fn summary(&self, name: &str) -> Vec<(&'static str, Value)> {
        let stream = &self.oracle.streams[name];
        let mode = if stream.on_demand {
            "ON_DEMAND"
        } else {
            "PROVISIONED"
        };
        let settled = matches!(self.oracle.state(name), Some("ACTIVE" | "UPDATING"));
        let open = settled.then(|| stream.open().len());
        let strategy = if stream.auto {
            "AUTO"
        } else {
            "USER_PARTITION_KEY"
        };
        let warm = self.oracle.warm_throughput(name);
        let warm = warm.map(|(target, had)| json!({"TargetMiBps": target, "CurrentMiBps": had}));
        vec![
            ("StreamStatus", json!(self.oracle.state(name))),
            ("StreamModeDetails", json!({"StreamMode": mode})),
            ("RetentionPeriodHours", json!(stream.retention)),
            ("OpenShardCount", json!(open)),
            (
                "EncryptionType",
                json!(stream.key.map_or("NONE", |_| "KMS")),
            ),
            ("KeyId", json!(stream.key)),
            ("ConsumerCount", json!(stream.consumers.len())),
            ("MaxRecordSizeInKiB", json!(stream.record_kib)),
            (
                "RecordDistributionStrategy",
                json!(stream.on_demand.then_some(strategy)),
            ),
            ("WarmThroughput", json!(warm)),
            (
                "EnhancedMonitoring",
                json!([{"ShardLevelMetrics": self.oracle.metrics(name)}]),
            ),
        ]
    }

    /// Compares the description of a stream, page by page.
    async fn description_differs(&self, name: &str, shards: &[Value]) -> Difference {
        let shown = match self.oracle.streams[name].settled {
            true => shards,
            false => &[],
        };
        let mut all = Vec::new();
        loop {
            let after = all.last().map(|shard: &Value| shard["ShardId"].clone());
            let body = json!({"StreamName": name, "Limit": 9, "ExclusiveStartShardId": after});
            let answer = self.look("DescribeStream", body).await?;
            let description = &answer["StreamDescription"];
            let created_s = self.oracle.streams[name].created_s as f64;
            same(
                &json!(description["StreamCreationTimestamp"].as_f64()),
                &json!(created_s),
                "the creation",
            )?;
            all.extend(description["Shards"].as_array().unwrap().iter().cloned());
            if description["HasMoreShards"] == false {
                return same(
                    &json!(all),
                    &json!(shown),
                    &format!("description of {name}"),
                );
            }
        }
    }

    async fn tags_and_policy_differ(
        &self,
        arn: &str,
        tags: &std::collections::BTreeMap<String, String>,
        policy: Option<&str>,
    ) -> Difference {
        let resource = json!({"ResourceARN": arn});
        let tags = tags.iter();
        let tags: Vec<_> = tags
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        let answer = self.look("ListTagsForResource", resource.clone()).await?;
        same(&answer["Tags"], &json!(tags), &format!("tags of {arn}"))?;
        if let Some((_, name)) = arn
            .split_once(":stream/")
            .filter(|(_, of)| !of.contains('/'))
        {
            let answer = self
                .look("ListTagsForStream", json!({"StreamName": name}))
                .await?;
            same(&answer["Tags"], &json!(tags), &format!("tags of {name}"))?;
        }
        let answer = self.look("GetResourcePolicy", resource).await?;
        let policy = policy.unwrap_or("{}");
        same(
            &answer["Policy"],
            &json!(policy),
            &format!("policy of {arn}"),
        )
    }

    async fn consumers_differ(&self, name: &str) -> Difference {
        let body = json!({"StreamARN": arn_of(name), "MaxResults": 1});
        let listed = self.pages("ListStreamConsumers", body, "Consumers").await?;
        let mut expected = Vec::new();
        for (consumer, one) in &self.oracle.streams[name].consumers {
            let arn = self.consumer_arn(name, consumer);
            expected.push(json!({"ConsumerARN": arn, "ConsumerStatus": one.state()}));
            let answer = self
                .look("DescribeStreamConsumer", json!({"ConsumerARN": arn}))
                .await?;
            let description = &answer["ConsumerDescription"];
            let actual = (
                &description["ConsumerName"],
                &description["ConsumerStatus"],
                &description["StreamARN"],
            );
            same(
                &json!(actual),
                &json!((consumer, one.state(), arn_of(name))),
                "a consumer",
            )?;
            self.tags_and_policy_differ(&arn, &one.tags, one.policy.as_deref())
                .await?;
        }
        let listed = listed.as_array().unwrap().iter();
        let listed = listed.map(|one| {
            json!({"ConsumerARN": one["ConsumerARN"], "ConsumerStatus": one["ConsumerStatus"]})
        });
        same(
            &listed.collect(),
            &json!(expected),
            &format!("consumers of {name}"),
        )
    }

    /// Reads the records of a shard until an answer is empty.
    pub(super) async fn all_of(&self, name: &str, shard: usize) -> Vec<Record> {
        let body = json!({
            "StreamName": name, "ShardId": shard.to_string(), "ShardIteratorType": "TRIM_HORIZON"
        });
        let Ok(answer) = self.ask("GetShardIterator", body).await else {
            return Vec::new();
        };
        let body = json!({"ShardIterator": answer["ShardIterator"]});
        let mut all = Vec::new();
        let mut answer = self.ask("GetRecords", body).await.unwrap();
        loop {
            let found = read::records(&answer);
            let done = found.is_empty();
            all.extend(found);
            let Some(next) = answer.get("NextShardIterator").filter(|_| !done) else {
                return all;
            };
            let body = json!({"ShardIterator": next});
            answer = self.ask("GetRecords", body).await.unwrap();
        }
    }

    async fn records_differ(&self, name: &str, shard: usize) -> Difference {
        let actual = self.all_of(name, shard).await;
        let expected = self.oracle.streams[name].readable(shard, 0, self.oracle.now_ms);
        if actual == expected {
            return Ok(());
        }
        Err(format!(
            "{name} {shard}: {actual:?}\ninstead of {expected:?}"
        ))
    }
}

/// The shards of a stream as listings have them, each with its number.
fn listing(stream: &Stream, now_ms: u64) -> Vec<(usize, Value)> {
    let describe = |at: usize| {
        let shard = &stream.shards[at];
        let mut described = json!({
            "ShardId": shard_id(at),
            "HashKeyRange": {
                "StartingHashKey": shard.start.to_string(), "EndingHashKey": shard.end.to_string(),
            },
            "SequenceNumberRange": {"StartingSequenceNumber": start(shard.created_s, at)},
        });
        if let Some(closed_s) = shard.closed_s {
            let range = &mut described["SequenceNumberRange"];
            range["EndingSequenceNumber"] = end(shard.created_s, at, closed_s).into();
        }
        for (member, parent) in ["ParentShardId", "AdjacentParentShardId"]
            .iter()
            .zip(&shard.parents)
        {
            described[*member] = shard_id(*parent).into();
        }
        (at, described)
    };
    let listed = (0..stream.shards.len()).filter(|at| stream.lists(*at, now_ms));
    listed.map(describe).collect()
}
