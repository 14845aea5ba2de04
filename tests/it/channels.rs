//! Channels over the wire. Other modules test the deliveries.

mod delivering;
mod life;
mod looking;
mod refusals;
mod restarts;
mod server;
mod setups;
mod sharing;
mod snapshots;
#[cfg(feature = "streaming-tables")]
mod tables;

use crate::lab::{
    ACCOUNT, Lab, Place, REGION, Shelf, arn_of, block_on, create_stream, ok, ok_cbor, refused,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// The reason of a FAILED channel to a bucket if no destination is configured.
const NOTHING_FOR_S3: &str = "No destination of type S3 is configured. Set channels.s3.local_dir \
                              or channels.s3.endpoint, and create the channel again if it is FAILED.";

/// Runs a test twice, in memory and on disk, with destinations whose checks the test sets.
fn on_shelf<F: Future<Output = ()>>(flags: &[&str], test: impl Fn(Lab, Arc<Shelf>) -> F) {
    for place in [Place::Memory, Place::Disk] {
        block_on(async {
            let shelf = Shelf::new();
            let lab = Lab::start_to(place, flags, shelf.clone()).await;
            test(lab.clone(), shelf).await;
            lab.stop().await;
        });
    }
}

/// A request for a channel that delivers JSON to a bucket.
pub(crate) fn to_bucket(name: &str, stream: &str) -> Value {
    json!({
        "ChannelName": name,
        "ServiceExecutionRoleARN": format!("arn:aws:iam::{ACCOUNT}:role/deliver"),
        "StreamConfigurationList": [{
            "StreamARN": arn_of(stream),
            "RecordConfiguration": {"RecordFormatType": "JSON"},
        }],
        "S3DestinationConfiguration": {
            "StorageConfiguration": {
                "BucketARN": "arn:aws:s3:::bucket",
                "ExpectedBucketOwner": ACCOUNT,
                "CompressionType": "GZIP",
            },
        },
    })
}

/// A request for a channel that delivers uncompressed JSON to the bucket `bucket`.
pub(crate) fn to_plain_bucket(name: &str, stream: &str) -> Value {
    let mut body = to_bucket(name, stream);
    body["S3DestinationConfiguration"]["StorageConfiguration"]["CompressionType"] = json!("NONE");
    body
}

/// A request for a channel that delivers JSON to a table.
pub(crate) fn to_table(name: &str, stream: &str) -> Value {
    let mut body = to_bucket(name, stream);
    body.as_object_mut()
        .unwrap()
        .remove("S3DestinationConfiguration");
    let schema = format!("arn:aws:glue:{REGION}:{ACCOUNT}:schema/registry/schema");
    body["StreamConfigurationList"][0]["RecordConfiguration"]["GSRSchemaARN"] = json!(schema);
    body["S3TablesDestinationConfiguration"] = json!({
        "DeadLetterQueueS3Configuration": {
            "BucketARN": "arn:aws:s3:::errors", "ExpectedBucketOwner": ACCOUNT,
            "ErrorOutputPrefix": "errors/",
        },
        "S3TablesConfigurationList": [{
            "TableBucketARN": format!("arn:aws:s3tables:{REGION}:{ACCOUNT}:bucket/tables"),
            "Namespace": "shop", "TableName": "orders", "CompressionType": "ZSTD",
            "PartitionSpec": {"PartitionFields": [
                {"Transform": "TIME_HOUR", "SourceName": "ordered_at"},
            ]},
        }],
    });
    body
}

/// Creates a channel. Returns its ARN.
async fn created(lab: &Lab, body: Value) -> String {
    let channel = ok(lab, "CreateChannel", body).await;
    let arn = channel["ChannelDescription"]["ChannelARN"].as_str();
    arn.unwrap().to_owned()
}

/// Describes a channel, in both formats.
async fn describe(lab: &Lab, arn: &str) -> Value {
    let body = json!({"ChannelARN": arn});
    let mut answer = ok(lab, "DescribeChannel", body.clone()).await;
    assert_eq!(ok_cbor(lab, "DescribeChannel", body).await, answer);
    answer["ChannelDescription"].take()
}

async fn status(lab: &Lab, arn: &str) -> Value {
    let mut answer = ok(lab, "DescribeChannel", json!({"ChannelARN": arn})).await;
    answer["ChannelDescription"]["ChannelStatus"].take()
}

async fn delete(lab: &Lab, arn: &str) {
    let deleted = ok_cbor(lab, "DeleteChannel", json!({"ChannelARN": arn})).await;
    assert_eq!(deleted, Value::Null);
}

/// Checks that a channel does not exist.
async fn gone(lab: &Lab, arn: &str) {
    let refusal = refused(lab, "DescribeChannel", json!({"ChannelARN": arn})).await;
    let expected = format!("ResourceNotFoundException: Channel {arn} not found.");
    assert_eq!(refusal, expected);
}

/// The names of the listed channels.
async fn names(lab: &Lab, body: Value) -> Vec<String> {
    let answer = ok(lab, "ListChannels", body).await;
    let channels = answer["ChannelSummaries"].as_array().unwrap();
    let name = |channel: &Value| channel["ChannelName"].as_str().unwrap().to_owned();
    channels.iter().map(name).collect()
}

async fn channel_count(lab: &Lab, stream: &str) -> Value {
    let summary = ok(lab, "DescribeStreamSummary", json!({"StreamName": stream})).await;
    summary["StreamDescriptionSummary"]["ChannelCount"].clone()
}
