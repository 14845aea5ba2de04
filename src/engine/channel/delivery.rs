//! The delivery of a channel's records. Each channel that delivers has one task.
//!
//! The task waits until the first record is published. Then it waits until the oldest undelivered
//! record is as old as the channel's data freshness, or until an object is full. It plans an
//! object, saves the plan, writes the object, and saves the new positions. A crash may happen
//! between the write of the object and the save of the positions. Then the task repeats the saved
//! plan after the next start, and the repeated object has the same key and the same bytes. The plan
//! and its records are durable before the write begins, even if the `durability` option promises
//! less.
//!
//! # Files
//! - `runner`: the task, its waits and its retries. `flushes`: the flush requests, which ask the
//!   channel to deliver immediately.
//! - `planning`: plans the ranges of records of the next object. `reading`: reads the records of
//!   these ranges.
//! - `lost`: the records that expired or were removed before the channel delivered them.
//! - `writing`: one attempt to write an object. `object`, `dead_letters`: the objects that an
//!   attempt writes. `origin`: the names in the keys of the objects. `encoder`: the compression of
//!   an object.
//! - `rows`: one attempt to write into a table. `table_session`, `table_positions`: the table that
//!   the task has open, and the positions that the table contains.
//!
//! # Tables
//! A table commits records together with the channel's positions. Whenever the channel opens the
//! table, at the start and after each error, the channel continues from the positions in the table.
//! Therefore a repeated attempt writes no record twice.

mod dead_letters;
mod encoder;
mod flushes;
mod lost;
mod object;
mod origin;
mod planning;
mod reading;
mod rows;
mod runner;
mod table_positions;
mod table_session;
mod writing;
