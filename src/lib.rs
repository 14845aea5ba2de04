//! minikin: a local Amazon Kinesis Data Streams.
pub mod lock;
pub mod world;
