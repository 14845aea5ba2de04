//! Limits that cannot be set: of connections, documents and databases.

use std::time::Duration;

/// Bytes of the in-flight budget for each request: its head, the work on it and a small body (ours;
/// measured: a request that waits for its body takes 6 to 9 KB).
pub const REQUEST_PERMIT_BYTES: u64 = 8 << 10;
/// Bytes of a body within [`REQUEST_PERMIT_BYTES`] (ours): half of them, the rest is for other data.
pub(crate) const BODY_IN_PERMIT_BYTES: u64 = REQUEST_PERMIT_BYTES / 2;
/// Bytes of a small body or answer. A larger one waits in the lane of the large ones (ours).
pub const SMALL_BYTES: u64 = 64 << 10;
/// Weight of a body's bytes in the budget: while records are decoded, the body is in memory twice.
pub(crate) const BODY_WEIGHT: u64 = 2;
/// Requests that may wait in one lane. Each may have a window of its body unread (ours).
pub(crate) const ADMISSION_LINE: u64 = 512;
/// Time for a slow body while other requests wait for the budget (ours).
pub(crate) const BODY_HURRY: Duration = Duration::from_secs(5);
/// Rate below which a body is slow, in bytes a second (ours).
pub(crate) const BODY_HURRY_BYTES_PER_SECOND: u64 = 16 << 10;
/// Reads of segments from disk at one time (ours; each read holds up to 10 MB, and a machine has
/// few disks).
pub(crate) const DISK_READS: usize = 16;
/// HTTP/2 streams of one connection (ours). A worker holds one stream for each shard for five
/// minutes, and opens another connection when the limit is reached.
pub(crate) const HTTP2_STREAMS: u32 = 1024;
/// Bytes of one body that an HTTP/2 client may send before they are read (ours). They are outside
/// the in-flight budget until then, so the window is small. On one machine it is renewed fast.
pub(crate) const HTTP2_STREAM_WINDOW_BYTES: u32 = 256 << 10;
/// The same for all bodies of a connection together (ours).
pub(crate) const HTTP2_CONNECTION_WINDOW_BYTES: u32 = 1 << 20;
/// Bytes of a request's headers over HTTP/2 (ours); session tokens are large.
pub(crate) const HTTP2_HEADER_LIST_BYTES: u32 = 32 << 10;
/// Bytes of a request's head over HTTP/1, and of one read of its body (ours). Each connection may
/// hold as many.
pub(crate) const HTTP1_BUFFER_BYTES: usize = 64 << 10;
/// HTTP/2 streams that a client may reset before they are served (hyper's default, since
/// CVE-2023-44487). Beyond them the connection is closed.
pub(crate) const HTTP2_PENDING_RESETS: usize = 20;
/// HTTP/2 streams that the server may reset for a client's mistakes (hyper's default, since
/// CVE-2025-8671).
pub(crate) const HTTP2_LOCAL_RESETS: usize = 1024;
/// PING, SETTINGS and PRIORITY frames that an HTTP/2 connection may send at once (ours): clients send
/// a few for a connection, and a PING every few seconds.
pub(crate) const HTTP2_CONTROL_FRAMES: u64 = 1_000;
/// The same for each second after that (ours).
pub(crate) const HTTP2_CONTROL_FRAMES_PER_SECOND: u64 = 100;
/// Bytes that wait for one slow subscriber over HTTP/2 (ours). Beyond them hyper reads no more.
pub(crate) const HTTP2_SEND_BUFFER_BYTES: usize = 1 << 20;
/// Time between two HTTP/2 pings (ours), which find dead subscribers.
pub(crate) const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(60);
/// Time for the answer to a ping (ours).
pub(crate) const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);
/// A time that is switched off.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Time for requests in flight after a stop (ours). Containers are killed 10 s after the request to
/// stop, and the last commit has to fit in, too.
pub(crate) const DRAIN_LIMIT: Duration = Duration::from_secs(5);
/// Pause after the machine refused to accept a connection (ours).
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_secs(1);
/// Connections that wait in the kernel: some clients open one for each request (ours).
pub(crate) const ACCEPT_BACKLOG: u32 = 1024;
/// Open file descriptors that the program asks the system for (ours): for the default number of
/// connections and for the store.
#[cfg(feature = "cli")]
pub(crate) const DESCRIPTORS: u64 = 16_384;
/// Descriptors that connections leave to the store where it has a data directory (measured: a sled
/// database holds about 80, and one is written, one begun, one of the metadata, and
/// [`OPEN_GENERATIONS`] are read).
pub(crate) const STORE_DESCRIPTORS: u64 = 80 * (OPEN_GENERATIONS as u64 + 3);
/// The same without a data directory (ours): each of its files holds 256 MiB of records.
pub(crate) const SCRATCH_DESCRIPTORS: u64 = 128;
/// Attempts to find a port that is free on every address (ours).
pub(crate) const PORT_TRIES: usize = 16;
/// Bytes of a request's body to our own paths (ours).
pub(crate) const OWN_BODY_BYTES: u64 = 64 << 10;
/// Characters of a message in the log (ours): some messages quote a whole record.
pub(crate) const LOGGED_CHARACTERS: usize = 1_000;
/// Depth of structures in CBOR for the fast reader (ours). No request of the service is deeper;
/// ciborium's limit is 256, serde_json's 128.
pub(crate) const CBOR_DEPTH: u8 = 32;
/// Items of one document (ours). A request that the service accepts has some thousands.
pub(crate) const DOCUMENT_ITEMS: usize = 250_000;
/// Depth of structures in JSON for the fast reader (ours).
pub(crate) const JSON_DEPTH: u8 = CBOR_DEPTH;
/// Tags of one CBOR item that the fast reader skips (ours). Times have one.
pub(crate) const CBOR_TAGS: u8 = 4;
/// Bytes from which on a body's blobs are decoded into one buffer (measured).
pub(crate) const SHARED_BUFFER_FROM_BYTES: usize = 16 << 10;
/// Bytes of a buffer that a thread keeps for the next body and its blobs (ours). Buffers grow by
/// doubling, so a kept one has up to twice as many. Most batches fit, and threads are few.
pub(crate) const KEPT_BUFFER_BYTES: usize = 1 << 20;
/// Checks of an idle connection within the time limit of a head, at least (ours). An idle
/// connection is closed one check after the limit, or two if the limit is no multiple of the
/// interval.
pub(crate) const HEAD_CHECKS: u32 = 8;
/// Credentials in the cache of parsed scopes (ours).
pub(crate) const RECENT_SCOPES: usize = 8;
/// Bytes of such a credential (ours). Usual ones have about sixty; clients may send any.
pub(crate) const RECENT_SCOPE_BYTES: usize = 256;
/// Segments on disk that one read visits (ours). The caller reads again for more.
pub(crate) const SEGMENTS_A_READ: usize = 256;
/// Attempts of a start to lock the data directory (ours). A killed process releases the lock only
/// when the last of its threads has returned from the disk.
pub(crate) const LOCK_TRIES: u32 = 200;
/// Attempts of a check to lock the data directory (ours).
pub(crate) const CHECK_LOCK_TRIES: u32 = 20;
/// Pause between two attempts (ours).
pub(crate) const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// Longest wait of a commit for the writers of the last one (measured).
pub(crate) const COMMIT_GAP: Duration = Duration::from_millis(1);
/// Time between two commits without a given interval (ours).
pub(crate) const COMMIT_PAUSE: Duration = Duration::from_millis(200);
/// Number of tries to open a database when too many files are open (ours).
pub(crate) const DESCRIPTOR_TRIES: u32 = 50;
/// The pause before each further try (ours): connections and databases are closed meanwhile.
pub(crate) const DESCRIPTOR_PAUSE: Duration = Duration::from_millis(20);
/// The limit for closing the store (ours): a disk may never answer.
pub(crate) const STORE_CLOSE_LIMIT: Duration = Duration::from_secs(20);
/// The same after a failed write (ours).
pub(crate) const FAILED_STORE_CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// Bytes that spill between two flushes (ours): enough for a cheap flush, and few enough to be in
/// memory twice.
pub(crate) const SPILL_BYTES: u64 = 8 << 20;
/// Sealed generations that are open at one time (ours). sled's cache keeps up to 256 leaves of
/// each, about 32 MiB, whatever its size is set to.
pub(crate) const OPEN_GENERATIONS: usize = 4;
/// Cache of a sled database in bytes (ours). sled keeps new values in memory anyway, and the kernel
/// caches the files.
pub(crate) const DATABASE_CACHE_BYTES: usize = 2 << 20;
/// Values in a leaf of sled before it is split (measured). A split at the right end leaves two
/// values, and two segments fit in sled's slot of 128 KiB.
pub(crate) const SLED_LEAF_FANOUT: usize = 4;
/// Time for the opening of a database (ours). It takes some hundredths of a second, but a disk may
/// stall, and a sound generation must not be set aside for that.
pub(crate) const SLED_OPEN_LIMIT: Duration = Duration::from_secs(60);
/// Attempts to open a database that is still in use (ours).
pub(crate) const SLED_OPENINGS: u32 = 500;
/// Pause between two attempts to open a database (ours).
pub(crate) const SLED_OPENING_PAUSE: Duration = Duration::from_millis(10);
/// Time for the next value when a whole database is read (ours), for the same reason.
pub(crate) const SLED_READ_LIMIT: Duration = Duration::from_secs(20);
/// Values that are read ahead when a whole database is read (ours).
pub(crate) const SLED_READ_AHEAD: usize = 16;
