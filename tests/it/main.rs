//! The integration tests, one binary: black boxes, through the wire.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod ahead;
mod aws_model;
mod control;
mod crashes;
mod damage;
mod durability;
mod embedding;
mod errors;
mod faults;
mod formats;
mod fuzz;
mod gaps;
mod hostile;
mod iterators;
mod kept;
mod lab;
mod limits;
mod listing;
mod load;
mod looking;
mod mappings;
mod permissions;
mod properties;
mod queues;
mod records;
mod routing;
mod setups;
mod signing;
mod simulation;
mod snapshots;
mod streams;
mod subscriptions;
mod tailing;
mod tidy;
mod time;
