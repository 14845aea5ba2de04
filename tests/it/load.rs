//! The load client of tests/benches: its unit tests, and a run with a server that the client
//! starts.

#[path = "../benches/load/client.rs"]
mod client;
