//! Bounds of the console.

/// Minimum time between two readings of the counters that the console shows as rates, in
/// milliseconds (our choice).
pub(crate) const CONSOLE_READING_MS: u64 = 1_000;
/// Time for which the console keeps readings of counters, in milliseconds (our choice).
pub(crate) const CONSOLE_HISTORY_MS: u64 = 180_000;
/// Maximum number of readings that the console keeps of the counters of one stream (our choice).
pub(crate) const CONSOLE_READINGS: usize = 100;
/// Maximum number of streams of which the console keeps readings; beyond it the console drops the
/// readings of all streams (our choice).
pub(crate) const CONSOLE_STREAMS: usize = 1_000;
/// Maximum number of shards of which the console keeps readings; beyond it the console drops the
/// readings of all shards (our choice).
pub(crate) const CONSOLE_SHARDS: usize = 20_000;
/// Maximum number of rows of a list in the console (our choice).
pub(crate) const CONSOLE_ROWS: usize = 500;
/// Maximum number of records per second that the console shows while they arrive (our choice: more
/// cannot be read).
pub(crate) const CONSOLE_TAIL_RECORDS: u64 = 50;
/// Number of records in one list of the console (our choice).
pub(crate) const CONSOLE_RECORDS: usize = 50;
/// Bytes of a record's data that a list in the console shows (our choice).
pub(crate) const CONSOLE_ROW_BYTES: usize = 2 << 10;
/// Bytes of a record's data that the page of the record shows (our choice).
pub(crate) const CONSOLE_RECORD_BYTES: usize = 256 << 10;
/// Maximum number of values of a JSON document, and of user records of an aggregate, that the
/// console shows (our choice).
pub(crate) const CONSOLE_VALUES: usize = 1_000;
/// Maximum number of records that one form of the console puts (our choice).
pub(crate) const CONSOLE_PUT_RECORDS: usize = 10_000;
/// Maximum number of dead-letter records that one form of the console restores (our choice).
pub(crate) const CONSOLE_RESTORED_RECORDS: usize = 1_000;
/// Number of requests that the console remembers (our choice).
pub(crate) const RECENT_REQUESTS: usize = 200;
/// Time after the last visit of a page of the console for which every request is remembered, in
/// milliseconds (our choice). At other times only failed requests are remembered.
pub(crate) const RECENT_WATCH_MS: u64 = 60_000;
/// Bytes at each end of a request's body that the console remembers, to find the name of the stream
/// in them (our choice).
pub(crate) const RECENT_BODY_BYTES: usize = 512;
/// Number of entries of an event log that the console shows (our choice).
pub(crate) const CONSOLE_EVENTS: usize = 200;
