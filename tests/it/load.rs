//! The load client of tests/benches: its unit tests, and a run against a server that it starts.

#[path = "../benches/load/client.rs"]
mod client;
