//! The limits on calls per second, one for each operation. Most values are from AWS's API
//! reference.

use super::value::{Limit, Row};

/// The limit on the number of calls of one operation per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallRate {
    pub operation: &'static str,
    /// The name of the limit, spelled as for the option `--limit`.
    pub name: &'static str,
    /// Maximum number of calls per second. Only the strict profile enforces this limit by default.
    pub per_second: u64,
    /// True if the limit counts the calls on each stream separately. False if the limit counts all
    /// calls of an account in a region together.
    pub by_stream: bool,
    /// The source of `per_second`, as `minikin limits` prints it.
    pub source: &'static str,
}

/// Declares the call rates. Each row has the operation, the name of the limit, the calls per
/// second, and the source. A row has `by stream` if the limit counts the calls on each stream
/// separately.
macro_rules! rates {
    ($($operation:ident $name:literal $per_second:literal $(by $stream:ident)?, $source:expr;)*) => {
        &[$(CallRate {
            operation: stringify!($operation),
            name: $name,
            per_second: $per_second,
            by_stream: { let by: &[&str] = &[$(stringify!($stream))?]; !by.is_empty() },
            source: $source,
        }),*]
    };
}

const AWS: &str = "AWS API reference";
const OURS: &str = "unpublished; ours";

/// The call rates of all operations, sorted by the operation's name for a binary search.
pub const CALL_RATES: &[CallRate] = rates! {
    AddTagsToStream "calls-add-tags-to-stream" 5, AWS;
    CreateChannel "calls-create-channel" 5, AWS;
    CreateQueue "calls-create-queue" 5, OURS;
    CreateStream "calls-create-stream" 5, AWS;
    DecreaseStreamRetentionPeriod "calls-decrease-stream-retention-period" 5, AWS;
    DeleteChannel "calls-delete-channel" 5, AWS;
    DeleteQueue "calls-delete-queue" 5, OURS;
    DeleteResourcePolicy "calls-delete-resource-policy" 5, OURS;
    DeleteStream "calls-delete-stream" 5, AWS;
    DeregisterStreamConsumer "calls-deregister-stream-consumer" 5 by stream, AWS;
    DescribeAccountSettings "calls-describe-account-settings" 5, AWS;
    DescribeChannel "calls-describe-channel" 5, AWS;
    DescribeLimits "calls-describe-limits" 1, AWS;
    DescribeQueue "calls-describe-queue" 5, OURS;
    DescribeStream "calls-describe-stream" 10, AWS;
    DescribeStreamConsumer "calls-describe-stream-consumer" 20 by stream, AWS;
    DescribeStreamSummary "calls-describe-stream-summary" 20, AWS;
    DisableEnhancedMonitoring "calls-disable-enhanced-monitoring" 5, AWS;
    EnableEnhancedMonitoring "calls-enable-enhanced-monitoring" 5, AWS;
    GetResourcePolicy "calls-get-resource-policy" 5, OURS;
    IncreaseStreamRetentionPeriod "calls-increase-stream-retention-period" 5, AWS;
    ListChannels "calls-list-channels" 5, AWS;
    ListQueues "calls-list-queues" 5, OURS;
    ListShards "calls-list-shards" 1000 by stream, AWS;
    ListStreamConsumers "calls-list-stream-consumers" 5 by stream, AWS;
    ListStreams "calls-list-streams" 5, AWS;
    ListTagsForResource "calls-list-tags-for-resource" 5, OURS;
    ListTagsForStream "calls-list-tags-for-stream" 5, AWS;
    MergeShards "calls-merge-shards" 5, AWS;
    PutResourcePolicy "calls-put-resource-policy" 5, OURS;
    RegisterStreamConsumer "calls-register-stream-consumer" 5, AWS;
    RemoveTagsFromStream "calls-remove-tags-from-stream" 5, AWS;
    SplitShard "calls-split-shard" 5, AWS;
    StartStreamEncryption "calls-start-stream-encryption" 5, OURS;
    StopStreamEncryption "calls-stop-stream-encryption" 5, OURS;
    TagResource "calls-tag-resource" 5, OURS;
    UntagResource "calls-untag-resource" 5, OURS;
    UpdateAccountSettings "calls-update-account-settings" 5, AWS;
    UpdateChannel "calls-update-channel" 5, AWS;
    UpdateMaxRecordSize "calls-update-max-record-size" 5, OURS;
    UpdateQueue "calls-update-queue" 5, OURS;
    UpdateShardCount "calls-update-shard-count" 10, AWS;
    UpdateStreamMode "calls-update-stream-mode" 5, OURS;
    UpdateStreamRecordDistributionStrategy "calls-update-stream-record-distribution-strategy" 5, OURS;
    UpdateStreamWarmThroughput "calls-update-stream-warm-throughput" 5, AWS;
};

/// The call rates that one emulator enforces, in the order of [`CALL_RATES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calls {
    rates: [Limit; CALL_RATES.len()],
    /// True if at least one call rate is enforced. If false, a call need not search for its rate.
    any: bool,
}

impl Calls {
    /// The call rates of an emulator that limits no calls.
    pub const OFF: Self = Self {
        rates: [None; CALL_RATES.len()],
        any: false,
    };

    /// Returns call rates that limit the calls of every operation to the number in [`CALL_RATES`].
    pub fn strict() -> Self {
        Self {
            rates: std::array::from_fn(|at| Some(CALL_RATES[at].per_second)),
            any: true,
        }
    }

    /// Returns the call rate that is enforced for `operation`. Returns `None` if the calls of the
    /// operation are not limited.
    pub fn of(&self, operation: &str) -> Option<CallRate> {
        if !self.any {
            return None;
        }
        let at = CALL_RATES
            .binary_search_by(|rate| rate.operation.cmp(operation))
            .ok()?;
        Some(CallRate {
            per_second: self.rates[at]?,
            ..CALL_RATES[at]
        })
    }

    pub(super) fn set(&mut self, name: &str, value: Limit) -> bool {
        let at = CALL_RATES.iter().position(|rate| rate.name == name);
        let known = at.map(|at| self.rates[at] = value).is_some();
        self.any = self.rates.iter().any(Option::is_some);
        known
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row> {
        CALL_RATES.iter().zip(self.rates).map(|(rate, value)| Row {
            name: rate.name,
            value: value.map_or_else(|| "off".to_owned(), |value| value.to_string()),
            unit: "calls/s",
            source: rate.source,
            meaning: if rate.by_stream {
                "Calls of one operation on one stream."
            } else {
                "Calls of one operation in one account and region."
            },
        })
    }
}
