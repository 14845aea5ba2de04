//! Limits of connections, documents and databases that a user cannot set. The comment of each limit
//! names the source of the value. "A choice" means that minikin chose it.

use std::time::Duration;

/// Number of bytes that each request takes from the in-flight budget for its head, its processing
/// and a small body. The value is a choice. In a measurement, a request that waited for its body
/// took 6 to 9 KB.
pub const REQUEST_PERMIT_BYTES: u64 = 8 << 10;
/// Maximum size of a body for which a request takes only [`REQUEST_PERMIT_BYTES`] from the
/// in-flight budget, in bytes. The value is a choice: half of `REQUEST_PERMIT_BYTES`. The other
/// half is for the request's other data.
pub(crate) const BODY_IN_PERMIT_BYTES: u64 = REQUEST_PERMIT_BYTES / 2;
/// Maximum size of a small answer, in bytes, and maximum number of bytes that a small body takes
/// from the in-flight budget. Larger answers and bodies take their bytes from other lanes of the
/// budget. The value is a choice.
pub const SMALL_BYTES: u64 = 64 << 10;
/// Maximum size of a medium answer, in bytes. In the in-flight budget, a medium answer does not
/// wait for larger answers. The value is a choice: a typical read returns a thousand records of a
/// kilobyte.
pub(crate) const MEDIUM_BYTES: u64 = 1 << 20;
/// Number of bytes that each byte of a request's body takes from the in-flight budget. While the
/// records are decoded, the body is in memory twice.
pub(crate) const BODY_WEIGHT: u64 = 2;
/// Maximum number of requests that may wait in one lane of the in-flight budget. The value is a
/// choice. The server may hold one HTTP/2 window of the body of each waiting request in memory.
pub(crate) const ADMISSION_LINE: u64 = 512;
/// Time limit for a request with a slow body while other requests wait for the in-flight budget.
/// The value is a choice.
pub(crate) const BODY_HURRY: Duration = Duration::from_secs(5);
/// Speed below which the body of a request counts as slow, in bytes per second. The value is a
/// choice.
pub(crate) const BODY_HURRY_BYTES_PER_SECOND: u64 = 16 << 10;
/// Maximum number of reads of segments from disk at the same time. The value is a choice: each read
/// holds up to 10 MB in memory, and a machine has few disks.
pub(crate) const DISK_READS: usize = 16;
/// Longest time for which a read from disk waits until other reads have ended. The value is a
/// choice. A request may wait equally long for the in-flight budget.
pub(crate) const DISK_READ_WAIT: Duration = Duration::from_secs(10);
/// Maximum number of open HTTP/2 streams of one connection. A KCL worker keeps one HTTP/2 stream
/// open for each shard for five minutes, and opens another connection when the worker reaches the
/// maximum. The value is a choice.
pub(crate) const HTTP2_STREAMS: u32 = 1024;
/// HTTP/2 window of one request's body, in bytes: the number of bytes that a client may send before
/// the server reads them. The value is a choice. The window is small, because these bytes do not
/// count in the in-flight budget yet. Between programs on one machine, a small window costs little
/// speed.
pub(crate) const HTTP2_STREAM_WINDOW_BYTES: u32 = 256 << 10;
/// HTTP/2 window of one connection, for the bodies of all its requests together, in bytes. The
/// value is a choice.
pub(crate) const HTTP2_CONNECTION_WINDOW_BYTES: u32 = 1 << 20;
/// Maximum size of all headers of a request over HTTP/2, in bytes. The value is a choice: session
/// tokens are large.
pub(crate) const HTTP2_HEADER_LIST_BYTES: u32 = 32 << 10;
/// Maximum size of a connection's buffer over HTTP/1, in bytes. The buffer limits the head of a
/// request, and the bytes of a body that one read returns. The value is a choice.
pub(crate) const HTTP1_BUFFER_BYTES: usize = 64 << 10;
/// Maximum number of HTTP/2 streams of one connection that a client may reset before the server has
/// served the streams. Beyond this number, the server closes the connection (hyper's default since
/// CVE-2023-44487).
pub(crate) const HTTP2_PENDING_RESETS: usize = 20;
/// Maximum number of HTTP/2 streams of one connection that the server may reset because of the
/// client's errors. Beyond this number, the server closes the connection (hyper's default since
/// CVE-2025-8671).
pub(crate) const HTTP2_LOCAL_RESETS: usize = 1024;
/// Maximum number of PING, SETTINGS and PRIORITY frames that a client may send in one burst on an
/// HTTP/2 connection. The value is a choice: a client sends a few of these frames when it connects,
/// and a PING every few seconds.
pub(crate) const HTTP2_CONTROL_FRAMES: u64 = 1_000;
/// Maximum number of PING, SETTINGS and PRIORITY frames per second that a client may send on an
/// HTTP/2 connection after a burst of `HTTP2_CONTROL_FRAMES` frames. The value is a choice.
pub(crate) const HTTP2_CONTROL_FRAMES_PER_SECOND: u64 = 100;
/// Maximum number of bytes that hyper buffers of the answers to one slow reader over HTTP/2. When
/// the buffer is full, hyper accepts no further part of an answer. The value is a choice.
pub(crate) const HTTP2_SEND_BUFFER_BYTES: usize = 1 << 20;
/// Time between two HTTP/2 pings on one connection. The pings detect dead subscribers. The value is
/// a choice.
pub(crate) const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(60);
/// Time within which a client must answer an HTTP/2 ping. The value is a choice.
pub(crate) const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest time for which the server, after its answer to a request, reads and drops the rest of
/// the request's body. The value is a choice.
pub(crate) const BODY_REST: Duration = Duration::from_secs(30);
/// Maximum number of bytes of a request's body that the server reads and drops after its answer to
/// the request. The value is a choice: several times the largest body.
pub(crate) const BODY_REST_BYTES: usize = 128 << 20;
/// Time limit that stands for no time limit: ten years.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Time limit for the requests that are in flight when the server stops. The value is a choice. A
/// container runtime kills a container 10 s after it asked the container to stop, and the last
/// commit has to end within these 10 s, too.
pub(crate) const DRAIN_LIMIT: Duration = Duration::from_secs(5);
/// Pause after the operating system failed to accept a connection for the server. The value is a
/// choice.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_secs(1);
/// Maximum number of connections that may wait in the kernel until the server accepts them. The
/// value is a choice: some clients open a connection for each request.
pub(crate) const ACCEPT_BACKLOG: u32 = 1024;
/// Number of open file descriptors for which the program asks the operating system. The value is a
/// choice: enough for the default number of connections and for the store.
#[cfg(feature = "cli")]
pub(crate) const DESCRIPTORS: u64 = 16_384;
/// Number of file descriptors that connections leave free for a store with a data directory. One
/// sled database holds about 80 descriptors (measured). The store keeps these databases open: the
/// generation that is being written, the next generation, `meta`, and [`OPEN_GENERATIONS`]
/// generations that are read.
pub(crate) const STORE_DESCRIPTORS: u64 = 80 * (OPEN_GENERATIONS as u64 + 3);
/// Smallest limit of open file descriptors under which the store opens as many databases as it
/// needs. The limit suffices for a few connections and for four databases: `meta`, the generation
/// that is being written, the next generation, and one generation that is read (measured). Under a
/// lower limit, the store closes one database to open another.
pub(crate) const LEAST_STORE_DESCRIPTORS: u64 = 80 * 5;
/// Smallest limit of open file descriptors under which old records can be read while new records
/// are written. The limit suffices for two databases, for the process itself and for a few
/// connections (measured).
pub(crate) const LEAST_DESCRIPTORS: u64 = 256;
/// Number of file descriptors that an open sled database holds (measured with version
/// 1.0.0-alpha.124).
pub(crate) const DATABASE_DESCRIPTORS: u64 = 81;
/// Number of file descriptors for everything but databases and connections. The process always
/// holds 15 file descriptors for other purposes (measured), and needs some more for a short time.
pub(crate) const OWN_DESCRIPTORS: u64 = 30;
/// Number of file descriptors that connections leave free for a store without a data directory. The
/// value is a choice: each temporary file of the store holds 256 MiB of records.
pub(crate) const TEMP_FILE_DESCRIPTORS: u64 = 128;
/// Maximum number of attempts to find a port that is free on all of the server's addresses. The
/// value is a choice.
pub(crate) const PORT_TRIES: usize = 16;
/// Largest body of a request to one of minikin's own paths, in bytes. The value is a choice.
pub(crate) const OWN_BODY_BYTES: u64 = 64 << 10;
/// Maximum number of characters of one message in the log. The value is a choice: some messages
/// quote a whole record.
pub(crate) const LOGGED_CHARACTERS: usize = 1_000;
/// Greatest nesting depth in a CBOR body that the fast reader accepts. The value is a choice: no
/// request of the service is nested deeper, and the limits of other decoders are 256 (ciborium) and
/// 128 (serde_json).
pub(crate) const CBOR_DEPTH: u8 = 32;
/// Maximum number of items in the JSON or CBOR body of one request. The items are the values in
/// lists and structures. The maximum is a choice: a request that the service accepts has a few
/// thousand items.
pub(crate) const DOCUMENT_ITEMS: usize = 250_000;
/// Greatest nesting depth in a JSON body that the fast reader accepts. The value is a choice.
pub(crate) const JSON_DEPTH: u8 = CBOR_DEPTH;
/// Greatest nesting depth in a JSON setup file, and in the body of a request to minikin's own paths
/// (serde_json's limit).
pub(crate) const SETUP_DEPTH: usize = 128;
/// Maximum number of tags in front of one CBOR item that the fast reader skips. The value is a
/// choice: a time has one tag.
pub(crate) const CBOR_TAGS: u8 = 4;
/// Minimum size of a JSON body whose blobs are decoded into one shared buffer, in bytes (measured).
/// The blobs of a smaller body get separate buffers.
pub(crate) const SHARED_BUFFER_FROM_BYTES: usize = 16 << 10;
/// Largest body, in bytes, after which a thread keeps its buffer for the next body. A thread has
/// one buffer for arriving bodies and one for decoded blobs. A buffer grows by doubling, so a kept
/// buffer has at most twice this number of bytes. The value is a choice: most batches of records
/// fit in the buffer, and there are few threads.
pub(crate) const KEPT_BUFFER_BYTES: usize = 1 << 20;
/// Minimum number of times that the server checks a connection within its idle timeout. The server
/// closes an idle connection at the first check after the timeout. If the timeout is no multiple of
/// the time between two checks, it closes the connection at the second check. The value is a
/// choice.
pub(crate) const HEAD_CHECKS: u32 = 8;
/// Maximum number of parsed credential scopes that are cached. A credential scope is the date,
/// region and service of a signature. The value is a choice.
pub(crate) const RECENT_SCOPES: usize = 8;
/// Maximum length of a signature's credential whose parsed scope is cached, in bytes. The value is
/// a choice: a usual credential has about 60 bytes, but a client may send a credential of any
/// length.
pub(crate) const RECENT_SCOPE_BYTES: usize = 256;
/// Maximum number of segments on disk that one read of a log visits. A caller that needs more
/// records reads again. The value is a choice.
pub(crate) const SEGMENTS_A_READ: usize = 256;
/// Maximum number of attempts of a starting emulator to lock the data directory. A killed process
/// releases the lock only when the last of its threads has returned from a disk operation. The
/// value is a choice.
pub(crate) const LOCK_TRIES: u32 = 200;
/// Maximum number of attempts of `minikin check` to lock the data directory. The value is a choice.
pub(crate) const CHECK_LOCK_TRIES: u32 = 20;
/// Pause between two attempts to lock the data directory. The value is a choice.
pub(crate) const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// Longest time for which a commit waits for further appends by the writers of the previous commit
/// (measured).
pub(crate) const COMMIT_GAP: Duration = Duration::from_millis(1);
/// Maximum number of appends for which a commit waits. The value was measured with 1 to 64 writers.
pub(crate) const AWAITED_APPENDS: u64 = 8;
/// Time between two commits if durability is `none`. The value is a choice.
pub(crate) const COMMIT_PAUSE: Duration = Duration::from_millis(200);
/// Maximum number of repetitions of an attempt to open a database that fails because the process
/// has too many open files. The value is a choice.
pub(crate) const DESCRIPTOR_TRIES: u32 = 50;
/// Pause between two attempts to open a database while the process has too many open files. In the
/// pause, connections and databases may close. The value is a choice.
pub(crate) const DESCRIPTOR_PAUSE: Duration = Duration::from_millis(20);
/// Time limit for closing the store. The value is a choice: a disk may never answer.
pub(crate) const STORE_CLOSE_LIMIT: Duration = Duration::from_secs(20);
/// Time limit for closing the store after a failed write. The value is a choice.
pub(crate) const FAILED_STORE_CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// Number of bytes by which a spill reduces the records in memory below their maximum. Because of
/// this margin, the thread that spills seldom has to wake up. The value is a choice.
pub(crate) const SPILL_BYTES: u64 = 8 << 20;
/// Maximum number of complete generations that are open at the same time. sled caches up to 256
/// leaves of each open generation, about 32 MiB, even if sled's cache size is set lower. The value
/// is a choice.
pub(crate) const OPEN_GENERATIONS: usize = 4;
/// Minimum time for which a database stays open if the limit of open files permits only a few open
/// databases. The value is a choice. The time is several times the duration of an opening, so that
/// one opening serves many reads. It is short enough for a commit that waits for the opening of the
/// database `meta`.
pub(crate) const DATABASE_LEASE: Duration = Duration::from_millis(200);
/// Cache size of a sled database, in bytes. sled keeps new values in memory regardless of this
/// size, and the kernel caches the files. The value is a choice.
pub(crate) const DATABASE_CACHE_BYTES: usize = 2 << 20;
/// Size of each of the two halves of a write-ahead log, in bytes. The store flushes sled when a
/// half is full. The value is a choice: with larger halves, a flush takes longer, and a start has
/// to read more.
pub(crate) const WAL_HALF_BYTES: u64 = 4 << 20;
/// Maximum size of a commit in a write-ahead log, in bytes. For a larger commit, the store flushes
/// sled instead, so that the bytes of the commit are written only once. The value is a choice.
pub(crate) const WAL_COMMIT_BYTES: usize = 256 << 10;
/// Maximum number of values in a leaf of a sled database. sled splits a larger leaf. The value was
/// measured: a split at the right end of the database leaves two values in a leaf, and two segments
/// fit in sled's slot of 128 KiB.
pub(crate) const SLED_LEAF_FANOUT: usize = 4;
/// Time limit for the opening of a sled database. An opening takes some hundredths of a second, but
/// a disk may stall. The limit is long, so that a stall does not make the store set an intact
/// generation aside. The value is a choice.
pub(crate) const SLED_OPEN_LIMIT: Duration = Duration::from_secs(60);
/// Maximum number of repetitions of an attempt to open a sled database that fails because the
/// database is still in use. The value is a choice.
pub(crate) const SLED_OPENINGS: u32 = 500;
/// Pause between two attempts to open a sled database that is still in use. The value is a choice.
pub(crate) const SLED_OPENING_PAUSE: Duration = Duration::from_millis(10);
/// Longest wait for the next value while a whole sled database is read. The limit is long, so that
/// a stalled disk does not make the store set an intact generation aside. The value is a choice: a
/// disk was seen to stall for 50 seconds.
pub(crate) const SLED_READ_LIMIT: Duration = Duration::from_secs(180);
/// Maximum number of values that a thread reads ahead of their use while it reads a whole sled
/// database. The value is a choice.
pub(crate) const SLED_READ_AHEAD: usize = 16;
/// Minimum time between two readings of the counters from which rates are computed, in milliseconds.
/// The value is a choice.
pub(crate) const RATE_READING_MS: u64 = 1_000;
/// Time for which a reading of the counters of a stream or shard is kept, in milliseconds. The value
/// is a choice.
pub(crate) const RATE_HISTORY_MS: u64 = 180_000;
/// Maximum number of readings that are kept of the counters of one stream. The value is a choice.
pub(crate) const RATE_READINGS: usize = 100;
/// Maximum number of streams of which readings of counters are kept. With more streams, the readings
/// of all streams are dropped. The value is a choice.
pub(crate) const RATE_STREAMS: usize = 1_000;
/// Maximum number of shards of which readings of counters are kept. With more shards, the readings
/// of all shards are dropped. The value is a choice.
pub(crate) const RATE_SHARDS: usize = 20_000;
/// Maximum number of fault rules of an emulator. The value is a choice: every call tries the rules
/// one after another.
pub(crate) const FAULT_RULES: usize = 1_000;
/// Longest visibility timeout of a record in a queue, in seconds (AWS).
pub(crate) const QUEUE_MOST_VISIBILITY_S: u32 = 43_200;
/// Largest possible number of receives after which a record of a queue becomes a dead-letter record
/// (AWS).
pub(crate) const QUEUE_MOST_RECEIVES: u32 = 1_000;
/// Longest time between two removals of expired records on a virtual clock, in milliseconds. The
/// value is the shortest retention period (AWS). Therefore no record that arrives after a removal
/// expires before the next removal.
pub(crate) const RETENTION_SWEEP_MOST_MS: i64 = 86_400_000;
