//! Every limit of the service or of minikin, with its name, its values and its source.
//!
//! A limit that a user can set with `--limit` is a row of the table in this file and a field of
//! [`Limits`]. Other limits are constants: in `limits/edge.rs` for connections, documents and
//! databases, in `limits/streaming_tables.rs` for tables, and below the table for everything else.
//! The comment of a constant names its source in parentheses; "our choice" means that minikin chose
//! the value and no source gives it. A number that belongs to a file format or to a shape of the
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
    /// Enforces the write limits of shards. Rate limits of reads and of calls are off.
    #[default]
    Standard,
    /// Turns all rate limits off, and also the limit on streams that are created at the same time.
    Fast,
    /// Enforces all limits of the service, and its delays between states such as CREATING and
    /// ACTIVE.
    Strict,
}

const OFF: Limit = None;

/// The only limit for which the value 0 means no limit: its name, and this value.
const UNLIMITED: (&str, &str) = ("queue-in-flight", "0");

/// Declares the limits that can be set. Each row has the field, the name for `--limit`, the values
/// in the profiles standard, fast and strict, the unit and the source. The doc comment of the row
/// is the meaning that `minikin limits` prints.
macro_rules! limits {
    ($(#[doc = $doc:literal] $field:ident, $name:literal, $standard:expr, $fast:expr, $strict:expr,
        $unit:literal, $source:literal;)*) => {
        /// The limits that one emulator enforces.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $(#[doc = $doc] pub $field: Limit,)*
            /// The limits on calls a second, by operation.
            pub calls: Calls,
        }

        impl Limits {
            /// All limits with their values in `profile`.
            pub fn for_profile(profile: Profile) -> Self {
                match profile {
                    Profile::Standard => Self { $($field: $standard,)* calls: Calls::OFF },
                    Profile::Fast => Self { $($field: $fast,)* calls: Calls::OFF },
                    Profile::Strict => Self { $($field: $strict,)* calls: Calls::strict() },
                }
            }

            /// Sets the limit called `name` to a number, or turns it off with `off`.
            ///
            /// # Errors
            /// A message for the user when no limit has this name, or `value` is neither a number
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

            /// All limits as rows of the table that `minikin limits` prints.
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
    /// Bytes of data and partition keys written to one shard per second.
    shard_write_bytes, "shard-write-bytes", Some(1_048_576), OFF, Some(1_048_576),
        "bytes/s", "AWS quota: 1 MB/s of writes a shard";
    /// Records written to one shard per second.
    shard_write_records, "shard-write-records", Some(1_000), OFF, Some(1_000),
        "records/s", "AWS quota: 1,000 records/s a shard";
    /// GetRecords calls on one shard per second.
    shard_read_calls, "shard-read-calls", OFF, OFF, Some(5),
        "calls/s", "AWS quota: 5 read transactions/s a shard";
    /// Bytes of data and partition keys that GetRecords reads from one shard per second; a larger answer delays the next calls.
    shard_read_bytes, "shard-read-bytes", OFF, OFF, Some(2_097_152),
        "bytes/s", "AWS quota: 2 MB/s of reads a shard";
    /// GetShardIterator calls on one shard per second.
    shard_iterator_calls, "shard-iterator-calls", OFF, OFF, Some(5),
        "calls/s", "AWS API reference: GetShardIterator";
    /// Bytes of data and partition keys sent to one consumer by its subscription to one shard, per second.
    consumer_read_bytes, "consumer-read-bytes", OFF, OFF, Some(2_097_152),
        "bytes/s", "AWS quota: 2 MB/s for each consumer of a shard";
    /// Time after a successful SubscribeToShard in which the same consumer cannot subscribe to the shard again.
    subscription_lock_seconds, "subscription-lock-seconds", Some(5), Some(5), Some(5),
        "seconds", "AWS API reference: SubscribeToShard";
    /// Bytes of data and partition keys in one GetRecords answer.
    read_answer_bytes, "read-answer-bytes", Some(10_485_760), Some(10_485_760), Some(10_485_760),
        "bytes", "AWS quota: 10 MB a GetRecords call";
    /// Bytes of data and partition keys in one PutRecords request.
    put_records_bytes, "put-records-bytes", Some(10_485_760), Some(10_485_760), Some(10_485_760),
        "bytes", "AWS quota: 10 MB a PutRecords call";
    /// Streams that may be in CREATING or DELETING at once in one account and region.
    streams_in_transition, "streams-in-transition", Some(5), OFF, Some(5),
        "streams", "AWS error text of CreateStream";
    /// Open shards of provisioned streams in one account and region.
    shards_per_account, "shards-per-account", Some(20_000), Some(1_000_000), Some(20_000),
        "shards", "AWS quota in us-east-1";
    /// On-demand streams in one account and region.
    on_demand_streams, "on-demand-streams", Some(50), Some(1_000_000), Some(50),
        "streams", "AWS quota";
    /// Open shards that one stream may have after an UpdateShardCount.
    shards_per_stream, "shards-per-stream", Some(10_000), Some(10_000), Some(10_000),
        "shards", "AWS API reference: UpdateShardCount";
    /// UpdateShardCount calls that change the same stream within 24 hours.
    scalings_per_day, "scalings-per-day", Some(10), OFF, Some(10),
        "calls", "AWS API reference: UpdateShardCount";
    /// Changes of the capacity mode of one stream within 24 hours.
    mode_switches_per_day, "mode-switches-per-day", Some(2), OFF, Some(2),
        "calls", "AWS API reference: UpdateStreamMode";
    /// StartStreamEncryption calls that start one stream's encryption or change its key within 24 hours.
    encryptions_per_day, "encryptions-per-day", Some(25), OFF, Some(25),
        "calls", "AWS API reference: StartStreamEncryption";
    /// StopStreamEncryption calls that stop one stream's encryption within 24 hours.
    decryptions_per_day, "decryptions-per-day", Some(25), OFF, Some(25),
        "calls", "AWS API reference: StopStreamEncryption";
    /// Consumers that one stream may have.
    consumers_per_stream, "consumers-per-stream", Some(20), Some(20), Some(20),
        "consumers", "AWS API reference: RegisterStreamConsumer";
    /// Consumers of one on-demand stream of an account with the minimum throughput billing commitment.
    consumers_per_committed_stream, "consumers-per-committed-stream", Some(50), Some(50), Some(50),
        "consumers", "AWS API reference: RegisterStreamConsumer";
    /// Consumers of one stream that may be in CREATING at once.
    consumers_creating, "consumers-creating", Some(5), OFF, Some(5),
        "consumers", "AWS API reference: RegisterStreamConsumer";
    /// Queues of one account and region that may be in CREATING or DELETING at once.
    queues_in_transition, "queues-in-transition", Some(5), OFF, Some(5),
        "queues", "AWS quota";
    /// Records of one queue that may be in flight at once; 0 means no limit. The queue's dead-letter records are counted apart, with a limit of the same number.
    queue_in_flight, "queue-in-flight", Some(120_000), OFF, Some(120_000),
        "records", "AWS quota";
    /// Channels that one account may have in one region.
    channels_per_account, "channels-per-account", Some(100), Some(1_000_000), Some(100),
        "channels", "AWS developer guide: two for each on-demand stream";
    /// Channels of one stream that deliver to the same kind of destination (S3 or S3 Tables).
    channels_per_destination, "channels-per-destination", Some(1), Some(1), Some(1),
        "channels", "AWS developer guide";
    /// Time that a channel stays in CREATING before its destination is checked; when off, --transition-ms applies.
    channel_create_ms, "channel-create-ms", OFF, OFF, OFF,
        "ms", "ours";
    /// Time that a channel stays in UPDATING; when off, --transition-ms applies.
    channel_update_ms, "channel-update-ms", OFF, OFF, OFF,
        "ms", "ours";
    /// Time that a channel stays in DELETING; when off, --transition-ms applies.
    channel_delete_ms, "channel-delete-ms", OFF, OFF, OFF,
        "ms", "ours";
    /// Largest warm throughput of one stream.
    warm_throughput, "warm-throughput", Some(10_240), Some(10_240), Some(10_240),
        "MiB/s", "AWS API reference: UpdateStreamWarmThroughput";
    /// Tags that one resource may have.
    tags, "tags", Some(50), Some(50), Some(50),
        "tags", "AWS API reference: TagResource";
    /// Largest body of one request.
    request_bytes, "request-bytes", Some(20 << 20), Some(20 << 20), Some(20 << 20),
        "bytes", "ours: a 10 MB PutRecords is about 14 MB of base64";
    /// Time for which a subscriber may leave an event unread before its subscription is dropped; always real time.
    unread_event_seconds, "unread-event-seconds", Some(60), Some(60), Some(60),
        "seconds", "ours: the KCL, too, gives up a subscription after 60 s of silence";
    /// Time for which a client may leave an answer unread; its connection is closed after this time, or at the latest after twice this time; always real time.
    unread_answer_seconds, "unread-answer-seconds", Some(120), Some(120), Some(120),
        "seconds", "ours: SDKs give up after 60 s without a byte";
    /// Bytes of all requests and answers in memory at once. Further requests wait for admission-wait-seconds, then fail with ServiceUnavailable.
    in_flight_bytes, "in-flight-bytes", Some(256 << 20), Some(256 << 20), Some(256 << 20),
        "bytes", "ours: four of the largest requests at once, and thousands of small ones";
    /// Time for which a request may wait for the in-flight budget; always real time.
    admission_wait_seconds, "admission-wait-seconds", Some(10), Some(10), Some(10),
        "seconds", "ours: well within the 60 s for which SDKs wait for an answer";
    /// Pause between two parts of a request's body after which the request fails; always real time.
    body_stall_seconds, "body-stall-seconds", Some(60), Some(60), Some(60),
        "seconds", "ours: as long as SDKs wait";
    /// Time within which the whole body of a request must arrive; always real time.
    body_seconds, "body-seconds", Some(600), Some(600), Some(600),
        "seconds", "ours: the largest body at 35 KB/s";
    /// Time within which a new connection must send its first byte; always real time.
    first_byte_seconds, "first-byte-seconds", Some(60), Some(60), Some(60),
        "seconds", "ours: a silent connection would occupy a slot for ever";
    /// Time within which a TLS handshake must end; always real time.
    handshake_seconds, "handshake-seconds", Some(10), Some(10), Some(10),
        "seconds", "ours: enough for a slow machine";
    /// Time within which the head of a request must arrive, and for which a connection may be idle; enforced up to a quarter late; always real time.
    head_seconds, "head-seconds", Some(180), Some(180), Some(180),
        "seconds", "ours: pools use a connection again after 60 to 90 s";
    /// Wait of an event source mapping after the first failed invocation; the wait doubles with each further failure.
    event_source_retry_first_ms, "event-source-retry-first-ms", Some(200), Some(200), Some(200),
        "ms", "recorded: 208 to 238 ms";
    /// Longest wait of an event source mapping after a failed invocation.
    event_source_retry_most_ms, "event-source-retry-most-ms", Some(60_000), Some(60_000), Some(60_000),
        "ms", "ours: eight invocations in 60 s were recorded, none after that";
    /// Time after which an event source mapping that has read the shard's newest record polls the shard again; when off, the mapping reads each record as soon as it arrives.
    event_source_poll_ms, "event-source-poll-ms", OFF, OFF, Some(1_000),
        "ms", "AWS: Lambda polls a shard once a second";
    /// Time for which a tumbling window that gets no further records stays open after its end.
    event_source_window_idle_ms, "event-source-window-idle-ms", Some(120_000), OFF, Some(120_000),
        "ms", "ours: no final invocation was recorded in 50 s";
    /// Tails of streams (live views of their records) open at once; a further tail is refused.
    tails, "tails", Some(1_000), Some(1_000), Some(1_000),
        "tails", "ours";
    /// Pause before the answer to a request over 4 KiB from the AWS SDK for Go v2 over HTTP/1.1, which without a pause may retry and double records; always real time.
    go_sdk_pause_ms, "go-sdk-pause-ms", Some(5), Some(5), Some(5),
        "ms", "ours: aws-sdk-go-v2 issues 1825 and 2737";
    /// Connections open at once; a further connection waits until one closes.
    connections, "connections", Some(10_000), Some(10_000), Some(10_000),
        "connections", "ours";
}

/// Time that a stream spends in CREATING, UPDATING or DELETING under [`Profile::Strict`], in
/// milliseconds (our choice).
pub(crate) const STRICT_TRANSITION_MS: u64 = 500;
/// Lifetime of a subscription, in milliseconds (AWS).
pub(crate) const SUBSCRIPTION_MS: i64 = 300_000;
/// Time without a record after which a subscription sends an event without records, in milliseconds
/// (AWS).
pub(crate) const HEARTBEAT_MS: i64 = 5_000;
/// Maximum number of records in one event of a subscription (our choice).
pub(crate) const EVENT_RECORDS: usize = 1_000;
/// Maximum number of bytes of data and partition keys in one event of a subscription; a single
/// larger record is sent alone (our choice: several clients refuse messages of 16 MiB, and each
/// slow subscriber holds one event in memory).
pub(crate) const EVENT_BYTES: u64 = 256 << 10;
/// Pause of a subscription that exceeded its read rate before it tries again, in milliseconds (our
/// choice).
pub(crate) const RATE_PAUSE_MS: i64 = 100;
/// Lifetime of a shard iterator, in milliseconds (AWS).
pub(crate) const ITERATOR_LIFE_MS: i64 = 300_000;
/// Greatest time by which the issue of a shard iterator may lie in the future, in milliseconds (our
/// choice: a clock that was set to a wrong time zone and then corrected is shifted by less).
pub(crate) const ITERATOR_AHEAD_MS: i64 = 86_400_000;
/// Maximum number of records in a GetRecords answer when the request has no Limit (AWS).
pub(crate) const READ_ANSWER_RECORDS: usize = 10_000;
/// Lifetime of a page token, in milliseconds (AWS).
pub(crate) const PAGE_TOKEN_LIFE_MS: i64 = 300_000;
/// Default and maximum number of shards in a DescribeStream answer (AWS).
pub(crate) const DESCRIBE_PAGE: usize = 100;
/// Default and maximum number of shards in a ListShards answer (AWS).
pub(crate) const SHARDS_PAGE: usize = 1_000;
/// Default and maximum number of streams in a ListStreams answer (AWS).
pub(crate) const STREAMS_PAGE: usize = 100;
/// Default maximum size of the records of a stream, in KiB (AWS).
pub(crate) const RECORD_KIB: u32 = 1_024;
/// Retention period of a new stream, in hours (AWS).
pub(crate) const RETENTION_HOURS: u32 = 24;
/// Default and maximum number of consumers in a ListStreamConsumers answer (AWS).
pub(crate) const CONSUMERS_PAGE: usize = 100;
/// Default visibility timeout of a queue, in seconds (AWS).
pub(crate) const QUEUE_VISIBILITY_TIMEOUT_S: u32 = 30;
/// Default and maximum number of queues in a ListQueues answer (our choice, as in ListChannels).
pub(crate) const QUEUES_PAGE: usize = 100;
/// Default and maximum number of records that one receive from a queue returns (AWS).
pub(crate) const QUEUE_RECEIVE_RECORDS: usize = 10;
/// Default time for which a receive from an empty queue waits for records, in milliseconds (AWS).
pub(crate) const QUEUE_WAIT_MS: i64 = 9_000;
/// Maximum number of bytes of data and partition keys that one receive from a queue returns; a
/// single larger record is returned alone (our choice: ten of the largest records would make an
/// answer of 133 MiB).
pub(crate) const QUEUE_ANSWER_BYTES: u64 = 10 << 20;
/// Minimum number of bytes of changes in a queue's journal after which the queue saves the whole
/// list of its records again (our choice).
pub(crate) const QUEUE_LIST_AFTER_BYTES: usize = 256 << 10;
/// Size of one document of the saved list of a queue's records, in bytes (our choice: a document
/// fits in one segment).
pub(crate) const QUEUE_DOCUMENT_BYTES: usize = 48 << 10;
/// Default number of receives after which a record of a queue becomes a dead-letter record (AWS).
pub(crate) const QUEUE_MAX_RECEIVE_COUNT: u32 = 6;
/// Default DataFreshnessInSeconds of a channel: the longest age of its undelivered records (AWS).
pub(crate) const CHANNEL_FRESHNESS_S: u32 = 300;
/// Smallest DataFreshnessInSeconds of a channel (AWS developer guide).
pub(crate) const CHANNEL_FRESHNESS_S_LEAST: i32 = 300;
/// Largest DataFreshnessInSeconds of a channel (AWS developer guide).
pub(crate) const CHANNEL_FRESHNESS_S_MOST: i32 = 900;
/// Default and maximum number of channels in a ListChannels answer (AWS).
pub(crate) const CHANNELS_PAGE: usize = 100;
/// Longest time for which the answer to CreateChannel waits for the check of the destination, so
/// that the channel is usually ACTIVE when the client has the answer (our choice).
pub(crate) const CHANNEL_CHECK_WAIT: Duration = Duration::from_secs(1);
/// Longest text that gives the reason of a channel's status FAILED, in characters (service model).
pub(crate) const CHANNEL_REASON_CHARACTERS: usize = 2_048;
/// Maximum number of bytes of records that the delivery of a channel reads in one step (our
/// choice). Two such parts of an object are in memory at a time.
pub(crate) const CHANNEL_READ_BYTES: u64 = 1 << 20;
/// Maximum number of records that the delivery of a channel reads in one step (our choice).
pub(crate) const CHANNEL_READ_RECORDS: usize = 10_000;
/// Bytes of records in memory at which a delivery to a table writes a data file, before it reads
/// further records (our choice: the rows take a few times the bytes of their records).
pub(crate) const CHANNEL_ROW_BYTES: usize = 4 << 20;
/// Maximum number of objects that all channels together write at the same time (our choice).
pub(crate) const CHANNEL_WRITERS: usize = 4;
/// Minimum number of bytes of new records after which a delivery checks again if its next object is
/// full (our choice).
pub(crate) const CHANNEL_RECHECK_BYTES: u64 = 64 << 10;
/// Wait after the first failed attempt to write an object, in milliseconds of the emulator's clock.
/// It doubles with each further failure (our choice).
pub(crate) const CHANNEL_RETRY_FIRST_MS: i64 = 1_000;
/// Longest wait after a failed attempt to write an object, in milliseconds (our choice).
pub(crate) const CHANNEL_RETRY_MOST_MS: i64 = 60_000;
/// Time in which a server must accept a part of an object or answer, so that the attempt to send
/// the object does not fail; always real time (our choice).
pub(crate) const CHANNEL_STALL: Duration = Duration::from_secs(20);
/// Bytes of an object that are collected in memory before it is sent; a larger object is collected
/// in a temporary file. The file is sent in parts of this size, too (our choice).
pub(crate) const CHANNEL_SPOOL_BYTES: usize = 256 << 10;
/// Default size at which an object of a channel is full, in bytes before the compression (our
/// choice).
pub(crate) const CHANNEL_OBJECT_BYTES: u64 = 128 << 20;
/// Shortest retention period, in hours (AWS).
pub(crate) const MIN_RETENTION_HOURS: i32 = 24;
/// Longest retention period, in hours (AWS).
pub(crate) const MAX_RETENTION_HOURS: i32 = 8_760;
/// The 24 hours of the daily limits on changes of a stream, in milliseconds (AWS).
pub(crate) const DAY_MS: i64 = 86_400_000;
/// Shortest duration of a minimum throughput billing commitment, in milliseconds (AWS).
pub(crate) const COMMITMENT_MS: i64 = 86_400_000;
/// The latest time that a clock may show, in milliseconds since 1970: the start of the year 2400
/// (our choice: a sequence number cannot hold a much later time).
pub(crate) const LAST_MOMENT_MS: i64 = 13_569_465_600_000;
/// Largest difference between the date of a signature and the machine's time, in seconds (AWS).
pub(crate) const SIGNATURE_LIFE_S: i64 = 300;
/// Maximum number of cached signing keys of AWS Signature Version 4 (our choice). Each day, region
/// and access key has its own signing key.
pub(crate) const SIGNING_KEYS: usize = 16;
/// Largest file of policies, in bytes (our choice; IAM allows 6,144 characters for one policy).
pub(crate) const POLICIES_FILE_BYTES: u64 = 1 << 20;
/// Longest name of a region, in bytes (our choice; the longest name of an AWS region has 14 bytes).
pub(crate) const REGION_CHARACTERS: usize = 64;
/// Maximum memory for the call counters of all callers, in bytes (our choice).
pub(crate) const CALL_RATE_BYTES: usize = 16 << 20;
/// Time between two checks of the traffic of on-demand streams, in milliseconds (our choice; the
/// service takes up to 15 minutes).
pub(crate) const SCALING_SWEEP_MS: i64 = 60_000;
/// Traffic above which a shard of an on-demand stream is split, in bytes per second (AWS).
pub(crate) const SCALING_BYTES_PER_SECOND: u64 = 500_000;
/// Number of shards of a new on-demand stream (AWS).
pub(crate) const ON_DEMAND_SHARDS: u32 = 4;
/// Warm throughput of an on-demand stream for which none was ever set, in MiB/s (our choice: the
/// write capacity of the shards of a new stream).
pub(crate) const ON_DEMAND_WARM_MIBPS: u32 = 4;
/// Number of shards of a stream that `INITIALIZE_STREAMS` names without a shard count
/// (kinesis-mock).
pub(crate) const INITIALIZED_SHARDS: u32 = 4;
/// Default number of records in one page when the admin API or the console lists the records of a
/// stream (our choice).
pub(crate) const LISTING_RECORDS: usize = 100;
/// Largest number of records in one page that a request to the admin API may ask for (our choice).
pub(crate) const LISTING_RECORDS_MOST: usize = 10_000;
/// Maximum number of records that one page of a list reads in search of records to show (our
/// choice).
pub(crate) const LISTING_SCANNED_RECORDS: usize = 50_000;
/// Maximum number of records that a search for a partition key or a text reads in one step (our
/// choice).
pub(crate) const LISTING_SEARCHED_RECORDS: usize = 1_000;
/// Bytes of data after which a page of records shows no further record (our choice).
pub(crate) const LISTING_BYTES: u64 = 4 << 20;
/// Maximum number of lines of a put over the admin API that are in memory as records at the same
/// time (our choice).
pub(crate) const PUT_LINES: usize = 2_000;
/// Maximum number of shards that one tail follows at the same time (our choice: each event of a
/// tail names the position in every shard).
pub(crate) const TAIL_SHARDS: usize = 500;
/// Bytes of text after which one frame of a tail's answer gets no further record (our choice).
pub(crate) const TAIL_FRAME_BYTES: usize = 1 << 20;
/// Maximum number of snapshots that are saved at the same time (our choice).
pub(crate) const SNAPSHOTS_AT_ONCE: u64 = 4;
/// Minimum size of the parts in which a snapshot is sent, except the last part, in bytes (our
/// choice).
pub(crate) const SNAPSHOT_PART_BYTES: usize = 256 << 10;
/// Maximum number of records that a snapshot reads from a log in one step (our choice).
pub(crate) const SNAPSHOT_READ_RECORDS: usize = 1_000;
/// Maximum number of bytes of data and partition keys that a snapshot reads in one step; a single
/// larger record is read alone (our choice).
pub(crate) const SNAPSHOT_READ_BYTES: u64 = 256 << 10;
/// Largest body of one block in a snapshot, in bytes (our choice: the largest record has 10 MiB).
pub(crate) const SNAPSHOT_BLOCK_BYTES: usize = 16 << 20;
/// Maximum size of all catalog entries (streams, shards, queues, mappings) of a snapshot that a
/// load accepts, in bytes (our choice).
pub(crate) const SNAPSHOT_CATALOG_BYTES: usize = 256 << 20;
/// Greatest run of a snapshot that an emulator with a smaller run loads (our choice: an emulator
/// that is started every hour reaches this run after seven years, and all loads of forged snapshots
/// together use up at most an eighth of the runs of a data directory).
pub(crate) const SNAPSHOT_RUN: u64 = 1 << 16;
/// Default time for which a request to the admin API waits for records, in milliseconds (our
/// choice).
pub(crate) const WAIT_MS: u64 = 10_000;
/// Longest time for which a request to the admin API may wait for records, in milliseconds (our
/// choice).
pub(crate) const WAIT_MS_MOST: u64 = 3_600_000;
/// Seconds by which the creation of a new stream's first shards precedes the creation of the stream
/// (typical for AWS).
pub(crate) const SHARD_CREATED_BEFORE_S: u64 = 3;
/// Largest event for the function of an event source mapping, in bytes (AWS: 6 MB; recorded).
pub(crate) const EVENT_SOURCE_EVENT_BYTES: usize = 6_291_456;
/// Maximum number of records that a mapping holds in memory ahead of its position in a shard (AWS:
/// the size of a GetRecords answer).
pub(crate) const EVENT_SOURCE_READ_AHEAD: usize = 10_000;
/// Maximum number of bytes of records that a mapping holds in memory ahead of its position in a
/// shard (AWS: the size of a GetRecords answer).
pub(crate) const EVENT_SOURCE_READ_AHEAD_BYTES: usize = 10 << 20;
/// Maximum number of records that a mapping reads in one step, so that no mapping keeps a thread
/// busy for long (our choice).
pub(crate) const EVENT_SOURCE_READ_RECORDS: usize = 1_000;
/// Maximum number of bytes that a mapping reads in one step (our choice).
pub(crate) const EVENT_SOURCE_READ_BYTES: u64 = 2 << 20;
/// Maximum number of mappings in a ListEventSourceMappings answer (AWS).
pub(crate) const EVENT_SOURCE_PAGE: usize = 100;
/// Maximum number of entries that the event log of a mapping keeps (our choice).
pub(crate) const EVENT_SOURCE_LOG_ENTRIES: usize = 10_000;
/// Longest time for which a reader of a mapping's event log may wait for the next entry (our
/// choice).
pub(crate) const EVENT_SOURCE_LOG_WAIT: Duration = Duration::from_secs(60);
/// Maximum number of discarded batches of a mapping that are kept for inspection (our choice).
pub(crate) const EVENT_SOURCE_FAILURES: usize = 100;
/// Maximum number of bytes of events in the discarded batches that are kept. Beyond this number the
/// oldest batches lose their events, and only their failure records are kept (our choice).
pub(crate) const EVENT_SOURCE_FAILURE_BYTES: usize = 16 << 20;
/// Minimum time between two saves of a mapping's LastProcessingResult, in milliseconds (our
/// choice).
pub(crate) const EVENT_SOURCE_RESULT_SAVE_MS: i64 = 1_000;
/// Size of the state of a tumbling window above which the window ends early, in bytes (AWS: 1 MB;
/// recorded).
pub(crate) const EVENT_SOURCE_STATE_BYTES: usize = 1_048_576;
/// Largest answer of a function, in bytes (as in the Lambda Runtime Interface Emulator: 6 MB and
/// 100 bytes).
pub(crate) const EVENT_SOURCE_ANSWER_BYTES: usize = 6_291_556;
/// Time limit for opening a connection to a function (our choice).
pub(crate) const OUTBOUND_CONNECT: Duration = Duration::from_secs(5);
/// Time limit of one attempt to deliver an on-failure record (our choice).
pub(crate) const OUTBOUND_DELIVERY: Duration = Duration::from_secs(10);
/// Largest answer of a destination that is read, in bytes (our choice).
pub(crate) const OUTBOUND_ANSWER_BYTES: usize = 1 << 20;
/// Bytes of an error answer of a destination or function that the log shows (our choice).
pub(crate) const OUTBOUND_ERROR_BYTES: usize = 500;
/// Bytes of the last error of a discarded batch that are kept for inspection (our choice).
pub(crate) const EVENT_SOURCE_ERROR_BYTES: usize = 4 << 10;
/// Time between two sweeps that free the memory and disk space of expired records, in milliseconds
/// (our choice).
pub(crate) const RETENTION_SWEEP_MS: i64 = 600_000;
/// Size of a generation (one sled database), in bytes (measured: larger databases keep more memory
/// in use).
pub(crate) const GENERATION_BYTES: u64 = 64 << 20;
/// Size of a temporary file of spilled segments, in bytes (our choice: larger than a sled database,
/// because an open file takes no memory).
pub(crate) const TEMP_FILE_GENERATION_BYTES: u64 = 256 << 20;
/// Size of a segment, in bytes (measured: smaller segments are slower, larger segments gain
/// little).
pub(crate) const SEGMENT_BYTES: usize = 64 << 10;
/// Default memory for recent records, in bytes (our choice).
pub(crate) const MEMORY_BYTES: u64 = 64 << 20;
/// Maximum number of appended bytes that may wait for a commit; beyond this number writers wait
/// (our choice).
pub(crate) const UNFLUSHED_BYTES: u64 = 16 << 20;
/// Time limit for the end of all tasks when the emulator stops (our choice).
pub(crate) const CLOSE_LIMIT: Duration = Duration::from_secs(10);
/// Each run (one start of the emulator, or one load of a snapshot) has 2 to the power of this
/// number sequence indexes (our choice). Shards that were created together share these indexes.
pub(crate) const SEQUENCE_INDEX_BITS_A_RUN: u32 = 44;
/// Number of runs that one data directory can have: each run has its own sequence indexes, and an
/// index has 63 bits.
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
