//! A start with any values of streams, shards and accounts in the catalog.
//!
//! An input is a list of values. Before each value are a byte for its kind, the last digit of its
//! key, and its length. A malformed value is refused, and a well-formed absurd value does no harm.

use super::requests::call;
use super::server::Bed;
use minikin::internals::store::{Catalog, Recovered};
use serde_json::json;

/// Maximum number of values of one input. Further values are left out.
const MOST_VALUES: usize = 8;

/// Starts a server with any values; if it starts, it answers.
pub fn restored(input: &[u8]) {
    let mut catalog = Catalog::default();
    let mut rest = input;
    for _ in 0..MOST_VALUES {
        let [kind, at, length, ref more @ ..] = *rest else {
            break;
        };
        // One byte is the length: most values are shorter than 256 bytes, and none is much longer.
        let (value, more) = more.split_at(more.len().min(2 * usize::from(length)));
        let number = u64::from(at % 4).to_be_bytes();
        let shard = u32::from(at / 4).to_be_bytes();
        let key = match kind % 4 {
            0 => [b"s".as_slice(), &number].concat(),
            1 => [b"h".as_slice(), &number, &shard].concat(),
            2 => b"a000000000000/us-east-1".to_vec(),
            _ => b"c".to_vec(),
        };
        if catalog.insert(&key, value).is_err() {
            return;
        }
        rest = more;
    }
    let recovered = Recovered { catalog, run: 1 };
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
