//! Every limit of the service or of minikin, with its name, its values and its source.
//!
//! A limit that a user can set with the option `--limit` is a row of the table in this file and a
//! field of [`Limits`]. Every other limit is a constant: in `limits/edge.rs` for connections,
//! documents and databases, in `limits/console.rs` for the console, in `limits/streaming_tables.rs`
//! for tables, and below the table for everything else. The comment of a constant names the source
//! of the value: "(AWS)" is the documentation of AWS, "(measured)" is a measurement, and "a choice"
//! means that minikin chose the value. A number that belongs to a file format or to a shape of the
//! service model is declared with that format or shape.

mod calls;
#[cfg(feature = "console")]
mod console;
mod edge;
#[cfg(any(test, feature = "streaming-tables"))]
mod streaming_tables;
mod value;

pub use calls::CALL_RATES;
pub(crate) use calls::{CallRate, Calls};
#[cfg(feature = "console")]
pub(crate) use console::*;
pub use edge::*;
#[cfg(any(test, feature = "streaming-tables"))]
pub(crate) use streaming_tables::*;
pub(crate) use value::{Limit, Row};

use std::time::Duration;

/// A set of values for all limits and delays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Enforces the write limits of shards. Limits on the rates of reads and of calls are off.
    #[default]
    Standard,
    /// Turns off the limits on rates, on changes within 24 hours, on resources that change their
    /// status at the same time, and on records in flight. Raises the limits on the shards,
    /// on-demand streams and channels of an account.
    Fast,
    /// Enforces all limits of the service, and its delays between statuses such as CREATING and
    /// ACTIVE.
    Strict,
}

const OFF: Limit = None;

/// The name of the only limit that a number can turn off, and this number.
const UNLIMITED: (&str, &str) = ("queue-in-flight", "0");

/// Declares the limits that a user can set. Each row has the name of the field, the name for the
/// option `--limit`, the values in the profiles standard, fast and strict, the unit of these
/// values, and their source. `minikin limits` prints the doc comment of the row.
macro_rules! limits {
    ($(#[doc = $doc:literal] $field:ident, $name:literal, $standard:expr, $fast:expr, $strict:expr,
        $unit:literal, $source:literal;)*) => {
        /// The limits that one emulator enforces.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $(#[doc = $doc] pub $field: Limit,)*
            /// The limits on calls per second, one for each operation.
            pub calls: Calls,
        }

        impl Limits {
            /// Returns all limits with the values that `profile` gives them.
            pub fn for_profile(profile: Profile) -> Self {
                match profile {
                    Profile::Standard => Self { $($field: $standard,)* calls: Calls::OFF },
                    Profile::Fast => Self { $($field: $fast,)* calls: Calls::OFF },
                    Profile::Strict => Self { $($field: $strict,)* calls: Calls::strict() },
                }
            }

            /// Sets the limit called `name` to the number in `value`. Turns the limit off if
            /// `value` is `off`.
            ///
            /// # Errors
            /// A message for the user if no limit has this name, or if `value` is neither a number
            /// nor `off`.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
                let value = if value == "off" || (name, value) == UNLIMITED {
                    OFF
                } else {
                    let number = value.parse().map_err(|_| {
                        format!("limit {name}: `{value}` is neither a whole number nor `off`")
                    })?;
                    Some(number)
                };
                if (name, value) == ("connections", Some(0)) {
                    return Err("limit connections: with 0, no client could connect".into());
                }
                match name {
                    $($name => self.$field = value,)*
                    _ if self.calls.set(name, value) => {}
                    _ => {
                        return Err(format!(
                            "there is no limit called {name}; `minikin limits` lists them"
                        ));
                    }
                }
                Ok(())
            }

            /// Returns all limits as the rows of the table that `minikin limits` prints.
            pub fn rows(&self) -> Vec<Row> {
                let mut rows = vec![$(Row {
                    name: $name,
                    value: self.$field.map_or_else(|| "off".to_owned(), |value| value.to_string()),
                    unit: $unit,
                    source: $source,
                    meaning: $doc.trim_ascii(),
                }),*];
                rows.extend(self.calls.rows());
                rows
            }
        }
    };
}

