//! Clients of what lies outside of this process: functions behind HTTP, and the destinations of
//! on-failure records.

mod address;
mod connection;
mod destinations;
mod functions;
mod sign;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "outbound/no_tls.rs"]
mod tls;

pub(crate) use address::AddressError;
pub(crate) use destinations::{Destinations, OwnStreams};
pub(crate) use functions::HttpFunctions;
