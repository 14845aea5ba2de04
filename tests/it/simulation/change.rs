//! Steps that change streams: creating, deleting, resharding, modes, retention, keys, tags.

use super::{NAMES, Simulation};
use crate::lab::arn_of;
use serde_json::json;

impl Simulation {
    pub(super) async fn create(&mut self) {
        let name = *self.chance.one_of(&NAMES);
        let shards = *self
            .chance
            .one_of(&[Some(1), Some(2), Some(3), Some(5), None]);
        let foretold = self.oracle.create(name, shards);
        let body = json!({"StreamName": name, "ShardCount": shards});
        self.call("CreateStream", body, foretold).await;
    }

    pub(super) async fn delete(&mut self) {
        let name = self.name();
        let with_consumers = self.chance.below(2) == 0;
        let foretold = self.oracle.delete(name, with_consumers);
        let body = json!({"StreamName": name, "EnforceConsumerDeletion": with_consumers});
        self.call("DeleteStream", body, foretold).await;
        if foretold.is_ok() {
            self.cursors.retain(|cursor| cursor.stream != name);
        }
    }

    pub(super) async fn split(&mut self) {
        let name = self.name();
        let shard = self.some_shard(name);
        let key = match self
            .oracle
            .streams
            .get(name)
            .and_then(|of| of.shards.get(shard))
        {
            Some(of) if of.end - of.start > 4 => match self.chance.below(6) {
                0 => of.start + 1,
                1 => of.start + 2,
                2 => of.end - 1,
                3 => of.end,
                _ => of.start + self.chance.key() % (of.end - of.start),
            },
            _ => self.chance.key(),
        };
        let foretold = self.oracle.split(name, shard, key);
        let body = json!({
            "StreamName": name, "ShardToSplit": shard.to_string(),
            "NewStartingHashKey": key.to_string(),
        });
        self.call("SplitShard", body, foretold).await;
    }

    pub(super) async fn merge(&mut self) {
        let name = self.name();
        let open = self.oracle.streams.get(name).map(|stream| stream.open());
        let (lower, upper) = match open.filter(|open| open.len() > 1) {
            Some(open) if self.chance.below(4) > 0 => {
                let at = self.chance.below(open.len() - 1);
                (open[at], open[at + 1])
            }
            _ => (self.some_shard(name), self.some_shard(name)),
        };
        let foretold = self.oracle.merge(name, lower, upper);
        let body = json!({
            "StreamName": name, "ShardToMerge": format!("shardId-{lower}"),
            "AdjacentShardToMerge": format!("shardId-{upper}"),
        });
        self.call("MergeShards", body, foretold).await;
    }

    pub(super) async fn scale(&mut self) {
        let name = self.name();
        let open = self
            .oracle
            .streams
            .get(name)
            .map_or(1, |stream| stream.open().len());
        // Keep the number of shards small. Otherwise the listing of shards takes most of the run.
        let target = 1 + self.chance.below((2 * open + 1).min(12));
        let foretold = self.oracle.scale(name, target);
        let body = json!({
            "StreamName": name, "TargetShardCount": target, "ScalingType": "UNIFORM_SCALING"
        });
        let answer = self.call("UpdateShardCount", body, foretold).await;
        if let Some(answer) = answer {
            assert_eq!(
                (&answer["CurrentShardCount"], &answer["TargetShardCount"]),
                (&json!(open), &json!(target))
            );
        }
    }

    pub(super) async fn switch_mode(&mut self) {
        let name = self.name();
        let on_demand = self.chance.below(2) == 0;
        let foretold = self.oracle.switch_mode(name, on_demand);
        let mode = if on_demand {
            "ON_DEMAND"
        } else {
            "PROVISIONED"
        };
        let body = json!({
            "StreamARN": arn_of(name),
            "StreamModeDetails": {"StreamMode": mode},
        });
        self.call("UpdateStreamMode", body, foretold).await;
    }

    pub(super) async fn change_retention(&mut self) {
        let name = self.name();
        let longer = self.chance.below(2) == 0;
        let hours = *self.chance.one_of(&[24, 25, 36, 48]);
        let foretold = self.oracle.change_retention(name, longer, hours);
        let operation = if longer {
            "IncreaseStreamRetentionPeriod"
        } else {
            "DecreaseStreamRetentionPeriod"
        };
        let body = json!({"StreamName": name, "RetentionPeriodHours": hours});
        self.call(operation, body, foretold).await;
    }

    pub(super) async fn encrypt(&mut self) {
        let (name, key) = (
            self.name(),
            *self.chance.one_of(&["alias/one", "alias/two"]),
        );
        let (operation, foretold) = match self.chance.below(2) {
            0 => ("StartStreamEncryption", self.oracle.encrypt(name, key)),
            _ => ("StopStreamEncryption", self.oracle.decrypt(name, key)),
        };
        let body = json!({"StreamName": name, "EncryptionType": "KMS", "KeyId": key});
        self.call(operation, body, foretold).await;
    }

    pub(super) async fn tag(&mut self) {
        let (name, key) = (self.name(), format!("key {}", self.chance.below(4)));
        let value = self.chance.below(9).to_string();
        let (operation, body, foretold) = match self.chance.below(3) {
            0 => (
                "RemoveTagsFromStream",
                json!({"StreamName": name, "TagKeys": [key]}),
                self.oracle.tag(name, &key, None),
            ),
            _ => (
                "AddTagsToStream",
                json!({"StreamName": name, "Tags": {&key: value}}),
                self.oracle.tag(name, &key, Some(&value)),
            ),
        };
        self.call(operation, body, foretold).await;
    }

    /// The number of a listed shard, or of a shard that never existed.
    pub(super) fn some_shard(&self, name: &str) -> usize {
        let Some(stream) = self.oracle.streams.get(name) else {
            return 0;
        };
        let now_ms = self.oracle.now_ms;
        let mut known: Vec<_> = (0..stream.shards.len())
            .filter(|at| stream.lists(*at, now_ms))
            .collect();
        known.push(stream.shards.len() + 7);
        *self.chance.one_of(&known)
    }
}
