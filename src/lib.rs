//! minikin: a local Amazon Kinesis Data Streams in one small program.
//!
//! # Map
//! A module uses only the modules before it in this order:
//! `lock`, `limits`, `world`, `wire` → `model` → `store` → `admission` → `engine` → `error` →
//! `operation` → `options` → `setup`, `outbound` → `http` → `emulator` → `command` → `main`.
//!
//! | module | holds |
//! |---|---|
//! | `lock` | the only type of lock |
//! | `limits` | every bound, with its name, its values and its source |
//! | `world` | time, chance and faults, which a test can replace |
//! | `wire` | bytes to values in JSON and CBOR; shapes as data; the texts of violations |
//! | `model` | pure values: shards, sequence numbers, iterators, policies, queues, channels, event source mappings |
//! | `store` | records and the catalog, in memory and in sled, or on a simulated disk; durability; the check of a data directory |
//! | `admission` | the in-flight budget: bytes of requests, answers and events in memory |
//! | `engine` | streams and their shards; the write path; queues; channels; event source mappings; retention; the only tasks |
//! | `error` | the service's exceptions and their texts |
//! | `operation` | one file for each operation, the table of operations, permissions, fault rules |
//! | `options` | every option once: flag, variable, key of the file; the setup file; other tools' variables |
//! | `setup` | the creation of the setup's streams, mappings and fault rules, at the start and after a reset |
//! | `outbound` | clients: functions behind HTTP, queues, topics, buckets, files, Iceberg tables |
//! | `http` | connections, credentials and signatures, bodies, replies; Lambda's API; the paths under `/_minikin/`; the console; metrics |
//! | `emulator` | start and stop of the whole; requests from within the process |
//! | `command` | the command line: the server (`serve`, `health`, `check`, `limits`), and commands that talk to a running emulator |
//! | `guide` | the guide for users, from the pages in `src/guide` |
//!
//! # A request
//! `http/listen.rs` accepts a connection; `http/server.rs` receives the body by
//! `http/request_body.rs` within its size, its time and the in-flight budget (`admission.rs`);
//! `http/dispatch.rs` finds the operation and the format (`http/target.rs`) and the caller
//! (`http/access.rs`); `operation.rs` decodes the request, asks the policies
//! (`operation/permission.rs`) and runs it; `http/reply.rs` makes the answer and logs it,
//! `http/metrics.rs` counts it. The bytes of the answer in the budget are free again when the last
//! byte of the answer is written (`http/connection.rs`) or its connection is dropped
//! (`http/slow_reader.rs`).
//!
//! # Where is …
//! | question | file |
//! |---|---|
//! | the limit of 1 MiB per second and shard? | `model/write_limit.rs`, taken in `engine/shard.rs`; the values are in `limits.rs` |
//! | the moment at which a record becomes visible? | `store/log/publish.rs`, after the commit in `store/commit/durable.rs` |
//! | the wake-up of a follower of a shard? | `store/log/publish.rs` |
//! | the removal of expired records? | `engine/retention.rs`; segments go in `store/log/shard_log.rs` (`trim_up_to`), generations in `store/commit/sweep.rs` |
//! | the record of a split in the catalog? | `engine/resharding.rs` computes the shards, `engine/update.rs` applies them, `engine/saved.rs` makes the entries |
//! | the catalog's key of a consumer? | a consumer has none: it is in the value of its stream, `store/format/value.rs` |
//! | the comparison of a signature? | `http/signature.rs` |
//! | the disconnection of a slow subscriber? | `http/slow_reader.rs`, after the time in `engine/subscription.rs` |
//! | the start of TLS on a connection? | `http/listen.rs` |
//! | the place for a new operation? | `operation/`, see "To add" |
//!
//! # Glossary
//! | term | means |
//! |---|---|
//! | append | add a record to a shard's log: numbered, not yet durable |
//! | commit | make appended records durable in one group |
//! | publish | make committed records visible to readers |
//! | log | all records of one shard, the newest in memory |
//! | lane | of a mapping: one of the sequences of batches of a shard that run in parallel (ParallelizationFactor); of the in-flight budget: one of its parts |
//! | segment | a block of consecutive records of one log, about 64 KiB |
//! | generation | one sled database of about 64 MiB of segments and commit frames |
//! | commit frame | a value in a generation that holds the records of one commit, until segments hold them |
//! | write-ahead log | the file `wal` of the generation that is written: it makes small commits durable before sled is flushed |
//! | summary | the list of the segments of a generation that is complete |
//! | `meta`, `marks` | the sled database of the catalog and the summaries; the file that says how much was written to the databases |
//! | set aside | of a database: renamed because it is damaged, and not read any more |
//! | tail | the newest records of a log, which are in no closed segment yet; or a request that receives the records of a stream as they are published |
//! | gap | records of a log that are in no segment although a later segment exists; recovery finds them in commit frames |
//! | live, dead | of a segment: live if some of its records can be read, dead if all have expired or were removed |
//! | spill | move segments from memory to temporary files when there is no data directory |
//! | catalog | the metadata that survives a restart: accounts, streams, shards, consumers, … |
//! | queue | the service's queue: gives each record of a stream to one of several competing consumers, until it is acknowledged or becomes a dead-letter record |
//! | channel | the service's channel: delivers the records of streams as objects to a bucket, or as rows to a table |
//! | plan | the ranges of records of a channel's next object. A plan is saved before its object is written, so that a repeat writes the same object |
//! | destination | the target of a channel's objects, or of a mapping's discarded batches: a bucket, queue, topic, file or stream |
//! | mapping | an event source mapping: invokes a function with the records of a stream |
//! | subscription | one SubscribeToShard in progress |
//! | in-flight budget | the bytes of requests and answers in memory; a request holds a permit |
//! | run | one start of the emulator or one load of a snapshot; the number of the run is the upper part of a sequence index |
//! | opener | opens the shards of one run, with their logs |
//! | sequence index | the count in a sequence number; the index of the record in its log |
//! | incarnation number | unique number of a stream or queue; a recreated stream gets a new one |
//! | identity number | the stream's number in iterators and tokens; a load of a snapshot keeps it |
//! | horizon | the earliest arrival time of a record that has not expired |
//! | settled | acknowledged, or no longer readable: a queue never delivers the record again |
//! | journal | the log that holds the saved state of a queue |
//! | document | one appended value of a journal: changes of a queue's records, or a part of the list of all its records |
//! | body | the JSON or CBOR of a request or an answer; its items are the values in its lists and structures |
//! | alarm, bell | a task's wait for a deadline, and the handle that ends the wait early |
//! | fast reader | decodes a valid body of a request that comes often |
//! | explaining reader | decodes every other body, or finds the service's message for it |
//! | write reservation | the bytes that a writer may append before the committer catches up |
//! | ticket | the result of an append, with which a writer waits until the record is durable |
//! | follower | a task that waits for the next published records of a log |
//! | position | of a channel, a mapping or a tail in a shard: the index of the next record |
//! | turn | of a task: the work between two waits; of a record without a hash key: the number that selects its shard |
//! | deadline | a moment of the given clock; `RealDeadline` is one of wall time |
//! | standing | the state of a queue's record: visible or in flight, dead-letter or not |
//! | place | of a record in a queue: its shard, and its index in this shard |
//! | delivery number | unique number of one delivery of a record by a queue; a receipt handle contains it |
//! | dead-letter record | a record of a queue that was received too often; or a record that a channel cannot deliver in its format |
//! | failure record | the record about a discarded batch that a mapping sends to its on-failure destination |
//! | done | of a record that a mapping has read: delivered, dropped by a filter, or discarded |
//! | drain | a request to wait until mappings are done with all records |
//! | cut | the shards that a tail reads, with a position in each |
//! | sweep | remove generations without live segments, and rewrite generations with few live segments |
//! | line | the requests or threads that wait in order; a queue is always the service's |
//! | the service | Amazon Kinesis Data Streams; what minikin itself does is said of the emulator |
//! | choice | a value, text or behaviour of the service that no source shows, and that is chosen here |
//! | recorded | seen in an answer of the service itself; the comment names the source |
//! | own paths | the paths under `/_minikin/` |
//! | opaque text | the encoded form of a shard iterator or page token |
//! | setup | the streams, consumers, queues, channels, mappings, records and fault rules that the emulator creates at its start |
//! | fault, fault rule, injection point | an injected failure, the rule that fires it, its position in the code |
//!
//! # To add
//! - An operation: a file in `operation/` that implements its trait, its `mod` line in `operation.rs`, and
//!   its row in `operation/table.rs`; a limit of its call rate in `limits/calls.rs`; its shapes are compared with the
//!   service model by `tests/it/aws_model`.
//! - An option: a field of `Options` in `options/definition.rs` with its flag, its default there
//!   and in `Default`, a check between options in `check`, and an error in `options/error.rs`.
//! - A limit: a row of the table in `limits.rs` if it can be set, else a constant in
//!   `limits/edge.rs`; both name the source of the value.
//! - An injection point: a variant of `Point` in `world/fault/point.rs`, and a call of
//!   `World::pass` or `Faults::at` where the fault can happen.
//!
//! The order of locks is in `engine.rs`.
//!
//! # Invariants
//! - Sequence order, commit order and the order readers see are one order, made under one lock for
//!   each shard (`engine/shard.rs`).
//! - Under `always` nothing is visible before it is durable.
//! - Nothing in `wire` or `model` is async, locks, logs, spawns or reads a clock.
//! - Only `store/disk/sled/database.rs` names sled, only `http` names axum, and only `http` and `outbound`
//!   name hyper. Only `outbound/tables` names iceberg, arrow and parquet.
//! - Only `world` reads a clock or waits for one. Only `engine/tasks.rs` spawns tasks.
//! - No lock is held over an await: the guard of `lock::Lock` is not `Send`.
//! - Shapes check the constraints of a request's members; handlers check only the rest.
//! - Secrets are `options::Secret` from the command line on. That type prints no text.
//! - Bodies, answers and events count against the in-flight budget while they are in memory; the
//!   buffers of a connection are bounded separately. A request that gets no permit in time is
//!   refused. A client that does not read its answer in time is disconnected.
//! - A panic ends one request or one task, and is counted.
//! - Tests inject faults at a `world::Point`. Without a rule, passing a point costs one atomic
//!   load.
//! - Every bound has its name in `limits`.

