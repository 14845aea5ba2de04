//! Limits that a user cannot set, of connections, documents and databases. The comment of each
//! limit names its source in parentheses; "our choice" means that minikin chose the value.

use std::time::Duration;

/// Bytes of the in-flight budget that each request takes for its head, its processing and a small
/// body (our choice; measured: a request that waits for its body takes 6 to 9 KB).
pub const REQUEST_PERMIT_BYTES: u64 = 8 << 10;
/// Largest body that needs no budget beyond [`REQUEST_PERMIT_BYTES`], in bytes (our choice): half
/// of these bytes. The other half is for the request's other data.
pub(crate) const BODY_IN_PERMIT_BYTES: u64 = REQUEST_PERMIT_BYTES / 2;
/// Size up to which an answer, or the part of the budget for a body, counts as small, in bytes (our
/// choice). Larger answers and bodies wait in other lanes of the budget.
pub const SMALL_BYTES: u64 = 64 << 10;
/// Size up to which an answer does not wait for larger answers, in bytes (our choice: a typical
/// read has a thousand records of a kilobyte).
pub(crate) const MEDIUM_BYTES: u64 = 1 << 20;
/// Bytes of the budget for each byte of a body: while records are decoded, the body is in memory
/// twice.
pub(crate) const BODY_WEIGHT: u64 = 2;
/// Maximum number of requests that may wait in one lane of the budget (our choice). Each waiting
/// request may hold one unread window of its body.
pub(crate) const ADMISSION_LINE: u64 = 512;
/// Time limit for a slow body while other requests wait for the budget (our choice).
pub(crate) const BODY_HURRY: Duration = Duration::from_secs(5);
/// Speed below which a body counts as slow, in bytes per second (our choice).
pub(crate) const BODY_HURRY_BYTES_PER_SECOND: u64 = 16 << 10;
/// Maximum number of reads of segments from disk at the same time (our choice: each read holds up
/// to 10 MB, and a machine has few disks).
pub(crate) const DISK_READS: usize = 16;
/// Longest time for which a read from the disk waits for other reads (our choice: as long as a
/// request waits for the in-flight budget).
pub(crate) const DISK_READ_WAIT: Duration = Duration::from_secs(10);
/// Maximum number of concurrent HTTP/2 streams of one connection (our choice). A KCL worker holds
/// one HTTP/2 stream for each shard for five minutes, and opens another connection at this limit.
pub(crate) const HTTP2_STREAMS: u32 = 1024;
/// HTTP/2 window of one body: bytes that a client may send before the server has read them (our
/// choice). These bytes are not yet counted in the in-flight budget, so the window is small.
/// Between programs on one machine the window is renewed fast.
pub(crate) const HTTP2_STREAM_WINDOW_BYTES: u32 = 256 << 10;
/// HTTP/2 window of all bodies of one connection together, in bytes (our choice).
pub(crate) const HTTP2_CONNECTION_WINDOW_BYTES: u32 = 1 << 20;
/// Largest size of all headers of a request over HTTP/2, in bytes (our choice: session tokens are
/// large).
pub(crate) const HTTP2_HEADER_LIST_BYTES: u32 = 32 << 10;
/// Largest head of a request over HTTP/1, and largest single read of its body, in bytes (our
/// choice). Each connection may hold a buffer of this size.
pub(crate) const HTTP1_BUFFER_BYTES: usize = 64 << 10;
/// HTTP/2 streams that a client may reset before they are served; beyond this number the connection
/// is closed (hyper's default since CVE-2023-44487).
pub(crate) const HTTP2_PENDING_RESETS: usize = 20;
/// HTTP/2 streams of one connection that the server may reset because of the client's errors
/// (hyper's default since CVE-2025-8671).
pub(crate) const HTTP2_LOCAL_RESETS: usize = 1024;
/// Maximum number of PING, SETTINGS and PRIORITY frames in one burst of an HTTP/2 connection (our
/// choice: clients send a few when they connect, and a PING every few seconds).
pub(crate) const HTTP2_CONTROL_FRAMES: u64 = 1_000;
/// Maximum number of PING, SETTINGS and PRIORITY frames per second of an HTTP/2 connection after
/// such a burst (our choice).
pub(crate) const HTTP2_CONTROL_FRAMES_PER_SECOND: u64 = 100;
/// Bytes of unsent answers that hyper buffers for one slow reader over HTTP/2 (our choice). When
/// the buffer is full, hyper accepts no further part of the answer.
pub(crate) const HTTP2_SEND_BUFFER_BYTES: usize = 1 << 20;
/// Time between two HTTP/2 pings, which detect dead subscribers (our choice).
pub(crate) const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(60);
/// Time within which the answer to an HTTP/2 ping must arrive (our choice).
pub(crate) const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest time for which the rest of a body is read and dropped after the request was answered (our
/// choice).
pub(crate) const BODY_REST: Duration = Duration::from_secs(30);
/// Maximum number of bytes of a body that are read and dropped after the request was answered (our
/// choice: several times the largest body of a request).
pub(crate) const BODY_REST_BYTES: usize = 128 << 20;
/// The value of a time limit that is switched off: ten years.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Time limit for the requests in flight when the server stops (our choice). A container runtime
/// kills a container 10 s after the request to stop, and the last commit has to end within these 10
/// s, too.
pub(crate) const DRAIN_LIMIT: Duration = Duration::from_secs(5);
/// Pause after the operating system refused to accept a connection (our choice).
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_secs(1);
/// Connections that may wait in the kernel to be accepted (our choice: some clients open a
/// connection for each request).
pub(crate) const ACCEPT_BACKLOG: u32 = 1024;
/// Open file descriptors that the program asks the operating system for (our choice: enough for the
/// default number of connections and for the store).
#[cfg(feature = "cli")]
pub(crate) const DESCRIPTORS: u64 = 16_384;
/// File descriptors that connections leave free for a store with a data directory (measured: one
/// sled database holds about 80 descriptors, and the store keeps these databases open: the
/// generation that is being written, the next generation, `meta`, and [`OPEN_GENERATIONS`]
/// generations to read).
pub(crate) const STORE_DESCRIPTORS: u64 = 80 * (OPEN_GENERATIONS as u64 + 3);
/// Minimum limit of open file descriptors with which the store opens as many databases as it needs
/// (measured): the limit suffices for four databases (`meta`, the generation that is being written,
/// the next generation, and a generation to read) and for a few connections. Under a lower limit,
/// the store closes one database to open another.
pub(crate) const LEAST_STORE_DESCRIPTORS: u64 = 80 * 5;
/// Minimum limit of open file descriptors with which old records can be read while new records are
/// written (measured): the limit suffices for two databases, for the process itself and for a few
/// connections.
pub(crate) const LEAST_DESCRIPTORS: u64 = 256;
/// File descriptors that an open sled database holds (measured with version 1.0.0-alpha.124).
pub(crate) const DATABASE_DESCRIPTORS: u64 = 81;
/// File descriptors for everything but databases and connections: the process always holds 15
/// (measured), and uses some others for a short time.
pub(crate) const OWN_DESCRIPTORS: u64 = 30;
/// File descriptors that connections leave free for a store without a data directory (our choice:
/// each of its files holds 256 MiB of records).
pub(crate) const TEMP_FILE_DESCRIPTORS: u64 = 128;
/// Maximum number of attempts to find a port that is free on every address (our choice).
pub(crate) const PORT_TRIES: usize = 16;
/// Largest body of a request to minikin's own paths, in bytes (our choice).
pub(crate) const OWN_BODY_BYTES: u64 = 64 << 10;
/// Maximum number of characters of a message in the log (our choice: some messages quote a whole
/// record).
pub(crate) const LOGGED_CHARACTERS: usize = 1_000;
/// Greatest nesting depth in a CBOR document that the fast reader accepts (our choice). No request
/// of the service is nested deeper. ciborium's limit is 256, and serde_json's 128.
pub(crate) const CBOR_DEPTH: u8 = 32;
/// Maximum number of items (values in lists and structures) of one document (our choice). A request
/// that the service accepts has a few thousand.
pub(crate) const DOCUMENT_ITEMS: usize = 250_000;
/// Greatest nesting depth in a JSON document that the fast reader accepts (our choice).
pub(crate) const JSON_DEPTH: u8 = CBOR_DEPTH;
/// Greatest nesting depth in a setup file in JSON, and in a body of minikin's own paths
/// (serde_json's limit).
pub(crate) const SETUP_DEPTH: usize = 128;
/// Maximum number of tags of one CBOR item that the fast reader skips (our choice). A time has one
/// tag.
pub(crate) const CBOR_TAGS: u8 = 4;
/// Size of the smallest JSON body whose blobs are all decoded into one shared buffer, in bytes
/// (measured).
pub(crate) const SHARED_BUFFER_FROM_BYTES: usize = 16 << 10;
/// Size of a buffer that a thread keeps for its next body (our choice). Buffers grow by doubling,
/// so the kept buffer may have up to twice this size. Most batches fit in it, and there are few
/// threads.
pub(crate) const KEPT_BUFFER_BYTES: usize = 1 << 20;
/// Minimum number of checks of an idle connection within its time limit (our choice). A connection
/// is closed at the first check after the limit, or at the second if the limit is no multiple of
/// the interval between checks.
pub(crate) const HEAD_CHECKS: u32 = 8;
/// Number of parsed credential scopes in the cache (our choice).
pub(crate) const RECENT_SCOPES: usize = 8;
/// Longest credential whose parsed scope is cached, in bytes (our choice). A usual credential has
/// about sixty bytes, but clients may send any number.
pub(crate) const RECENT_SCOPE_BYTES: usize = 256;
/// Maximum number of segments on disk that one read visits (our choice). A caller that wants more
/// records reads again.
pub(crate) const SEGMENTS_A_READ: usize = 256;
/// Attempts of a starting emulator to lock the data directory (our choice). A killed process
/// releases the lock only when the last of its threads has returned from a disk operation.
pub(crate) const LOCK_TRIES: u32 = 200;
/// Attempts of `minikin check` to lock the data directory (our choice).
pub(crate) const CHECK_LOCK_TRIES: u32 = 20;
/// Pause between two attempts to lock the data directory (our choice).
pub(crate) const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// Longest time for which a commit waits for the writers whose records the previous commit wrote
/// (measured).
pub(crate) const COMMIT_GAP: Duration = Duration::from_millis(1);
/// Time between two commits when no interval is configured (our choice).
pub(crate) const COMMIT_PAUSE: Duration = Duration::from_millis(200);
/// Attempts to open a database while the process has too many open files (our choice).
pub(crate) const DESCRIPTOR_TRIES: u32 = 50;
/// Pause between two attempts to open a database while the process has too many open files (our
/// choice). In the pause, connections and databases may close.
pub(crate) const DESCRIPTOR_PAUSE: Duration = Duration::from_millis(20);
/// Time limit for closing the store (our choice: a disk may never answer).
pub(crate) const STORE_CLOSE_LIMIT: Duration = Duration::from_secs(20);
/// Time limit for closing the store after a failed write (our choice).
pub(crate) const FAILED_STORE_CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// Bytes by which a spill brings the records in memory below their maximum (our choice): enough to
/// wake the spilling thread seldom.
pub(crate) const SPILL_BYTES: u64 = 8 << 20;
/// Maximum number of sealed (complete) generations that are open at the same time (our choice).
/// sled caches up to 256 leaves of each generation, about 32 MiB, even if its cache size is set
/// lower.
pub(crate) const OPEN_GENERATIONS: usize = 4;
/// Minimum time for which a database stays open when the limit of open files permits only a few
/// open databases (our choice: several times the duration of an opening, so that one opening serves
/// many reads, but short enough for a commit that waits for `meta`).
pub(crate) const DATABASE_LEASE: Duration = Duration::from_millis(200);
/// Cache of a sled database, in bytes (our choice). sled keeps new values in memory regardless, and
/// the kernel caches the files.
pub(crate) const DATABASE_CACHE_BYTES: usize = 2 << 20;
/// Maximum number of values in a leaf of sled before it is split (measured). A split at the right
/// end leaves two values, and two segments fit in sled's slot of 128 KiB.
pub(crate) const SLED_LEAF_FANOUT: usize = 4;
/// Time limit for opening a database (our choice). Opening takes some hundredths of a second, but a
/// disk may stall, and a stall must not make the store set an intact generation aside.
pub(crate) const SLED_OPEN_LIMIT: Duration = Duration::from_secs(60);
/// Attempts to open a database that is still in use (our choice).
pub(crate) const SLED_OPENINGS: u32 = 500;
/// Pause between two attempts to open a database that is still in use (our choice).
pub(crate) const SLED_OPENING_PAUSE: Duration = Duration::from_millis(10);
/// Time limit for the next value while a whole database is read (our choice): a stalled disk must
/// not make the store set an intact generation aside.
pub(crate) const SLED_READ_LIMIT: Duration = Duration::from_secs(20);
/// Maximum number of values that are read ahead while a whole database is read (our choice).
pub(crate) const SLED_READ_AHEAD: usize = 16;
