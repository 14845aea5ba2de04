//! Bounds at the edges of the program that cannot be set: connections, documents, databases.

use std::time::Duration;

/// What every request holds of the bytes in flight, for its head, the work on it and a small body
/// (ours; measured: a request that waits for its body takes 6 to 9 KB).
pub const REQUEST_ROOM_BYTES: u64 = 8 << 10;
/// Bytes of a body within the room of its request (ours: half of it is for the rest).
pub const BODY_IN_ROOM_BYTES: u64 = REQUEST_ROOM_BYTES / 2;
/// What a small body or answer may take; a larger one waits in the line of the large ones (ours).
pub const SMALL_BYTES: u64 = 64 << 10;
/// A body is in memory twice while its records are decoded.
pub const BODY_WEIGHT: u64 = 2;
/// Requests that may wait for room in one line; each may have a window of its body unread (ours).
pub const ADMISSION_LINE: u64 = 512;
/// Time after which a body that does not come is given up while others wait for room (ours).
pub const BODY_HURRY: Duration = Duration::from_secs(5);
/// Bytes a second that a body has to come at by then, while others wait for room (ours).
pub const BODY_HURRY_BYTES_PER_SECOND: u64 = 16 << 10;
/// Segments of records that are read from disk at once, by all reads together (ours; each read
/// holds up to 10 MB, and a machine has few disks).
pub const DISK_READS: usize = 16;
/// HTTP/2 streams of one connection (ours): a worker holds one for each shard for five minutes,
/// and opens another connection when there are no more.
pub const HTTP2_STREAMS: u32 = 1024;
/// What an HTTP/2 client may send of one body before it is read (ours): small, because it counts
/// as in flight only once it is read, and enough for one machine, where a window comes back fast.
pub const HTTP2_STREAM_WINDOW_BYTES: u32 = 256 << 10;
/// The same for all bodies of one connection together (ours).
pub const HTTP2_CONNECTION_WINDOW_BYTES: u32 = 1 << 20;
/// Bytes of a request's headers over HTTP/2 (ours): session tokens are large.
pub const HTTP2_HEADER_LIST_BYTES: u32 = 32 << 10;
/// Bytes of a request's head over HTTP/1, and of its body that are read at once (ours): every
/// connection may hold as much.
pub const HTTP1_BUFFER_BYTES: usize = 64 << 10;
/// HTTP/2 streams that a client may reset before they are looked at (hyper's own, after
/// CVE-2023-44487), and that may be reset for its mistakes; then its connection is closed.
pub const HTTP2_PENDING_RESETS: usize = 20;
/// See [`HTTP2_PENDING_RESETS`]; this is hyper's own, too (CVE-2025-8671).
pub const HTTP2_LOCAL_RESETS: usize = 1024;
/// What one slow subscriber may hold over HTTP/2 (ours): hyper stops asking its body for more.
pub const HTTP2_SEND_BUFFER_BYTES: usize = 1 << 20;
/// How often an HTTP/2 peer is asked whether it is still there (ours): finds dead subscribers.
pub const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(60);
/// How long it may take to answer (ours).
pub const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);
/// A time that is switched off.
pub const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 86_400);
/// How long requests in flight may take to finish after a stop (ours). Containers are killed 10 s
/// after they were asked to stop, and the last commit has to fit in, too.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(5);
/// How long to leave the machine alone after it refused to accept (ours).
pub const ACCEPT_PAUSE: Duration = Duration::from_secs(1);
/// Connections the machine holds for us: some clients open one for each request (ours).
pub const ACCEPT_BACKLOG: u32 = 1024;
/// How many free ports are tried until one is free on every address (ours).
pub const PORT_TRIES: usize = 16;
/// Bytes of a request's body to our own paths (ours).
pub const OWN_BODY_BYTES: usize = 64 << 10;
/// Characters of a message that the log shows (ours): some quote all of a record that is wrong.
pub const LOGGED_CHARACTERS: usize = 1_000;
/// Structures within structures that the fast reader of CBOR follows (ours); no request of the
/// service has more. ciborium follows 256, serde_json 128.
pub const CBOR_DEPTH: u8 = 32;
/// Items of one document; a request that the service takes has some thousands (ours).
pub const DOCUMENT_ITEMS: usize = 250_000;
/// The same for JSON.
pub const JSON_DEPTH: u8 = CBOR_DEPTH;
/// Tags around one item of CBOR that the fast reader passes over (ours); moments have one.
pub const CBOR_TAGS: u8 = 4;
/// Bodies from this length on are read with one piece of room for all their blobs (measured).
pub const SHARED_ROOM_FROM_BYTES: usize = 16 << 10;
/// Bytes of a body, and of its blobs, for which each thread keeps the room for the next one (ours);
/// room grows by doubling, so it is up to twice that. Most batches fit, and threads are few.
pub const KEPT_ROOM_BYTES: usize = 1 << 20;
/// How often, at least, a connection is looked at in the time of a head (ours): one on which nothing
/// comes is closed by one look later, or by two where the time is no multiple of the steps.
pub const HEAD_CHECKS: u32 = 8;
/// Credentials whose scope is remembered (ours).
pub const RECENT_SCOPES: usize = 8;
/// Bytes of such a credential (ours): it comes from anybody, and the usual ones have about sixty.
pub const RECENT_SCOPE_BYTES: usize = 256;
/// Segments on disk that one read looks at before it is asked again (ours).
pub const SEGMENTS_A_READ: usize = 256;
/// How often a start tries the lock of a data directory (ours): a process that was killed gives it
/// up only when the last of its threads has returned from the disk.
pub const LOCK_TRIES: u32 = 200;
/// How often a check tries it (ours): nobody waits for a check.
pub const CHECK_LOCK_TRIES: u32 = 20;
/// How long to wait between two tries (ours).
pub const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// How long at most a commit waits for those who came together last time (measured).
pub const COMMIT_GAP: Duration = Duration::from_millis(1);
/// How often is committed when nothing says how often (ours).
pub const COMMIT_PAUSE: Duration = Duration::from_millis(200);
/// Bytes that spill to disk between two flushes (ours): enough to make a flush cheap, little enough
/// to hold twice.
pub const SPILL_BYTES: u64 = 8 << 20;
/// Sealed generations that are open at a time (ours). The engine's cache keeps up to 256 leaves of
/// each, about 32 MiB, however little it is allowed.
pub const OPEN_GENERATIONS: usize = 4;
/// Cache of a database (ours): the engine keeps what it writes anyway, and the files are cached
/// below.
pub const DATABASE_CACHE_BYTES: usize = 2 << 20;
/// Values in a leaf of sled before it is split (measured). A split at the right end leaves two
/// behind, and two segments fit the engine's slot of 128 KiB.
pub const SLED_LEAF_FANOUT: usize = 4;
/// How long opening a database may take (ours). It takes some hundredths of a second, but a disk
/// may stall, and a sound generation must not be set aside for that.
pub const SLED_OPEN_LIMIT: Duration = Duration::from_secs(60);
/// How often opening is tried again while something still holds the database (ours).
pub const SLED_OPENINGS: u32 = 500;
/// How long to wait before that (ours).
pub const SLED_OPENING_PAUSE: Duration = Duration::from_millis(10);
/// How long the next value may take when a whole database is read (ours), for the same reason.
pub const SLED_READ_LIMIT: Duration = Duration::from_secs(20);
/// Values read before they are looked at, when a whole database is read (ours).
pub const SLED_READ_AHEAD: usize = 16;