mod admission;
#[cfg(feature = "cli")]
mod command;
mod emulator;
mod engine;
mod error;
pub mod guide;
mod http;
mod limits;
mod lock;
mod model;
mod operation;
mod options;
mod outbound;
mod setup;
mod store;
mod wire;
mod world;

pub use emulator::{Emulator, StartError, Surroundings};
pub use engine::event_source::{Function, FunctionError, FunctionEvent};
pub use engine::snapshot::SnapshotError;
pub use engine::{RestoreError, StoreError};
pub use http::listen::BindError;
pub use http::{Body, Incoming, NoAnswer};
/// Types of hyper, re-exported here. See hyper's documentation.
#[doc(no_inline)]
pub use http::{Request, Response};
pub use limits::Profile;
pub use model::KeyState;
pub use operation::fault_rule::FaultRuleError;
#[cfg(feature = "cli")]
pub use options::LogFormat;
pub use options::{
    AllowedOrigin, Authentication, ChannelOptions, ClockChoice, DestinationSetting, Durability,
    FaultSetting, FunctionSetting, Hosts, KeySetting, LimitSetting, Listen, Options, OptionsError,
    Problem, Secret, Switch,
};
pub use store::OpenError;
pub use world::{Clock, FaultKind, FaultRule, ListedRule, Timestamp, VirtualClock};

