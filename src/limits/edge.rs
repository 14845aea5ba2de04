//! Limits of connections, documents and databases that a user cannot set. The comment of each limit
//! names the source of the value. "A choice" means that minikin chose it.

use std::time::Duration;

/// Number of bytes of the in-flight budget that each request takes for its head, its processing and
/// a small body. The value is a choice (measured: a request that waits for its body takes 6 to 9
/// KB).
pub const REQUEST_PERMIT_BYTES: u64 = 8 << 10;
/// Largest body of a request that takes no bytes of the in-flight budget beyond
/// [`REQUEST_PERMIT_BYTES`], in bytes. The value is a choice: half of `REQUEST_PERMIT_BYTES`. The
/// other half is for the request's other data.
pub(crate) const BODY_IN_PERMIT_BYTES: u64 = REQUEST_PERMIT_BYTES / 2;
/// Size up to which an answer counts as small in the in-flight budget, in bytes. The same number
/// limits the bytes that a small body takes. Larger answers and bodies wait in lanes of their own.
/// The value is a choice.
pub const SMALL_BYTES: u64 = 64 << 10;
/// Size up to which an answer does not wait for larger answers in the in-flight budget, in bytes.
/// The value is a choice: a typical read returns a thousand records of a kilobyte.
pub(crate) const MEDIUM_BYTES: u64 = 1 << 20;
/// Number of bytes of the in-flight budget for each byte of a request's body. While the records are
/// decoded, the body is in memory twice.
pub(crate) const BODY_WEIGHT: u64 = 2;
/// Maximum number of requests that may wait in one lane of the in-flight budget. The client of each
/// waiting request may already have sent one HTTP/2 window of its body, which the server holds in
/// memory. The value is a choice.
pub(crate) const ADMISSION_LINE: u64 = 512;
/// Time limit for a slow body of a request while other requests wait for the in-flight budget. The
/// value is a choice.
pub(crate) const BODY_HURRY: Duration = Duration::from_secs(5);
/// Speed below which the body of a request counts as slow, in bytes per second. The value is a
/// choice.
pub(crate) const BODY_HURRY_BYTES_PER_SECOND: u64 = 16 << 10;
/// Maximum number of reads of segments from disk at the same time. The value is a choice: each read
/// holds up to 10 MB in memory, and a machine has few disks.
pub(crate) const DISK_READS: usize = 16;
/// Longest time for which a read from disk waits until other reads have ended. The value is a
/// choice: as long as a request waits for the in-flight budget.
pub(crate) const DISK_READ_WAIT: Duration = Duration::from_secs(10);
/// Maximum number of HTTP/2 streams that are open at the same time on one connection. A KCL worker
/// keeps one HTTP/2 stream open for each shard for five minutes, and opens another connection when
/// it reaches the maximum. The value is a choice.
pub(crate) const HTTP2_STREAMS: u32 = 1024;
/// HTTP/2 window of one request's body, in bytes. A client may send this number of bytes of a body
/// that the server has not read yet. These bytes do not count in the in-flight budget yet, so the
/// window is small. A small window costs little speed between programs on one machine. The value is
/// a choice.
pub(crate) const HTTP2_STREAM_WINDOW_BYTES: u32 = 256 << 10;
/// HTTP/2 window of all bodies of one connection together, in bytes. The value is a choice.
pub(crate) const HTTP2_CONNECTION_WINDOW_BYTES: u32 = 1 << 20;
/// Maximum size of all headers of a request over HTTP/2, in bytes. The value is a choice: session
/// tokens are large.
pub(crate) const HTTP2_HEADER_LIST_BYTES: u32 = 32 << 10;
/// Maximum size of the head of a request over HTTP/1, and of a single read of its body, in bytes.
/// Each connection may hold a buffer of this size. The value is a choice.
pub(crate) const HTTP1_BUFFER_BYTES: usize = 64 << 10;
/// Number of HTTP/2 streams of one connection that a client may reset before the server has served
/// them. Beyond this number the connection is closed (hyper's default since CVE-2023-44487).
pub(crate) const HTTP2_PENDING_RESETS: usize = 20;
/// Number of HTTP/2 streams of one connection that the server may reset because of the client's
/// errors. Beyond this number the connection is closed (hyper's default since CVE-2025-8671).
pub(crate) const HTTP2_LOCAL_RESETS: usize = 1024;
/// Maximum number of PING, SETTINGS and PRIORITY frames that a client may send in one burst on an
/// HTTP/2 connection. The value is a choice: clients send a few when they connect, and a PING every
/// few seconds.
pub(crate) const HTTP2_CONTROL_FRAMES: u64 = 1_000;
/// Maximum number of PING, SETTINGS and PRIORITY frames per second on an HTTP/2 connection, after a
/// burst of `HTTP2_CONTROL_FRAMES`. The value is a choice.
pub(crate) const HTTP2_CONTROL_FRAMES_PER_SECOND: u64 = 100;
/// Maximum number of bytes of answers that hyper buffers for one slow reader over HTTP/2. When the
/// buffer is full, hyper accepts no further part of the answer. The value is a choice.
pub(crate) const HTTP2_SEND_BUFFER_BYTES: usize = 1 << 20;
/// Time between two HTTP/2 pings on one connection. The pings detect dead subscribers. The value is
/// a choice.
pub(crate) const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(60);
/// Time within which a client must answer an HTTP/2 ping. The value is a choice.
pub(crate) const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest time for which the server reads and drops the rest of a request's body after it answered
/// the request. The value is a choice.
pub(crate) const BODY_REST: Duration = Duration::from_secs(30);
/// Maximum number of bytes of a request's body that the server reads and drops after it answered
/// the request. The value is a choice: several times the largest body.
pub(crate) const BODY_REST_BYTES: usize = 128 << 20;
/// Length of a time limit that is switched off: ten years.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Time limit for the requests in flight when the server stops. A container runtime kills a
/// container 10 s after the request to stop, and the last commit has to end within these 10 s, too.
/// The value is a choice.
pub(crate) const DRAIN_LIMIT: Duration = Duration::from_secs(5);
/// Pause after the operating system refused to accept a connection. The value is a choice.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_secs(1);
/// Maximum number of connections that may wait in the kernel until the server accepts them. The
/// value is a choice: some clients open a connection for each request.
pub(crate) const ACCEPT_BACKLOG: u32 = 1024;
/// Number of open file descriptors for which the program asks the operating system. The value is a
/// choice: enough for the default number of connections and for the store.
#[cfg(feature = "cli")]
pub(crate) const DESCRIPTORS: u64 = 16_384;
/// Number of file descriptors that connections leave free for a store with a data directory. One
/// sled database holds about 80 descriptors (measured). The store keeps open: the generation that
/// is being written, the next generation, the database `meta`, and [`OPEN_GENERATIONS`] generations
/// that are read.
pub(crate) const STORE_DESCRIPTORS: u64 = 80 * (OPEN_GENERATIONS as u64 + 3);
/// Minimum limit of open file descriptors with which the store opens as many databases as it needs.
/// The limit suffices for a few connections and for four databases: `meta`, the generation that is
/// being written, the next generation, and one generation that is read (measured). Under a lower
/// limit, the store closes one database to open another.
pub(crate) const LEAST_STORE_DESCRIPTORS: u64 = 80 * 5;
/// Minimum limit of open file descriptors with which old records can be read while new records are
/// written. The limit suffices for two databases, for the process itself and for a few connections
/// (measured).
pub(crate) const LEAST_DESCRIPTORS: u64 = 256;
/// Number of file descriptors that an open sled database holds (measured with version
/// 1.0.0-alpha.124).
pub(crate) const DATABASE_DESCRIPTORS: u64 = 81;
/// Number of file descriptors for everything but databases and connections. The process always
/// holds 15 of them (measured), and uses some others for a short time.
pub(crate) const OWN_DESCRIPTORS: u64 = 30;
/// Number of file descriptors that connections leave free for a store without a data directory. The
/// value is a choice: each temporary file of the store holds 256 MiB of records.
pub(crate) const TEMP_FILE_DESCRIPTORS: u64 = 128;
/// Maximum number of attempts to find a port that is free on every address that the server listens
/// on. The value is a choice.
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
/// Maximum number of items in the JSON or CBOR body of one request. The values in lists and
/// structures are items. The value is a choice: a request that the service accepts has a few
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
/// Size of the smallest JSON body whose blobs are all decoded into one shared buffer, in bytes
/// (measured).
pub(crate) const SHARED_BUFFER_FROM_BYTES: usize = 16 << 10;
/// Maximum size of a buffer that a thread keeps for the body of its next request, in bytes. Buffers
/// grow by doubling, so the kept buffer may have up to twice this size. The value is a choice: most
/// batches of records fit in the buffer, and there are few threads.
pub(crate) const KEPT_BUFFER_BYTES: usize = 1 << 20;
/// Minimum number of checks of an idle connection within its time limit. A connection is closed at
/// the first check after the limit, or at the second if the limit is no multiple of the time
/// between two checks. The value is a choice.
pub(crate) const HEAD_CHECKS: u32 = 8;
/// Number of parsed credential scopes in the cache. A scope is the date, region and service of a
/// signature. The value is a choice.
pub(crate) const RECENT_SCOPES: usize = 8;
/// Longest credential of a signature whose parsed scope is cached, in bytes. A usual credential has
/// about 60 bytes, but a client may send any number. The value is a choice.
pub(crate) const RECENT_SCOPE_BYTES: usize = 256;
/// Maximum number of segments on disk that one read of a log visits. A caller that needs more
/// records reads again. The value is a choice.
pub(crate) const SEGMENTS_A_READ: usize = 256;
/// Number of attempts of a starting emulator to lock the data directory. A killed process releases
/// the lock only when the last of its threads has returned from a disk operation. The value is a
/// choice.
pub(crate) const LOCK_TRIES: u32 = 200;
/// Number of attempts of `minikin check` to lock the data directory. The value is a choice.
pub(crate) const CHECK_LOCK_TRIES: u32 = 20;
/// Pause between two attempts to lock the data directory. The value is a choice.
pub(crate) const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// Longest time for which a commit waits until the writers of the previous commit have appended
/// further records (measured).
pub(crate) const COMMIT_GAP: Duration = Duration::from_millis(1);
/// Maximum number of appends for which a commit waits (measured with 1 to 64 writers).
pub(crate) const AWAITED_APPENDS: u64 = 8;
/// Time between two commits if durability is `none`. The value is a choice.
pub(crate) const COMMIT_PAUSE: Duration = Duration::from_millis(200);
/// Number of attempts to open a database while the process has too many open files. The value is a
/// choice.
pub(crate) const DESCRIPTOR_TRIES: u32 = 50;
/// Pause between two attempts to open a database while the process has too many open files. In the
/// pause, connections and databases may close. The value is a choice.
pub(crate) const DESCRIPTOR_PAUSE: Duration = Duration::from_millis(20);
/// Time limit for closing the store. The value is a choice: a disk may never answer.
pub(crate) const STORE_CLOSE_LIMIT: Duration = Duration::from_secs(20);
/// Time limit for closing the store after a failed write. The value is a choice.
pub(crate) const FAILED_STORE_CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// Number of bytes by which a spill reduces the records in memory below their maximum, so that the
/// spilling thread seldom has to wake up. The value is a choice.
pub(crate) const SPILL_BYTES: u64 = 8 << 20;
/// Maximum number of complete generations that are open at the same time. sled caches up to 256
/// leaves of each generation, about 32 MiB, even if its cache size is set lower. The value is a
/// choice.
pub(crate) const OPEN_GENERATIONS: usize = 4;
/// Minimum time for which a database stays open if the limit of open files permits only a few open
/// databases. The value is a choice: several times the duration of an opening, so that one opening
/// serves many reads, but short enough for a commit that waits until the database `meta` can be
/// opened.
pub(crate) const DATABASE_LEASE: Duration = Duration::from_millis(200);
/// Cache size of a sled database, in bytes. sled keeps new values in memory regardless of this
/// size, and the kernel caches the files. The value is a choice.
pub(crate) const DATABASE_CACHE_BYTES: usize = 2 << 20;
/// Size of a half of a write-ahead log in bytes. sled is flushed when a half is full. The value is a
/// choice: the larger the half, the longer the flush, and the more a start has to read.
pub(crate) const WAL_HALF_BYTES: u64 = 4 << 20;
/// Maximum size in bytes of a commit in a write-ahead log. sled is flushed for a larger commit, so
/// that its bytes are written only once. The value is a choice.
pub(crate) const WAL_COMMIT_BYTES: usize = 256 << 10;
/// Maximum number of values in a leaf of a sled database. sled splits a larger leaf (measured: a
/// split at the right end leaves two values, and two segments fit in sled's slot of 128 KiB).
pub(crate) const SLED_LEAF_FANOUT: usize = 4;
/// Time limit for opening a sled database. Opening takes some hundredths of a second, but a disk
/// may stall, and a stall must not make the store set an intact generation aside. The value is a
/// choice.
pub(crate) const SLED_OPEN_LIMIT: Duration = Duration::from_secs(60);
/// Number of attempts to open a sled database that is still in use. The value is a choice.
pub(crate) const SLED_OPENINGS: u32 = 500;
/// Pause between two attempts to open a sled database that is still in use. The value is a choice.
pub(crate) const SLED_OPENING_PAUSE: Duration = Duration::from_millis(10);
/// Longest wait for the next value while a whole sled database is read. A stalled disk must not
/// make the store set an intact generation aside: a disk was seen to stall for 50 seconds. The value
/// is a choice.
pub(crate) const SLED_READ_LIMIT: Duration = Duration::from_secs(180);
/// Maximum number of values that are read ahead while a whole sled database is read. The value is a
/// choice.
pub(crate) const SLED_READ_AHEAD: usize = 16;