limits! {
    /// Bytes of data and partition keys that all clients together may write to one shard per second.
    shard_write_bytes, "shard-write-bytes", Some(1_048_576), OFF, Some(1_048_576),
        "bytes/s", "AWS quota: 1 MB/s of writes a shard";
    /// Records that all clients together may write to one shard per second.
    shard_write_records, "shard-write-records", Some(1_000), OFF, Some(1_000),
        "records/s", "AWS quota: 1,000 records/s a shard";
    /// GetRecords calls that all clients together may make on one shard per second.
    shard_read_calls, "shard-read-calls", OFF, OFF, Some(5),
        "calls/s", "AWS quota: 5 read transactions/s a shard";
    /// Bytes of data and partition keys that GetRecords calls may read from one shard per second. One larger answer is allowed, but the next calls are refused for a time.
    shard_read_bytes, "shard-read-bytes", OFF, OFF, Some(2_097_152),
        "bytes/s", "AWS quota: 2 MB/s of reads a shard";
    /// GetShardIterator calls that all clients together may make on one shard per second.
    shard_iterator_calls, "shard-iterator-calls", OFF, OFF, Some(5),
        "calls/s", "AWS API reference: GetShardIterator";
    /// Bytes of data and partition keys that a subscription of one consumer to one shard may receive per second.
    consumer_read_bytes, "consumer-read-bytes", OFF, OFF, Some(2_097_152),
        "bytes/s", "AWS quota: 2 MB/s for each consumer of a shard";
    /// Time after a successful SubscribeToShard during which the same consumer cannot subscribe to the same shard again.
    subscription_lock_seconds, "subscription-lock-seconds", Some(5), Some(5), Some(5),
        "seconds", "AWS API reference: SubscribeToShard";
    /// Largest number of bytes of data and partition keys in one GetRecords answer.
    read_answer_bytes, "read-answer-bytes", Some(10_485_760), Some(10_485_760), Some(10_485_760),
        "bytes", "AWS quota: 10 MB a GetRecords call";
    /// Largest number of bytes of data and partition keys in one PutRecords request.
    put_records_bytes, "put-records-bytes", Some(10_485_760), Some(10_485_760), Some(10_485_760),
        "bytes", "AWS quota: 10 MB a PutRecords call";
    /// Streams of one account and region that may be in status CREATING or DELETING at the same time.
    streams_in_transition, "streams-in-transition", Some(5), OFF, Some(5),
        "streams", "AWS error text of CreateStream";
    /// Open shards that all provisioned streams of one account and region may have together.
    shards_per_account, "shards-per-account", Some(20_000), Some(1_000_000), Some(20_000),
        "shards", "AWS quota in us-east-1";
    /// On-demand streams that one account may have in one region.
    on_demand_streams, "on-demand-streams", Some(50), Some(1_000_000), Some(50),
        "streams", "AWS quota";
    /// Open shards that UpdateShardCount may give to one stream.
    shards_per_stream, "shards-per-stream", Some(10_000), Some(10_000), Some(10_000),
        "shards", "AWS API reference: UpdateShardCount";
    /// UpdateShardCount calls that may change the same stream within 24 hours.
    scalings_per_day, "scalings-per-day", Some(10), OFF, Some(10),
        "calls", "AWS API reference: UpdateShardCount";
    /// Changes of the capacity mode that one stream may have within 24 hours.
    mode_switches_per_day, "mode-switches-per-day", Some(2), OFF, Some(2),
        "calls", "AWS API reference: UpdateStreamMode";
    /// StartStreamEncryption calls that may start the encryption of one stream, or change its key, within 24 hours.
    encryptions_per_day, "encryptions-per-day", Some(25), OFF, Some(25),
        "calls", "AWS API reference: StartStreamEncryption";
    /// StopStreamEncryption calls that may stop the encryption of one stream within 24 hours.
    decryptions_per_day, "decryptions-per-day", Some(25), OFF, Some(25),
        "calls", "AWS API reference: StopStreamEncryption";
    /// Consumers that one stream may have.
    consumers_per_stream, "consumers-per-stream", Some(20), Some(20), Some(20),
        "consumers", "AWS API reference: RegisterStreamConsumer";
    /// Consumers that one on-demand stream may have if its account has the minimum throughput billing commitment.
    consumers_per_committed_stream, "consumers-per-committed-stream", Some(50), Some(50), Some(50),
        "consumers", "AWS API reference: RegisterStreamConsumer";
    /// Consumers of one stream that may be in status CREATING at the same time.
    consumers_creating, "consumers-creating", Some(5), OFF, Some(5),
        "consumers", "AWS API reference: RegisterStreamConsumer";
    /// Queues of one account and region that may be in status CREATING or DELETING at the same time.
    queues_in_transition, "queues-in-transition", Some(5), OFF, Some(5),
        "queues", "AWS quota";
    /// Records of one queue that may be in flight at the same time. The dead-letter records of the queue have a limit of their own with the same value. The value 0 means no limit.
    queue_in_flight, "queue-in-flight", Some(120_000), OFF, Some(120_000),
        "records", "AWS quota";
    /// Channels that one account may have in one region.
    channels_per_account, "channels-per-account", Some(100), Some(1_000_000), Some(100),
        "channels", "AWS developer guide: two for each on-demand stream";
    /// Channels of one stream that may deliver to the same kind of destination (S3 or S3 Tables).
    channels_per_destination, "channels-per-destination", Some(1), Some(1), Some(1),
        "channels", "AWS developer guide";
    /// Time that a new channel stays in status CREATING before its destination is checked. If this limit is off, --transition-ms gives the time.
    channel_create_ms, "channel-create-ms", OFF, OFF, OFF,
        "ms", "ours";
    /// Time that a channel stays in status UPDATING. If this limit is off, --transition-ms gives the time.
    channel_update_ms, "channel-update-ms", OFF, OFF, OFF,
        "ms", "ours";
    /// Time that a channel stays in status DELETING. If this limit is off, --transition-ms gives the time.
    channel_delete_ms, "channel-delete-ms", OFF, OFF, OFF,
        "ms", "ours";
    /// Largest warm throughput that one stream may have.
    warm_throughput, "warm-throughput", Some(10_240), Some(10_240), Some(10_240),
        "MiB/s", "AWS API reference: UpdateStreamWarmThroughput";
    /// Tags that one resource may have.
    tags, "tags", Some(50), Some(50), Some(50),
        "tags", "AWS API reference: TagResource";
    /// Largest body that one request may have.
    request_bytes, "request-bytes", Some(20 << 20), Some(20 << 20), Some(20 << 20),
        "bytes", "ours: a 10 MB PutRecords is about 14 MB of base64";
    /// Time for which a subscriber may leave an event unread. After this time its subscription ends. This limit is always in real time.
    unread_event_seconds, "unread-event-seconds", Some(60), Some(60), Some(60),
        "seconds", "ours: the KCL, too, gives up a subscription after 60 s of silence";
    /// Time for which a client may leave an answer unread. The server closes the connection after this time, but at the latest after twice this time. This limit is always in real time.
    unread_answer_seconds, "unread-answer-seconds", Some(120), Some(120), Some(120),
        "seconds", "ours: SDKs give up after 60 s without a byte";
    /// Bytes of all requests and answers that may be in memory at the same time. Further requests wait for at most admission-wait-seconds, and then fail with ServiceUnavailable.
    in_flight_bytes, "in-flight-bytes", Some(256 << 20), Some(256 << 20), Some(256 << 20),
        "bytes", "ours: four of the largest requests at once, and thousands of small ones";
    /// Time for which a request may wait until in-flight-bytes admits it. This limit is always in real time.
    admission_wait_seconds, "admission-wait-seconds", Some(10), Some(10), Some(10),
        "seconds", "ours: well within the 60 s for which SDKs wait for an answer";
    /// Longest pause between two parts of the body of a request. After this time the request fails. This limit is always in real time.
    body_stall_seconds, "body-stall-seconds", Some(60), Some(60), Some(60),
        "seconds", "ours: as long as SDKs wait";
    /// Time within which the whole body of a request must arrive. This limit is always in real time.
    body_seconds, "body-seconds", Some(600), Some(600), Some(600),
        "seconds", "ours: the largest body at 35 KB/s";
    /// Time within which a new connection must send its first byte. This limit is always in real time.
    first_byte_seconds, "first-byte-seconds", Some(60), Some(60), Some(60),
        "seconds", "ours: a silent connection would occupy a slot for ever";
    /// Time within which a TLS handshake must end. This limit is always in real time.
    handshake_seconds, "handshake-seconds", Some(10), Some(10), Some(10),
        "seconds", "ours: enough for a slow machine";
    /// Time within which the head of a request must arrive, and for which a connection may be idle. A connection is closed at most a quarter of this time later. This limit is always in real time.
    head_seconds, "head-seconds", Some(180), Some(180), Some(180),
        "seconds", "ours: pools use a connection again after 60 to 90 s";
    /// Time for which an event source mapping waits after the first failed invocation. The wait doubles with each further failure.
    event_source_retry_first_ms, "event-source-retry-first-ms", Some(200), Some(200), Some(200),
        "ms", "recorded: 208 to 238 ms";
    /// Longest time for which an event source mapping waits after a failed invocation.
    event_source_retry_most_ms, "event-source-retry-most-ms", Some(60_000), Some(60_000), Some(60_000),
        "ms", "ours: eight invocations in 60 s were recorded, none after that";
    /// Time between two polls of a shard that has no new record for an event source mapping. If this limit is off, the mapping reads each record as soon as it is published.
    event_source_poll_ms, "event-source-poll-ms", OFF, OFF, Some(1_000),
        "ms", "AWS: Lambda polls a shard once a second";
    /// Time for which a tumbling window of an event source mapping stays open after its end if no further record arrives.
    event_source_window_idle_ms, "event-source-window-idle-ms", Some(120_000), OFF, Some(120_000),
        "ms", "ours: no final invocation was recorded in 50 s";
    /// Tails of streams that may be open at the same time. A tail is a live view of the records of a stream. Further tails are refused.
    tails, "tails", Some(1_000), Some(1_000), Some(1_000),
        "tails", "ours";
    /// Pause before the answer to a request of more than 4 KiB that the AWS SDK for Go v2 sends over HTTP/1.1. Without a pause, this SDK may send the request again and so write its records twice. This limit is always in real time.
    go_sdk_pause_ms, "go-sdk-pause-ms", Some(5), Some(5), Some(5),
        "ms", "ours: aws-sdk-go-v2 issues 1825 and 2737";
    /// Connections that may be open at the same time. A further connection waits until one closes.
    connections, "connections", Some(10_000), Some(10_000), Some(10_000),
        "connections", "ours";
}

