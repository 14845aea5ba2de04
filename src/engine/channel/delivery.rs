//! The delivery of a channel's records: one task for each channel that delivers.
//!
//! The task waits until the first record is published, then until the oldest undelivered record is
//! as old as the channel's data freshness or an object is full. It plans an object, saves the plan,
//! writes the object, and saves the new positions. After a crash between the last two steps the saved
//! plan is repeated: the object has the same key and the same bytes. The plan and its records are
//! durable before the write begins, whatever durability the settings promise.
//!
//! # Files
//! - `runner`: the task, its waits and its retries. `flushes`: the requests to deliver now.
//! - `planning`: the ranges of the next object. `reading`: the records of the ranges.
//! - `lost`: the records that expired or were removed before they could be delivered.
//! - `writing`: one attempt to write an object. `object`, `dead_letters`: the objects that an
//!   attempt writes, with the names of `origin`. `encoder`: the compression of an object.
//! - `rows`: one attempt to write into a table. `table_session`, `table_positions`: the open table
//!   of the task, and the positions in it.
//!
//! # Tables
//! A table commits records and positions together. Its positions are adopted when it is opened: at
//! the start, and after each error. So a repetition writes no record twice.

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