/// Items that the program, the tests, the benchmarks and the fuzz targets need. They may change
/// with every version.
#[doc(hidden)]
pub mod internals {
    #[cfg(feature = "cli")]
    pub use crate::command::run;

    pub mod engine {
        pub use crate::engine::channel;
        pub use crate::engine::event_source;
        pub use crate::engine::tasks::{self, Tasks};
        pub use crate::engine::{
            Behaviour, Engine, PendingChange, ReshardingOrder, StreamSettings,
        };
    }
    pub mod http {
        pub use crate::http::{AccessSettings, Client, Server};
        pub use crate::http::{listen, metrics, tls};
    }
    pub mod limits {
        pub use crate::limits::{CALL_RATES, Limits, REQUEST_PERMIT_BYTES, SMALL_BYTES};
    }
    pub mod lock {
        pub use crate::lock::{Lock, Rank};
    }
    pub mod model {
        pub use crate::model::channel;
        pub use crate::model::event_source;
        pub use crate::model::{
            AccountId, AccountRegion, ConsumerArn, HashKey, PageToken, Region, SALT_BYTES,
            SEQUENCE_NUMBER_DIGITS, SequenceNumber, ShardId, ShardIterator, StreamArn,
        };
    }
    pub mod operation {
        pub use crate::operation::{Answer, Context, Entry, OPERATIONS};
    }
    pub mod options {
        pub use crate::options::Credential;
    }
    pub mod store {
        pub use crate::store::{
            Catalog, Damage, Durability, History, Log, LogId, ReadLimit, Record, Recovered, Report,
            Settings, ShardReport, ShardValue, SimulatedDisk, Store, StreamReport, StreamValue,
            check,
        };
        #[cfg(any(test, fuzzing))]
        pub use crate::store::{fuzzing, snapshot_fuzzing};
    }
    pub mod wire {
        pub use crate::wire::{
            Blob, Format, Member, Node, Presence, Shape, decode, encode, frame, parses,
        };
    }
    pub mod world {
        pub use crate::world::{
            Fault, Faults, Point, Random, RealDeadline, Rule, ShiftedClock, Stopwatch, World,
            raise_descriptor_limit,
        };
    }
}

/// Compiles the examples of the README as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
