//! minikin: a local Amazon Kinesis Data Streams in one small program.
//!
//! # Map
//! A module uses only what stands left of it:
//! `lock`, `limits`, `world`, `wire` → `model` → `store` → `admission` → `engine` → `error` → `operation` →
//! `options` → `outbound` → `http` → `emulator` → `command` → `main`.
//!
//! | module | what it knows |
//! |---|---|
//! | [`lock`] | the one lock there is |
//! | [`limits`] | every bound, with its name, its values and its source |
//! | [`world`] | time, chance and faults, handed in so that a test can hold them |
//! | [`wire`] | bytes to values in JSON and CBOR; shapes as data; the wording of refusals |
//! | [`model`] | the nouns as pure values: shards, sequence numbers, iterators, buckets; policies and who they are of |
//! | [`store`] | records and metadata in memory and in sled, in files without a name where nothing has to survive, or on a simulated disk; durability; the check of a data directory |
//! | [`admission`] | how many bytes of requests, answers and events may be in memory at once |
//! | [`engine`] | streams and their shards; the write path; lifecycles; retention; the only tasks |
//! | [`error`] | the service's exceptions and every text of them |
//! | [`operation`] | one file for each operation, the table of them, and whether policies permit it |
//! | [`options`] | every option once: flag, variable, key of the file |
//! | [`outbound`] | clients: functions behind HTTP, queues, topics, buckets, files |
//! | [`http`] | the order of checks, credentials and signatures, bodies, replies; the listener; our own paths and metrics |
//! | [`emulator`] | start and stop of the whole; a door for requests from within the process |
//! | [`command`] | the sub-commands: serve, health, check, limits |
//!
//! # A request
//! `http/listen.rs` accepts a connection; `http/server.rs` receives the body by
//! `http/request_body.rs` within its size, its time and the in-flight budget (`admission.rs`);
//! `http/dispatch.rs` finds the operation and the format (`http/target.rs`) and the caller
//! (`http/access.rs`); `operation.rs` decodes the request, asks the policies
//! (`operation/permission.rs`) and runs it; `http/reply.rs` makes the answer and logs it,
//! `http/metrics.rs` counts it. The answer's part of the budget is given back when its last byte is
//! written (`http/connection.rs`) or its connection is dropped (`http/slow_reader.rs`).
//!
//! # Invariants
//! - Sequence order, commit order and the order readers see are one order, made under one lock for
//!   each shard (`engine/shard.rs`).
//! - Under `always` nothing is visible before it is durable.
//! - Nothing in `wire` or `model` is async, locks, logs, spawns or reads a clock.
//! - Only `store/disk/sled.rs` names sled; only `http` names axum, only `http` and `outbound` name
//!   hyper; only `world` reads a clock
//!   or lets a task wait for one; only `engine/tasks.rs` spawns tasks.
//! - No lock is held over an await: the guard of [`lock::Lock`] is not `Send`.
//! - A value whose type is a shape keeps that shape's rules; handlers check only what a type cannot.
//! - What must not be seen is a [`options::Secret`] from the command line on: it has no text to print.
//! - Bodies, answers and events count while they are in memory; beside them a connection has its
//!   own buffers, which are bounded. Who finds no room is told so, who holds some for too long is
//!   dropped.
//! - A panic ends one request or one task, and is counted.
//! - Faults that a test wants happen at a [`world::Point`]; without a rule one costs a look at a
//!   flag.
//! - Every bound has its name in [`limits`].

pub mod admission;
#[cfg(feature = "cli")]
pub mod command;
pub mod emulator;
pub mod engine;
pub mod error;
pub mod http;
pub mod limits;
pub mod lock;
pub mod model;
pub mod operation;
pub mod options;
pub mod outbound;
pub mod store;
pub mod wire;
pub mod world;

pub use emulator::{Emulator, StartError};
pub use engine::event_source::{Function, FunctionError, FunctionEvent};
pub use operation::fault_rule::FaultRuleError;
pub use options::{Options, OptionsError};
pub use world::{FaultKind, FaultRule, ListedRule};

/// The README's examples compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
