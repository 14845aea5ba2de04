//! Every limit, of the service or of minikin, with its name, its values and its source.
//!
//! A limit that can be set is a row of the table in this file and a field of [`Limits`]. Other limits
//! are constants: in `limits/edge.rs` for connections, documents and databases, and behind the table
//! for everything else. The source stands in parentheses; "ours" is a choice of minikin. Numbers of
//! a format stand with the format, and numbers of a shape with the shape.

mod calls;
mod edge;
mod value;

pub use calls::CALL_RATES;
pub(crate) use calls::{CallRate, Calls};
pub use edge::*;
pub(crate) use value::{Limit, Row};

use std::time::Duration;

/// A set of limits and delays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// The write limits of a shard are on. Other rate limits are off.
    #[default]
    Standard,
    /// All rate limits are off, and the limit of simultaneous creations too.
    Fast,
    /// All limits of the service are on, and its delays between states.
    Strict,
}

const OFF: Limit = None;

/// Declares the settable limits: field, name, value by profile, unit, source, meaning.
macro_rules! limits {
    ($(#[doc = $doc:literal] $field:ident, $name:literal, $standard:expr, $fast:expr, $strict:expr,
        $unit:literal, $source:literal;)*) => {
        /// The limits in force.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $(#[doc = $doc] pub $field: Limit,)*
            /// The rate limits of operations.
            pub calls: Calls,
        }

        impl Limits {
            /// The values of `profile`.
            pub fn for_profile(profile: Profile) -> Self {
                match profile {
                    Profile::Standard => Self { $($field: $standard,)* calls: Calls::OFF },
                    Profile::Fast => Self { $($field: $fast,)* calls: Calls::OFF },
                    Profile::Strict => Self { $($field: $strict,)* calls: Calls::strict() },
                }
            }

            /// Sets the limit with this name to a number or to `off`.
            ///
            /// # Errors
            /// The fault of the name or the value, for people.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
                let value = if value == "off" {
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

            /// All limits, in a form for people.
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
    /// Data and partition keys written to one shard.
    shard_write_bytes, "shard-write-bytes", Some(1_048_576), OFF, Some(1_048_576),
        "bytes/s", "AWS quota: 1 MB/s of writes a shard";
    /// Records written to one shard.
    shard_write_records, "shard-write-records", Some(1_000), OFF, Some(1_000),
        "records/s", "AWS quota: 1,000 records/s a shard";
    /// GetRecords calls on one shard.
    shard_read_calls, "shard-read-calls", OFF, OFF, Some(5),
        "calls/s", "AWS quota: 5 read transactions/s a shard";
    /// Data and partition keys read from one shard by GetRecords; a larger answer delays the next calls.
    shard_read_bytes, "shard-read-bytes", OFF, OFF, Some(2_097_152),
        "bytes/s", "AWS quota: 2 MB/s of reads a shard";
    /// GetShardIterator calls on one shard.
    shard_iterator_calls, "shard-iterator-calls", OFF, OFF, Some(5),
        "calls/s", "AWS API reference: GetShardIterator";
    /// Data and partition keys pushed to one consumer of one shard.
    consumer_read_bytes, "consumer-read-bytes", OFF, OFF, Some(2_097_152),
        "bytes/s", "AWS quota: 2 MB/s for each consumer of a shard";
    /// Time after a successful SubscribeToShard in which the same consumer cannot subscribe to the shard again.
    subscription_lock_seconds, "subscription-lock-seconds", Some(5), Some(5), Some(5),
        "seconds", "AWS API reference: SubscribeToShard";
    /// Data and partition keys in one GetRecords answer.
    read_answer_bytes, "read-answer-bytes", Some(10_485_760), Some(10_485_760), Some(10_485_760),
        "bytes", "AWS quota: 10 MB a GetRecords call";
    /// Data and partition keys in one PutRecords request.
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
    /// Open shards that UpdateShardCount may give one stream.
    shards_per_stream, "shards-per-stream", Some(10_000), Some(10_000), Some(10_000),
        "shards", "AWS API reference: UpdateShardCount";
    /// UpdateShardCount calls that change one stream in 24 hours.
    scalings_per_day, "scalings-per-day", Some(10), OFF, Some(10),
        "calls", "AWS API reference: UpdateShardCount";
    /// Switches of one stream between the capacity modes in 24 hours.
    mode_switches_per_day, "mode-switches-per-day", Some(2), OFF, Some(2),
        "calls", "AWS API reference: UpdateStreamMode";
    /// Times that one stream's encryption may be started or get another key in 24 hours.
    encryptions_per_day, "encryptions-per-day", Some(25), OFF, Some(25),
        "calls", "AWS API reference: StartStreamEncryption";
    /// Times that one stream's encryption may be stopped in 24 hours.
    decryptions_per_day, "decryptions-per-day", Some(25), OFF, Some(25),
        "calls", "AWS API reference: StopStreamEncryption";
    /// Consumers of one stream.
    consumers_per_stream, "consumers-per-stream", Some(20), Some(20), Some(20),
        "consumers", "AWS API reference: RegisterStreamConsumer";
    /// Consumers of one on-demand stream whose account is committed to a minimum of throughput.
    consumers_per_committed_stream, "consumers-per-committed-stream", Some(50), Some(50), Some(50),
        "consumers", "AWS API reference: RegisterStreamConsumer";
    /// Consumers of one stream that may be in CREATING at once.
    consumers_creating, "consumers-creating", Some(5), OFF, Some(5),
        "consumers", "AWS API reference: RegisterStreamConsumer";
    /// Queues of one account and region that may be in CREATING or DELETING at once.
    queues_in_transition, "queues-in-transition", Some(5), OFF, Some(5),
        "queues", "AWS quota";
    /// Records of one queue in flight, and as many of its dead-letter records.
    queue_in_flight, "queue-in-flight", Some(120_000), OFF, Some(120_000),
        "records", "AWS quota";
    /// Warm throughput of one stream.
    warm_throughput, "warm-throughput", Some(10_240), Some(10_240), Some(10_240),
        "MiB/s", "AWS API reference: UpdateStreamWarmThroughput";
    /// Tags of one resource.
    tags, "tags", Some(50), Some(50), Some(50),
        "tags", "AWS API reference: TagResource";
    /// Bytes of one request's body.
    request_bytes, "request-bytes", Some(20 << 20), Some(20 << 20), Some(20 << 20),
        "bytes", "ours: a 10 MB PutRecords is about 14 MB of base64";
    /// Time for which a subscriber may leave an event unread before it is dropped; always real time.
    unread_event_seconds, "unread-event-seconds", Some(60), Some(60), Some(60),
        "seconds", "ours: the KCL, too, gives up a subscription after 60 s of silence";
    /// Time for which a client may leave an answer unread before its connection is closed; twice that at most, and always real time.
    unread_answer_seconds, "unread-answer-seconds", Some(120), Some(120), Some(120),
        "seconds", "ours: SDKs give up after 60 s without a byte";
    /// Bytes of all requests and answers in memory at once; further requests wait, and are refused with ServiceUnavailable in the end.
    in_flight_bytes, "in-flight-bytes", Some(256 << 20), Some(256 << 20), Some(256 << 20),
        "bytes", "ours: four of the largest requests at once, and thousands of small ones";
    /// Time for which a request may wait for the in-flight budget; always real time.
    admission_wait_seconds, "admission-wait-seconds", Some(10), Some(10), Some(10),
        "seconds", "ours: well within the 60 s for which SDKs wait for an answer";
    /// Time for which a request's body may be without a further byte; always real time.
    body_stall_seconds, "body-stall-seconds", Some(60), Some(60), Some(60),
        "seconds", "ours: as long as SDKs wait";
    /// Time for which a request's body may take altogether; always real time.
    body_seconds, "body-seconds", Some(600), Some(600), Some(600),
        "seconds", "ours: the largest body at 35 KB/s";
    /// Time for which a connection may be open before its first byte; always real time.
    first_byte_seconds, "first-byte-seconds", Some(60), Some(60), Some(60),
        "seconds", "ours: one that never sends anything would hold its place for ever";
    /// Time for which a TLS handshake may take; always real time.
    handshake_seconds, "handshake-seconds", Some(10), Some(10), Some(10),
        "seconds", "ours: enough for a slow machine";
    /// Time for which a request's head may take, and a connection may be idle; up to a quarter more, and always real time.
    head_seconds, "head-seconds", Some(180), Some(180), Some(180),
        "seconds", "ours: pools use a connection again after 60 to 90 s";
    /// First wait after a failed invocation of an event source mapping; it doubles with each failure.
    event_source_retry_first_ms, "event-source-retry-first-ms", Some(200), Some(200), Some(200),
        "ms", "recorded: 208 to 238 ms";
    /// Longest wait after a failed invocation of an event source mapping.
    event_source_retry_most_ms, "event-source-retry-most-ms", Some(60_000), Some(60_000), Some(60_000),
        "ms", "ours: eight invocations in 60 s were recorded, none after that";
    /// Time after which an event source mapping reads a shard again that it has read to its end.
    event_source_poll_ms, "event-source-poll-ms", OFF, OFF, Some(1_000),
        "ms", "AWS: Lambda polls a shard once a second";
    /// Time after its end for which a tumbling window without further records stays open.
    event_source_window_idle_ms, "event-source-window-idle-ms", Some(120_000), OFF, Some(120_000),
        "ms", "ours: no final invocation was recorded in 50 s";
    /// Tails of streams open at once; a further one is refused.
    tails, "tails", Some(1_000), Some(1_000), Some(1_000),
        "tails", "ours";
    /// Pause before the answer to the Go SDK v2 over HTTP/1.1, whose retries would double records; always real time.
    go_sdk_pause_ms, "go-sdk-pause-ms", Some(5), Some(5), Some(5),
        "ms", "ours: aws-sdk-go-v2 issues 1825 and 2737";
    /// Connections open at once; further ones wait until one closes.
    connections, "connections", Some(10_000), Some(10_000), Some(10_000),
        "connections", "ours";
}

/// Time in CREATING, UPDATING and DELETING under [`Profile::Strict`], in milliseconds (ours).
pub(crate) const STRICT_TRANSITION_MS: u64 = 500;
/// Lifetime of a subscription, in milliseconds (AWS).
pub(crate) const SUBSCRIPTION_MS: i64 = 300_000;
/// Time without records after which a subscription sends an empty event, in ms (AWS).
pub(crate) const HEARTBEAT_MS: i64 = 5_000;
/// Records in one event (ours).
pub(crate) const EVENT_RECORDS: usize = 1_000;
/// Bytes of data and partition keys in one event, unless a single record is larger (ours; several
/// clients refuse messages of 16 MiB, and each subscriber that lags holds one event in memory).
pub(crate) const EVENT_BYTES: u64 = 256 << 10;
/// Time between two attempts of a subscription that exceeded its rate, in milliseconds (ours).
pub(crate) const RATE_PAUSE_MS: i64 = 100;
/// Lifetime of a shard iterator, in milliseconds (AWS).
pub(crate) const ITERATOR_LIFE_MS: i64 = 300_000;
/// Time by which an iterator may have been issued after the present moment, in milliseconds (ours):
/// more than a clock is set back for a wrong time zone.
pub(crate) const ITERATOR_AHEAD_MS: i64 = 86_400_000;
/// Default number of records of a GetRecords answer (AWS).
pub(crate) const READ_ANSWER_RECORDS: usize = 10_000;
/// Lifetime of a page token, in milliseconds (AWS).
pub(crate) const PAGE_TOKEN_LIFE_MS: i64 = 300_000;
/// Default and largest number of shards of a DescribeStream answer (AWS).
pub(crate) const DESCRIBE_PAGE: usize = 100;
/// Default and largest number of shards of a ListShards answer (AWS).
pub(crate) const SHARDS_PAGE: usize = 1_000;
/// Default and largest number of streams of a ListStreams answer (AWS).
pub(crate) const STREAMS_PAGE: usize = 100;
/// Default size of a stream's largest record, in KiB (AWS).
pub(crate) const RECORD_KIB: u32 = 1_024;
/// Retention period of a new stream, in hours (AWS).
pub(crate) const RETENTION_HOURS: u32 = 24;
/// Default and largest number of consumers of a ListStreamConsumers answer (AWS).
pub(crate) const CONSUMERS_PAGE: usize = 100;
/// Visibility timeout of a queue that sets nothing else, in seconds (AWS).
pub(crate) const QUEUE_VISIBILITY_TIMEOUT_S: u32 = 30;
/// Queues in a ListQueues answer when the request does not say, and at most (a choice: as ListChannels).
pub(crate) const QUEUES_PAGE: usize = 100;
/// Records in a receive from a queue when the request does not say, and at most (AWS).
pub(crate) const QUEUE_RECEIVE_RECORDS: usize = 10;
/// Time for which a receive waits when the request does not say, in milliseconds (AWS).
pub(crate) const QUEUE_WAIT_MS: i64 = 9_000;
/// Bytes of data and partition keys in a receive, unless one record alone is larger (ours: ten of the
/// largest records would make an answer of 133 MiB).
pub(crate) const QUEUE_ANSWER_BYTES: u64 = 10 << 20;
/// Bytes of changes of a queue after which it lists its records anew, at least (ours).
pub(crate) const QUEUE_LIST_AFTER_BYTES: usize = 256 << 10;
/// Bytes of one document of such a list (ours: it fits in a segment).
pub(crate) const QUEUE_DOCUMENT_BYTES: usize = 48 << 10;
/// Receives after which a record becomes dead-letter where nothing else is said (AWS).
pub(crate) const QUEUE_MAX_RECEIVE_COUNT: u32 = 6;
/// Shortest retention period, in hours (AWS).
pub(crate) const MIN_RETENTION_HOURS: i32 = 24;
/// Longest retention period, in hours (AWS).
pub(crate) const MAX_RETENTION_HOURS: i32 = 8_760;
/// Period of the limits for changes in a day, in milliseconds (AWS).
pub(crate) const DAY_MS: i64 = 86_400_000;
/// Shortest commitment to a minimum of throughput, in milliseconds (AWS).
pub(crate) const COMMITMENT_MS: i64 = 86_400_000;
/// The last moment of a clock, in milliseconds since 1970: the begin of the year 2400. Sequence
/// numbers cannot hold times much later (ours).
pub(crate) const LAST_MOMENT_MS: i64 = 13_569_465_600_000;
/// Largest difference between the date of a signature and the machine's time, in seconds (AWS).
pub(crate) const SIGNATURE_LIFE_S: i64 = 300;
/// Signing keys in the cache: one for each day, region and access key in use (ours).
pub(crate) const SIGNING_KEYS: usize = 16;
/// Bytes of a file of policies (ours; IAM takes 6,144 characters for each).
pub(crate) const POLICIES_FILE_BYTES: u64 = 1 << 20;
/// Bytes of the name of a region (ours): the longest of the service has 14.
pub(crate) const REGION_CHARACTERS: usize = 64;
/// Memory of the callers with counted rates, in bytes (ours).
pub(crate) const CALL_RATE_BYTES: usize = 16 << 20;
/// Time between two checks of the traffic of on-demand streams, in milliseconds (ours; the service
/// takes up to 15 minutes).
pub(crate) const SCALING_SWEEP_MS: i64 = 60_000;
/// Traffic above which a shard of an on-demand stream is split, in bytes a second (AWS).
pub(crate) const SCALING_BYTES_PER_SECOND: u64 = 500_000;
/// Shards of a new on-demand stream (AWS).
pub(crate) const ON_DEMAND_SHARDS: u32 = 4;
/// Shards of a stream that `INITIALIZE_STREAMS` names without a number (kinesis-mock).
pub(crate) const INITIALIZED_SHARDS: u32 = 4;
/// Default number of records that a look into a stream shows (ours).
pub(crate) const LOOK_RECORDS: usize = 100;
/// Largest number of records that a look into a stream shows (ours).
pub(crate) const LOOK_RECORDS_MOST: usize = 10_000;
/// Records that one look reads while it searches for a partition key (ours).
pub(crate) const LOOK_SCANNED_RECORDS: usize = 50_000;
/// Bytes of data after which a look shows no further record (ours).
pub(crate) const LOOK_BYTES: u64 = 4 << 20;
/// Shards that one tail follows at a time (ours): each event names the position in every one.
pub(crate) const TAIL_SHARDS: usize = 500;
/// Bytes of the frame of a tail after which it takes no further record (ours).
pub(crate) const TAIL_FRAME_BYTES: usize = 1 << 20;
/// Snapshots that are saved at a time (ours).
pub(crate) const SNAPSHOTS_AT_ONCE: u64 = 4;
/// Bytes of a snapshot that are sent together, at least (ours).
pub(crate) const SNAPSHOT_PART_BYTES: usize = 256 << 10;
/// Records of a log that a snapshot takes in one step (ours).
pub(crate) const SNAPSHOT_READ_RECORDS: usize = 1_000;
/// Bytes of data and partition keys in such a step, unless a single record is larger (ours).
pub(crate) const SNAPSHOT_READ_BYTES: u64 = 256 << 10;
/// Bytes of the body of a block of a snapshot, at most (ours): the largest record has 10 MiB.
pub(crate) const SNAPSHOT_BLOCK_BYTES: usize = 16 << 20;
/// Bytes of the streams, shards, queues and mappings in a snapshot that is loaded, without records
/// (ours).
pub(crate) const SNAPSHOT_CATALOG_BYTES: usize = 256 << 20;
/// Default time of a wait for records, in milliseconds (ours).
pub(crate) const WAIT_MS: u64 = 10_000;
/// Longest time of a wait for records, in milliseconds (ours).
pub(crate) const WAIT_MS_MOST: u64 = 3_600_000;
/// Time by which the first shards are older than their stream, in seconds (typical for AWS).
pub(crate) const SHARD_CREATED_BEFORE_S: u64 = 3;
/// Most bytes of the event that a function is given (AWS: 6 MB; recorded).
pub(crate) const EVENT_SOURCE_EVENT_BYTES: usize = 6_291_456;
/// Records that a mapping reads ahead of its position in a shard (AWS: a GetRecords answer).
pub(crate) const EVENT_SOURCE_READ_AHEAD: usize = 10_000;
/// Bytes of events that a mapping reads ahead in a shard (AWS: a GetRecords answer).
pub(crate) const EVENT_SOURCE_READ_AHEAD_BYTES: usize = 10 << 20;
/// Records that a mapping reads in one step, so that no mapping keeps a thread for long (ours).
pub(crate) const EVENT_SOURCE_READ_RECORDS: usize = 1_000;
/// Bytes that a mapping reads in one step (ours).
pub(crate) const EVENT_SOURCE_READ_BYTES: u64 = 2 << 20;
/// Mappings in a ListEventSourceMappings answer, at most (AWS).
pub(crate) const EVENT_SOURCE_PAGE: usize = 100;
/// Entries of the event log of a mapping (ours).
pub(crate) const EVENT_SOURCE_LOG_ENTRIES: usize = 10_000;
/// Time for which a reader of the event log waits for the next entry, at most (ours).
pub(crate) const EVENT_SOURCE_LOG_WAIT: Duration = Duration::from_secs(60);
/// Discarded batches of a mapping that are kept for people (ours).
pub(crate) const EVENT_SOURCE_FAILURES: usize = 100;
/// Bytes of their events; of the oldest only the record is kept (ours).
pub(crate) const EVENT_SOURCE_FAILURE_BYTES: usize = 16 << 20;
/// Least time between two saves of a changed LastProcessingResult, in milliseconds (ours).
pub(crate) const EVENT_SOURCE_RESULT_SAVE_MS: i64 = 1_000;
/// Bytes of the state of a tumbling window, above which the window ends early (AWS: 1 MB; recorded).
pub(crate) const EVENT_SOURCE_STATE_BYTES: usize = 1_048_576;
/// Bytes of the answer of a function (the Runtime Interface Emulator's: 6 MB and 100 bytes).
pub(crate) const EVENT_SOURCE_ANSWER_BYTES: usize = 6_291_556;
/// Time for a connection to a function (ours).
pub(crate) const OUTBOUND_CONNECT: Duration = Duration::from_secs(5);
/// Time for one try to deliver an on-failure record (ours).
pub(crate) const OUTBOUND_DELIVERY: Duration = Duration::from_secs(10);
/// Bytes of the answer of a destination (ours).
pub(crate) const OUTBOUND_ANSWER_BYTES: usize = 1 << 20;
/// Bytes of the refusal of a destination that are logged (ours).
pub(crate) const OUTBOUND_ERROR_BYTES: usize = 500;
/// Bytes of the last error of a batch that are kept for people (ours).
pub(crate) const EVENT_SOURCE_ERROR_BYTES: usize = 4 << 10;
/// Time between two sweeps that free the memory and disk of expired records, in ms (ours).
pub(crate) const RETENTION_SWEEP_MS: i64 = 600_000;
/// Bytes of a generation, a sled database (measured: larger ones keep more memory).
pub(crate) const GENERATION_BYTES: u64 = 64 << 20;
/// Bytes of a temporary file of spilled segments (ours): an open file takes no memory.
pub(crate) const SCRATCH_GENERATION_BYTES: u64 = 256 << 20;
/// Bytes of a segment (measured: smaller segments are slower, larger ones gain little).
pub(crate) const SEGMENT_BYTES: usize = 64 << 10;
/// Default bytes of recent records in memory (ours).
pub(crate) const MEMORY_BYTES: u64 = 64 << 20;
/// Bytes that may wait for a commit. Beyond them writers wait (ours).
pub(crate) const UNFLUSHED_BYTES: u64 = 16 << 20;
/// Time for tasks to end at a stop (ours).
pub(crate) const CLOSE_LIMIT: Duration = Duration::from_secs(10);
/// Exponent of the number of sequence indexes of one run for each group of shards (ours).
pub(crate) const SEQUENCE_INDEX_BITS_A_RUN: u32 = 44;
/// Starts on one data directory until the sequence indexes of 63 bits are used up (ours).
pub(crate) const RUNS_OF_ONE_DIRECTORY: u64 = 1 << (63 - SEQUENCE_INDEX_BITS_A_RUN);

#[cfg(test)]
mod tests {
    use super::*;

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
