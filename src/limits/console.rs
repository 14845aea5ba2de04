//! Limits of the console. A user cannot set them.

/// Maximum number of rows in a list of streams, queues, channels or mappings in the console. The
/// value is a choice.
pub(crate) const CONSOLE_ROWS: usize = 500;
/// Maximum number of records per second that the console shows in its live view of a stream. The
/// value is a choice: a person cannot read more.
pub(crate) const CONSOLE_TAIL_RECORDS: u64 = 50;
/// Maximum number of records in one page of a list of records in the console. The value is a
/// choice.
pub(crate) const CONSOLE_RECORDS: usize = 50;
/// Maximum number of bytes of one record's data that a list of records in the console shows. The
/// value is a choice.
pub(crate) const CONSOLE_ROW_BYTES: usize = 2 << 10;
/// Maximum number of bytes of data that the console's page for one record shows. The value is a
/// choice.
pub(crate) const CONSOLE_RECORD_BYTES: usize = 256 << 10;
/// Maximum number of values in a JSON document that the console shows, and maximum number of user
/// records in an aggregated record that the console shows. The value is a choice.
pub(crate) const CONSOLE_VALUES: usize = 1_000;
/// Maximum number of records that one form of the console puts into a stream. The value is a
/// choice.
pub(crate) const CONSOLE_PUT_RECORDS: usize = 10_000;
/// Maximum number of dead-letter records that one form of the console restores to their queue. The
/// value is a choice.
pub(crate) const CONSOLE_RESTORED_RECORDS: usize = 1_000;
/// Maximum number of requests in the console's list of recent requests. The value is a choice.
pub(crate) const RECENT_REQUESTS: usize = 200;
/// Time after the last visit of a page of the console, in milliseconds. During this time, the
/// server remembers every request, to show it in the console. Afterwards, the server remembers only
/// failed requests. The value is a choice.
pub(crate) const RECENT_WATCH_MS: u64 = 60_000;
/// Length of the intervals in which successful requests are counted for
/// [`RECENT_REQUESTS_AN_INTERVAL`], in milliseconds. The value is a choice.
pub(crate) const RECENT_INTERVAL_MS: u64 = 100;
/// Maximum number of successful requests that the console remembers from one interval. The value is
/// a choice: a person cannot read more, and copying the bodies of all requests slows a busy
/// server.
pub(crate) const RECENT_REQUESTS_AN_INTERVAL: u64 = 100;
/// Number of bytes that the server remembers at each end of a request's body, so that the console
/// can find the name of the stream. The value is a choice.
pub(crate) const RECENT_BODY_BYTES: usize = 512;
/// Maximum number of entries of a mapping's event log that the console shows. The value is a
/// choice.
pub(crate) const CONSOLE_EVENTS: usize = 200;
