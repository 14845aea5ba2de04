//! The model of a channel.

use crate::lab::{ACCOUNT, arn_of};
use serde_json::{Value, json};

/// The expected state of a channel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Channel {
    pub(super) arn: String,
    pub(super) stream: &'static str,
    pub(super) is_table: bool,
    pub(super) status: &'static str,
    pub(super) due_ms: Option<u64>,
    pub(super) reason: Option<String>,
    pub(super) freshness_s: u64,
}

impl Channel {
    /// The channel after the end of its temporary status, if that status is due. If `reason` is
    /// given, checks of destinations fail with it.
    pub(super) fn turned(mut self, now_ms: u64, reason: Option<&'static str>) -> Option<Self> {
        if self.due_ms.is_none_or(|due_ms| due_ms > now_ms) {
            return Some(self);
        }
        self.due_ms = None;
        self.status = match (self.status, reason) {
            ("CREATING", Some(_)) => "FAILED",
            ("CREATING" | "UPDATING", _) => "ACTIVE",
            _ => return None,
        };
        let reason = reason.filter(|_| self.status == "FAILED");
        self.reason = reason.map(str::to_owned);
        Some(self)
    }

    /// True if the channel delivers records to a bucket.
    pub(super) fn delivers(&self) -> bool {
        !self.is_table && matches!(self.status, "ACTIVE" | "UPDATING")
    }

    /// Returns the channel as DescribeChannel shows it.
    pub(super) fn shown(&self) -> Value {
        json!([
            self.arn,
            arn_of(self.stream),
            self.is_table,
            self.status,
            self.reason,
            self.freshness_s
        ])
    }
}

/// A request for a channel.
pub(super) fn request(name: &str, stream: &str, is_table: bool, freshness_s: u64) -> Value {
    let bucket = json!({"BucketARN": "arn:aws:s3:::bucket", "ExpectedBucketOwner": ACCOUNT});
    let mut storage = bucket.clone();
    storage["CompressionType"] = json!("NONE");
    let schema = format!("arn:aws:glue:us-east-1:{ACCOUNT}:schema/r/s");
    let records = json!({"RecordFormatType": "JSON", "GSRSchemaARN": schema});
    let mut body = json!({
        "ChannelName": name,
        "ServiceExecutionRoleARN": format!("arn:aws:iam::{ACCOUNT}:role/r"),
        "StreamConfigurationList": [
            {"StreamARN": arn_of(stream), "RecordConfiguration": records},
        ],
    });
    let field = json!({"Transform": "TIME_HOUR", "SourceName": "at"});
    let table = json!({
        "TableBucketARN": format!("arn:aws:s3tables:us-east-1:{ACCOUNT}:bucket/tables"),
        "Namespace": "n", "TableName": name, "CompressionType": "NONE",
        "PartitionSpec": {"PartitionFields": [field]},
    });
    let (block, destination) = match is_table {
        true => (
            "S3TablesDestinationConfiguration",
            json!({
                "DeadLetterQueueS3Configuration": bucket,
                "S3TablesConfigurationList": [table],
                "DataFreshnessInSeconds": freshness_s,
            }),
        ),
        false => (
            "S3DestinationConfiguration",
            json!({"StorageConfiguration": storage, "DataFreshnessInSeconds": freshness_s}),
        ),
    };
    body[block] = destination;
    body
}
