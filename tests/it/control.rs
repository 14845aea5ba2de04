//! The control plane: every operation other than reading and writing, over the wire.

/// Runs a test on disk, so that a restart finds the earlier state.
macro_rules! disk_test {
    ($name:ident, [$($flag:expr),*], $test:expr) => {
        #[test]
        fn $name() {
            crate::lab::run(crate::lab::Place::Disk, &[$($flag),*], $test);
        }
    };
}

mod account;
mod capacity;
mod closed;
mod consumers;
mod encryption;
mod expired;
mod gone;
mod life;
mod lineage;
mod logged;
mod monitoring;
pub(crate) mod numbers;
mod parallel;
mod policies;
mod quotas;
mod refusals;
mod retention;
mod scaling;
mod scopes;
mod states;
mod tags;
mod writers;

use crate::lab::{ACCOUNT, Lab, REGION, arn_of, ms, ok, ok_cbor, refused};
use serde_json::{Value, json};

/// The middle of the key space: 2 to the 127th.
const HALF: &str = "170141183460469231731687303715884105728";
/// The last hash key.
const LAST: &str = "340282366920938463463374607431768211455";
/// The second in which a lab's clock starts.
const START_S: u64 = 1_700_000_000;
/// The second in which the first shards of a stream count as created, if the stream is created at
/// the start of the clock.
const FIRST_S: u64 = START_S - 3;

/// Restarts the emulator and advances its clock to the time before the restart. Returns false if
/// the emulator keeps nothing.
async fn restart(lab: &Lab) -> bool {
    let before = lab.clock.now_ms();
    let kept = lab.restart().await;
    let behind = u64::try_from(before - lab.clock.now_ms()).unwrap();
    lab.clock.advance(ms(behind)).await;
    kept
}

/// The refusal of an operation that the status of the stream does not permit.
fn not_active(name: &str, state: &str) -> String {
    format!(
        "ResourceInUseException: Stream {name} under account {ACCOUNT} not ACTIVE, instead in \
         state {state}"
    )
}

/// The refusal for a consumer of the stream `s` that does not exist. `given` is the name of the
/// consumer, or its ARN with its creation time. The text is that of the live service
/// (radkawar/stackd, testdata/aws/kinesis/dry_run.json).
fn no_consumer(given: &str) -> String {
    let of_arn = given.rsplit_once('/').map_or(given, |(_, name)| name);
    let consumer = of_arn.replace(':', " with creation timestamp ");
    format!(
        "ResourceNotFoundException: Consumer {consumer} under stream: s, account {ACCOUNT} not found."
    )
}

/// The refusal of an operation on a stream that does not exist.
fn not_found(name: &str) -> String {
    format!("ResourceNotFoundException: Stream {name} under account {ACCOUNT} not found.")
}

/// The canonical id of a shard.
fn shard_id(index: usize) -> String {
    format!("shardId-{index:012}")
}

/// The summary of a stream.
async fn summary(lab: &Lab, name: &str) -> Value {
    let mut got = ok(lab, "DescribeStreamSummary", json!({"StreamName": name})).await;
    got["StreamDescriptionSummary"].take()
}

/// The status of a stream.
async fn status(lab: &Lab, name: &str) -> String {
    summary(lab, name).await["StreamStatus"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// All shards that a stream lists.
async fn shards(lab: &Lab, name: &str) -> Vec<Value> {
    let listed = ok(lab, "ListShards", json!({"StreamName": name})).await;
    assert!(listed.get("NextToken").is_none(), "one page");
    listed["Shards"].as_array().unwrap().clone()
}

/// The numbers of shards, in the order of the shards. Checks that this is the order of their ids.
fn indexes<'a>(shards: impl IntoIterator<Item = &'a Value>) -> Vec<usize> {
    let index = |shard: &Value| {
        let id = shard["ShardId"].as_str().unwrap();
        id.strip_prefix("shardId-").unwrap().parse().unwrap()
    };
    let found: Vec<usize> = shards.into_iter().map(index).collect();
    assert!(found.is_sorted(), "{found:?}");
    found
}

fn is_open(shard: &Value) -> bool {
    shard["SequenceNumberRange"]
        .get("EndingSequenceNumber")
        .is_none()
}

/// The numbers of the open shards of a stream, in the order of their hash keys.
async fn open_indexes(lab: &Lab, name: &str) -> Vec<usize> {
    let mut open = shards(lab, name).await;
    open.retain(is_open);
    open.sort_by_key(|shard| key_of(shard, "StartingHashKey"));
    let index = |shard: &Value| indexes([shard])[0];
    open.iter().map(index).collect()
}

/// An end of a shard's hash key range.
fn key_of(shard: &Value, end: &str) -> u128 {
    let text = shard["HashKeyRange"][end].as_str().unwrap();
    text.parse().unwrap()
}