/// Time that a stream spends in CREATING, UPDATING or DELETING under [`Profile::Strict`], in
/// milliseconds. The value is a choice.
pub(crate) const STRICT_TRANSITION_MS: u64 = 500;
/// Lifetime of a subscription, in milliseconds (AWS).
pub(crate) const SUBSCRIPTION_MS: i64 = 300_000;
/// Time without new records after which a subscription sends an empty event, in milliseconds (AWS).
pub(crate) const HEARTBEAT_MS: i64 = 5_000;
/// Maximum number of records in one event of a subscription. The value is a choice.
pub(crate) const EVENT_RECORDS: usize = 1_000;
/// Maximum number of bytes of data and partition keys in one event of a subscription. A single
/// larger record is sent alone. The value is a choice: several clients refuse messages of 16 MiB,
/// and each slow subscriber holds one event in memory.
pub(crate) const EVENT_BYTES: u64 = 256 << 10;
/// Pause of a subscription after it exceeded its read rate, in milliseconds. After the pause the
/// subscription reads again. The value is a choice.
pub(crate) const RATE_PAUSE_MS: i64 = 100;
/// Lifetime of a shard iterator, in milliseconds (AWS).
pub(crate) const ITERATOR_LIFE_MS: i64 = 300_000;
/// Longest time by which a valid shard iterator may be newer than the present time, in
/// milliseconds. It is newer if the clock was set back. The value is a choice: 24 hours, because
/// the correction of a wrong time zone sets a clock back by less.
pub(crate) const ITERATOR_AHEAD_MS: i64 = 86_400_000;
/// Maximum number of records in a GetRecords answer if the request has no Limit (AWS).
pub(crate) const READ_ANSWER_RECORDS: usize = 10_000;
/// Lifetime of a page token, in milliseconds (AWS).
pub(crate) const PAGE_TOKEN_LIFE_MS: i64 = 300_000;
/// Default and maximum number of shards in a DescribeStream answer (AWS).
pub(crate) const DESCRIBE_PAGE: usize = 100;
/// Default and maximum number of shards in a ListShards answer (AWS).
pub(crate) const SHARDS_PAGE: usize = 1_000;
/// Default and maximum number of streams in a ListStreams answer (AWS).
pub(crate) const STREAMS_PAGE: usize = 100;
/// Maximum size of one record of a stream that was created without MaxRecordSizeInKiB, in KiB
/// (AWS).
pub(crate) const RECORD_KIB: u32 = 1_024;
/// Retention period of a new stream, in hours (AWS).
pub(crate) const RETENTION_HOURS: u32 = 24;
/// Default and maximum number of consumers in a ListStreamConsumers answer (AWS).
pub(crate) const CONSUMERS_PAGE: usize = 100;
/// Default visibility timeout of a queue, in seconds (AWS).
pub(crate) const QUEUE_VISIBILITY_TIMEOUT_S: u32 = 30;
/// Default and maximum number of queues in a ListQueues answer. The value is a choice, the same as
/// for ListChannels.
pub(crate) const QUEUES_PAGE: usize = 100;
/// Default and maximum number of records that one receive from a queue returns (AWS).
pub(crate) const QUEUE_RECEIVE_RECORDS: usize = 10;
/// Default time for which a receive from an empty queue waits for records, in milliseconds (AWS).
pub(crate) const QUEUE_WAIT_MS: i64 = 9_000;
/// Maximum number of bytes of data and partition keys that one receive from a queue returns. A
/// single larger record is returned alone. The value is a choice: ten of the largest records would
/// make an answer of 133 MiB.
pub(crate) const QUEUE_ANSWER_BYTES: u64 = 10 << 20;
/// Minimum number of bytes of changes that a queue appends to its journal before it saves the whole
/// list of its records again. The value is a choice.
pub(crate) const QUEUE_LIST_AFTER_BYTES: usize = 256 << 10;
/// Size in bytes at which a document in a queue's journal is complete, if the document holds a part
/// of the list of the queue's records. The value is a choice: such a document fits in one segment.
pub(crate) const QUEUE_DOCUMENT_BYTES: usize = 48 << 10;
/// Default number of receives after which a record of a queue becomes a dead-letter record (AWS).
pub(crate) const QUEUE_MAX_RECEIVE_COUNT: u32 = 6;
/// Default DataFreshnessInSeconds of a channel, in seconds (AWS). DataFreshnessInSeconds is the
/// longest time for which a record waits for its delivery.
pub(crate) const CHANNEL_FRESHNESS_S: u32 = 300;
/// Smallest DataFreshnessInSeconds of a channel, in seconds (AWS developer guide).
pub(crate) const CHANNEL_FRESHNESS_S_LEAST: i32 = 300;
/// Largest DataFreshnessInSeconds of a channel, in seconds (AWS developer guide).
pub(crate) const CHANNEL_FRESHNESS_S_MOST: i32 = 900;
/// Default and maximum number of channels in a ListChannels answer (AWS).
pub(crate) const CHANNELS_PAGE: usize = 100;
/// Longest time for which the answer to CreateChannel waits for the check of the channel's
/// destination. Because of this wait the channel is usually ACTIVE when the client has the answer.
/// The value is a choice.
pub(crate) const CHANNEL_CHECK_WAIT: Duration = Duration::from_secs(1);
/// Maximum length of the reason for a channel's status FAILED, in characters (service model).
pub(crate) const CHANNEL_REASON_CHARACTERS: usize = 2_048;
/// Maximum number of bytes of records that the delivery of a channel reads in one step. The records
/// of two steps are in memory at the same time. The value is a choice.
pub(crate) const CHANNEL_READ_BYTES: u64 = 1 << 20;
/// Maximum number of records that the delivery of a channel reads in one step. The value is a
/// choice.
pub(crate) const CHANNEL_READ_RECORDS: usize = 10_000;
/// Number of bytes of records in memory at which a delivery to a table writes a data file, before
/// it reads further records. The value is a choice: the rows take a few times the bytes of their
/// records.
pub(crate) const CHANNEL_ROW_BYTES: usize = 4 << 20;
/// Maximum number of objects that all channels together write at the same time. The value is a
/// choice.
pub(crate) const CHANNEL_WRITERS: usize = 4;
/// A channel's delivery waits for at least this number of bytes of new records before it checks
/// again if its next object is full. The value is a choice.
pub(crate) const CHANNEL_RECHECK_BYTES: u64 = 64 << 10;
/// Wait after the first failed attempt to write an object of a channel, in milliseconds of the
/// emulator's clock. The wait doubles with each further failure. The value is a choice.
pub(crate) const CHANNEL_RETRY_FIRST_MS: i64 = 1_000;
/// Longest wait after a failed attempt to write an object of a channel, in milliseconds of the
/// emulator's clock. The value is a choice.
pub(crate) const CHANNEL_RETRY_MOST_MS: i64 = 60_000;
/// Longest time for which the transfer of an object to a bucket, or of the bucket's answer, may
/// make no progress. After this time, the attempt to write the object has failed. This time is
/// always real time. The value is a choice.
pub(crate) const CHANNEL_STALL: Duration = Duration::from_secs(20);
/// Maximum number of bytes of a channel's object that are collected in memory before the object is
/// sent. A larger object is collected in a temporary file, which is sent in parts of this size. The
/// value is a choice.
pub(crate) const CHANNEL_SPOOL_BYTES: usize = 256 << 10;
/// Default size at which an object of a channel is full, in bytes before the compression. The value
/// is a choice.
pub(crate) const CHANNEL_OBJECT_BYTES: u64 = 128 << 20;
/// Shortest retention period that a stream can have, in hours (AWS).
pub(crate) const MIN_RETENTION_HOURS: i32 = 24;
/// Longest retention period that a stream can have, in hours (AWS).
pub(crate) const MAX_RETENTION_HOURS: i32 = 8_760;
/// Period for which the daily limits on changes of a stream apply, in milliseconds: 24 hours (AWS).
pub(crate) const DAY_MS: i64 = 86_400_000;
/// Shortest duration of a minimum throughput billing commitment, in milliseconds (AWS).
pub(crate) const COMMITMENT_MS: i64 = 86_400_000;
/// The latest time that a clock may show, in milliseconds since 1970: the start of the year 2400.
/// The value is a choice: a sequence number cannot hold a much later time.
pub(crate) const LAST_MOMENT_MS: i64 = 13_569_465_600_000;
/// Maximum difference between the date of a valid signature and the machine's time, in seconds
/// (AWS).
pub(crate) const SIGNATURE_LIFE_S: i64 = 300;
/// Maximum number of signing keys of AWS Signature Version 4 that are cached. Each combination of a
/// day, a region and an access key has its own signing key. The value is a choice.
pub(crate) const SIGNING_KEYS: usize = 16;
/// Largest file of policies, in bytes. The value is a choice: IAM allows 6,144 characters for one
/// policy.
pub(crate) const POLICIES_FILE_BYTES: u64 = 1 << 20;
/// Maximum size of a setup file, and of a file of records that a setup file names, in bytes. The
/// value is a choice: half a million records of 500 bytes.
pub(crate) const SETUP_FILE_BYTES: u64 = 256 << 20;
/// Maximum size of a file that an option names, in bytes, for example of the file of `--config`.
/// Files of policies and setup files have maximum sizes of their own. The value is a choice.
pub(crate) const OPTION_FILE_BYTES: u64 = 16 << 20;
/// Longest name of a region, in bytes. The value is a choice: the longest name of an AWS region has
/// 14 bytes.
pub(crate) const REGION_CHARACTERS: usize = 64;
/// Maximum memory for the token buckets that limit the rates of API calls, in bytes. The value is a
/// choice.
pub(crate) const CALL_RATE_BYTES: usize = 16 << 20;
/// Time between two checks of the write traffic of on-demand streams, in milliseconds. The value is
/// a choice: the service takes up to 15 minutes to add shards.
pub(crate) const SCALING_SWEEP_MS: i64 = 60_000;
/// Write traffic above which a shard of an on-demand stream is split, in bytes per second (AWS).
pub(crate) const SCALING_BYTES_PER_SECOND: u64 = 500_000;
/// Number of shards of a new on-demand stream (AWS).
pub(crate) const ON_DEMAND_SHARDS: u32 = 4;
/// Warm throughput of an on-demand stream whose warm throughput was never set, in MiB/s. The value
/// is a choice: a new on-demand stream has four shards, and each shard accepts 1 MiB/s.
pub(crate) const ON_DEMAND_WARM_MIBPS: u32 = 4;
/// Number of shards of a stream for which the environment variable `INITIALIZE_STREAMS` gives no
/// number of shards (from kinesis-mock).
pub(crate) const INITIALIZED_SHARDS: u32 = 4;
/// Default number of records in one page of the list of a stream's records, in the admin API and
/// the console. The value is a choice.
pub(crate) const LISTING_RECORDS: usize = 100;
/// Maximum number of records that a request to the admin API may ask for in one page. The value is
/// a choice.
pub(crate) const LISTING_RECORDS_MOST: usize = 10_000;
/// Maximum number of records of a stream that are read to fill one page of a list. Records that the
/// page does not show count, too. The value is a choice.
pub(crate) const LISTING_SCANNED_RECORDS: usize = 50_000;
/// Maximum number of records that a search for a partition key or a text reads from a shard in one
/// step. The value is a choice.
pub(crate) const LISTING_SEARCHED_RECORDS: usize = 1_000;
/// Maximum number of characters in the partition key of a record (AWS).
pub(crate) const PARTITION_KEY_CHARACTERS: usize = 256;
/// Number of bytes of JSON text after which the list of an aggregated record's user records leaves
/// out further user records. The value is a choice.
pub(crate) const AGGREGATE_TEXT_BYTES: usize = 1 << 20;
/// Number of bytes after which a page of a list of records gets no further record. The admin API
/// counts the bytes of the records' JSON text, and the console counts the bytes of the records'
/// data. The value is a choice.
pub(crate) const LISTING_BYTES: u64 = 4 << 20;
/// Maximum number of lines in the body of a put over the admin API that are in memory as records at
/// the same time. The value is a choice.
pub(crate) const PUT_LINES: usize = 2_000;
/// Maximum number of shards that one tail follows at the same time. The value is a choice: each
/// event of a tail names the position in every shard.
pub(crate) const TAIL_SHARDS: usize = 500;
/// Number of bytes of text after which a frame of the answer to a tail gets no further record. The
/// value is a choice.
pub(crate) const TAIL_FRAME_BYTES: usize = 64 << 10;
/// Maximum number of snapshots that are saved at the same time. The value is a choice.
pub(crate) const SNAPSHOTS_AT_ONCE: u64 = 4;
/// Minimum size of each part in which a snapshot is sent, in bytes. Only the last part may be
/// smaller. The value is a choice.
pub(crate) const SNAPSHOT_PART_BYTES: usize = 256 << 10;
/// Maximum number of records that the save of a snapshot reads from a log in one step. The value is
/// a choice.
pub(crate) const SNAPSHOT_READ_RECORDS: usize = 1_000;
/// Maximum number of bytes of data and partition keys that the save of a snapshot reads from a log
/// in one step. A single larger record is read alone. The value is a choice.
pub(crate) const SNAPSHOT_READ_BYTES: u64 = 256 << 10;
/// Largest body of one block of a snapshot, in bytes. The value is a choice: the largest record has
/// 10 MiB.
pub(crate) const SNAPSHOT_BLOCK_BYTES: usize = 16 << 20;
/// Maximum total size of the catalog entries in a snapshot, in bytes. A load refuses a snapshot
/// whose catalog entries are larger. The value is a choice.
pub(crate) const SNAPSHOT_CATALOG_BYTES: usize = 256 << 20;
/// Greatest run in the head of a snapshot that can be loaded. An emulator whose own run is greater
/// also loads snapshots with runs up to its own run. The value is a choice: an emulator that is
/// started every hour reaches this run after seven years, and forged snapshots use up at most an
/// eighth of the runs that a data directory can have.
pub(crate) const SNAPSHOT_RUN: u64 = 1 << 16;
/// Default time for which a request to the admin API waits for records, in milliseconds. The value
/// is a choice.
pub(crate) const WAIT_MS: u64 = 10_000;
/// Longest time for which a request to the admin API may wait for records, in milliseconds. The
/// value is a choice.
pub(crate) const WAIT_MS_MOST: u64 = 3_600_000;
/// Number of seconds by which the first shards of a new stream are older than the stream. The value
/// is typical for AWS.
pub(crate) const SHARD_CREATED_BEFORE_S: u64 = 3;
/// Maximum size of an event that a mapping sends to its function, in bytes. The value was recorded
/// at AWS, where it is called 6 MB.
pub(crate) const EVENT_SOURCE_EVENT_BYTES: usize = 6_291_456;
/// Number of events that each shard of a mapping may hold in memory although the in-flight budget is
/// exhausted, so that a slow function delays only its own shard. The value is a choice.
pub(crate) const EVENT_SOURCE_OWN_EVENTS: usize = 1;
/// Maximum number of records that a mapping holds in memory ahead of its position in a shard. The
/// value is the maximum number of records in a GetRecords answer (AWS).
pub(crate) const EVENT_SOURCE_READ_AHEAD: usize = 10_000;
/// Maximum number of bytes of records that a mapping holds in memory ahead of its position in a
/// shard. The value is the maximum size of a GetRecords answer (AWS).
pub(crate) const EVENT_SOURCE_READ_AHEAD_BYTES: usize = 10 << 20;
/// Maximum number of records that a mapping reads from a shard in one step. Because of this limit,
/// no mapping keeps a thread busy for long. The value is a choice.
pub(crate) const EVENT_SOURCE_READ_RECORDS: usize = 1_000;
/// Maximum number of bytes of records that a mapping reads from a shard in one step. The value is a
/// choice.
pub(crate) const EVENT_SOURCE_READ_BYTES: u64 = 2 << 20;
/// Maximum number of mappings in a ListEventSourceMappings answer (AWS).
pub(crate) const EVENT_SOURCE_PAGE: usize = 100;
/// Maximum number of entries in the event log of one mapping. The value is a choice.
pub(crate) const EVENT_SOURCE_LOG_ENTRIES: usize = 10_000;
/// Longest time for which a request for a mapping's event log may wait for the next entry. The
/// value is a choice.
pub(crate) const EVENT_SOURCE_LOG_WAIT: Duration = Duration::from_secs(60);
/// Maximum number of discarded batches that one mapping keeps for inspection. The value is a
/// choice.
pub(crate) const EVENT_SOURCE_FAILURES: usize = 100;
/// Maximum number of bytes of the events of discarded batches that one mapping keeps. Beyond this
/// number, the mapping drops the events of the oldest batches, but keeps their failure records. The
/// value is a choice.
pub(crate) const EVENT_SOURCE_FAILURE_BYTES: usize = 16 << 20;
/// Minimum time between two saves of a mapping's LastProcessingResult in the catalog, in
/// milliseconds. The value is a choice.
pub(crate) const EVENT_SOURCE_RESULT_SAVE_MS: i64 = 1_000;
/// Minimum time between two warnings that a function was not reached, in milliseconds. A choice.
pub(crate) const EVENT_SOURCE_WARNING_MS: i64 = 60_000;
/// Maximum size of the state of a tumbling window, in bytes. A window whose state is larger ends
/// early. The value was recorded at AWS, where it is called 1 MB.
pub(crate) const EVENT_SOURCE_STATE_BYTES: usize = 1_048_576;
/// Maximum size of a function's answer, in bytes. The value is that of the Lambda Runtime Interface
/// Emulator: 6 MiB and 100 bytes.
pub(crate) const EVENT_SOURCE_ANSWER_BYTES: usize = 6_291_556;
/// Time limit for opening a connection to a function or a destination. The value is a choice.
pub(crate) const OUTBOUND_CONNECT: Duration = Duration::from_secs(5);
/// Time limit of one attempt to deliver a failure record to an on-failure destination, or to check
/// a bucket. The value is a choice.
pub(crate) const OUTBOUND_DELIVERY: Duration = Duration::from_secs(10);
/// Largest body of an answer that minikin accepts from a destination, in bytes. The value is a
/// choice.
pub(crate) const OUTBOUND_ANSWER_BYTES: usize = 1 << 20;
/// Maximum number of bytes of an error answer from a destination or a function that a log message
/// shows. The value is a choice.
pub(crate) const OUTBOUND_ERROR_BYTES: usize = 500;
/// Maximum number of bytes that a mapping keeps of the text of a discarded batch's last error, for
/// inspection. The value is a choice.
pub(crate) const EVENT_SOURCE_ERROR_BYTES: usize = 4 << 10;
/// Time between two removals of the expired records from memory and disk, in milliseconds. The
/// value is a choice.
pub(crate) const RETENTION_SWEEP_MS: i64 = 600_000;
/// Size at which a generation is complete and the next generation begins, in bytes. A generation is
/// one sled database. The value was measured: larger databases keep more memory in use.
pub(crate) const GENERATION_BYTES: u64 = 64 << 20;
/// Size at which a temporary file of spilled segments is complete and the next file begins, in
/// bytes. The value is a choice. A temporary file may be larger than a sled database, because an
/// open file takes no memory.
pub(crate) const TEMP_FILE_GENERATION_BYTES: u64 = 256 << 20;
/// Size at which a segment is complete, in bytes. The value was measured: smaller segments are
/// slower, and larger segments are hardly faster.
pub(crate) const SEGMENT_BYTES: usize = 64 << 10;
/// Default maximum size of the records in memory, in bytes. The value is a choice.
pub(crate) const MEMORY_BYTES: u64 = 64 << 20;
/// Maximum number of appended bytes that may wait for a commit. Further writers wait for the
/// commit. The value is a choice.
pub(crate) const UNFLUSHED_BYTES: u64 = 16 << 20;
/// Time limit for the end of all tasks when the emulator stops. The value is a choice.
pub(crate) const CLOSE_LIMIT: Duration = Duration::from_secs(10);
/// Number of low bits of a sequence index that count within one run. With 44 bits, each run has
/// 2^44 sequence indexes. Shards that were created together share the indexes of a run. The value
/// is a choice.
pub(crate) const SEQUENCE_INDEX_BITS_A_RUN: u32 = 44;
/// Number of runs that one data directory can have. A sequence index has 63 bits, and its upper
/// bits are the number of the run.
pub(crate) const RUNS_OF_ONE_DIRECTORY: u64 = 1 << (63 - SEQUENCE_INDEX_BITS_A_RUN);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_records_in_flight_are_unlimited() {
        let mut limits = Limits::for_profile(Profile::Standard);
        for name in ["queue-in-flight", "on-demand-streams"] {
            limits.set(name, "0").expect("a known limit");
        }
        let changed = (limits.queue_in_flight, limits.on_demand_streams);
        assert_eq!(changed, (None, Some(0)));
    }

    #[test]
    fn a_limit_can_be_set_alone() {
        let mut limits = Limits::for_profile(Profile::Standard);
        limits
            .set("shard-write-bytes", "10")
            .expect("a known limit");
        limits
            .set("shard-write-records", "off")
            .expect("a known limit");
        assert_eq!(limits.shard_write_bytes, Some(10));
        assert_eq!(limits.shard_write_records, None);
        assert!(limits.set("no-such", "1").is_err());
        assert!(limits.set("connections", "many").is_err());
        assert!(limits.set("connections", "0").is_err());
        assert!(limits.set("connections", "1").is_ok());
    }

    #[test]
    fn rows_say_what_a_limit_means() {
        let rows = Limits::for_profile(Profile::Strict).rows();
        assert!(
            rows.iter()
                .all(|row| row.meaning.ends_with('.') && !row.meaning.contains('"'))
        );
    }
}
