//! The delivery of a channel's records: one task for each channel that delivers.
//!
//! The task waits until the first record is published, then until the oldest undelivered record is
//! as old as the channel's data freshness or an object is full. It plans an object, saves the plan,
//! writes the object, and saves the new positions. After a crash between the last two steps the saved
//! plan is repeated: the object has the same key and the same bytes.
//!
//! # Files
//! - `runner`: the task, its waits and its retries.
//! - `planning`: the ranges of the next object. `reading`: the records of the ranges.
//! - `writing`: one attempt to write an object. `object`, `dead_letters`: the objects that an
//!   attempt writes, with the names of `origin`. `encoder`: the compression of an object.

mod dead_letters;
mod encoder;
mod object;
mod origin;
mod planning;
mod reading;
mod runner;
mod writing;
