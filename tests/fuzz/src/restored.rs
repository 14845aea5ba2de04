//! A start with whatever a data directory says of streams, shards and accounts.
//!
//! An input is the values, each behind a byte that says of what it is, the last digit of its key,
//! and the length: a value that is none is refused, one that is well formed and absurd does no
//! harm.

use super::requests::call;
use super::server::Bed;
use minikin::store::{Recovered, catalog};
use serde_json::json;

/// Values of one input; further ones are left out.
const MOST_VALUES: usize = 8;

/// Starts a server with any values; if it starts, it answers.
pub fn restored(input: &[u8]) {
    let mut metadata = Vec::new();
    let mut rest = input;
    while let [kind, at, length, ref more @ ..] = *rest
        && metadata.len() < MOST_VALUES
    {
        // One byte says how long: most values are shorter, and none is much longer.
        let (value, more) = more.split_at(more.len().min(2 * usize::from(length)));
        let number = u64::from(at % 4);
        let key = match kind % 4 {
            0 => catalog::stream(number),
            1 => catalog::shard(number, u32::from(at / 4)),
            2 => catalog::account("000000000000", "us-east-1"),
            _ => catalog::clock(),
        };
        metadata.push((key, value.to_vec()));
        rest = more;
    }
    metadata.sort();
    let recovered = Recovered { metadata, epoch: 1 };
    let Some(bed) = Bed::restored(&recovered) else {
        return;
    };
    let (status, listed) = call(&bed, "ListStreams", &json!({}));
    assert_eq!(status, 200);
    call(&bed, "DescribeAccountSettings", &json!({}));
    call(&bed, "DescribeLimits", &json!({}));
    for name in listed["StreamNames"].as_array().unwrap() {
        let named = json!({"StreamName": name});
        call(&bed, "DescribeStream", &named);
        call(&bed, "DescribeStreamSummary", &named);
        call(&bed, "ListShards", &named);
        let record = json!({"StreamName": name, "Data": "", "PartitionKey": "key"});
        call(&bed, "PutRecord", &record);
        bed.advance(1_000);
        call(
            &bed,
            "UpdateShardCount",
            &json!({
                "StreamName": name, "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING"
            }),
        );
        call(&bed, "DeleteStream", &named);
    }
    bed.advance(1_000);
}
