//! minikin: a local Amazon Kinesis Data Streams in one small program.
//!
//! # Map
//! A module uses only what stands left of it:
//! `lock`, `limits`, `world`, `wire` → `model` → `store` → `engine` → `error` → `operation` →
//! `options` → `http` → `emulator` → `command` → `main`.
//!
//! | module | what it knows |
//! |---|---|
//! | [`world`] | time, chance and faults, handed in so that a test can hold them |
//! | [`wire`] | bytes to values in JSON and CBOR; shapes as data; the wording of refusals |
//! | [`model`] | the nouns as pure values: shards, sequence numbers, iterators, buckets |
//! | [`store`] | records and metadata in memory and in sled; durability; one contract for all modes |
//! | [`engine`] | streams and their shards; the write path; lifecycles; retention |
//! | [`error`] | the service's exceptions and every text of them |
//! | [`operation`] | one file for each operation, and the table of them |
//! | [`http`] | the order of checks, credentials and signatures, replies; the listener; our own paths |
//! | [`emulator`] | start and stop of the whole |
//!
//! # Invariants
//! - Sequence order, commit order and the order readers see are one order, made under one lock for
//!   each shard (`engine/shard.rs`).
//! - Under `always` nothing is visible before it is durable.
//! - Nothing in `wire` or `model` is async, locks, logs, spawns or reads a clock.
//! - Only `store/sled.rs` names sled; only `http` names axum and hyper; only `world` reads the
//!   clock; only `engine/tasks.rs` spawns.
//! - No lock is held over an await: the guard of [`lock::Lock`] is not `Send`.
//! - A value whose type is a shape keeps that shape's rules; handlers check only what a type cannot.
//! - What must not be seen is a [`options::Secret`] from the command line on: it has no text to print.
//! - Every bound has its name in [`limits`].

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
pub mod store;
pub mod wire;
pub mod world;

pub use emulator::{Emulator, StartError};
pub use options::Options;

/// The README's examples compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
