//! Clients of servers outside this process. The servers are functions behind HTTP, the destinations
//! of failure records and of channels, and the running emulator to which a command talks.

mod address;
#[cfg(feature = "cli")]
mod blocking;
mod buckets;
mod channels;
mod connection;
mod destinations;
mod directory;
mod functions;
mod s3;
#[cfg(feature = "streaming-tables")]
mod s3_files;
mod sign;
mod signed_client;
mod spool;
#[cfg(feature = "streaming-tables")]
mod tables;
#[cfg(not(feature = "streaming-tables"))]
#[path = "outbound/no_tables.rs"]
mod tables;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "outbound/no_tls.rs"]
mod tls;

#[cfg(feature = "cli")]
pub(crate) use address::Address;
pub(crate) use address::AddressError;
#[cfg(feature = "cli")]
pub(crate) use blocking::{BlockingAnswer, BlockingBody, BlockingClient, BlockingRequest};
pub(crate) use buckets::{Buckets, S3Endpoint};
pub(crate) use channels::ChannelDestinations;
pub(crate) use destinations::{Destinations, OwnStreams};
pub(crate) use functions::HttpFunctions;
