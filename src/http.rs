//! HTTP: the paths of the Kinesis and Lambda APIs, and minikin's own paths under `/_minikin/`.

mod access;
pub(crate) mod admin;
mod body;
mod connection;
#[cfg(feature = "console")]
mod console;
mod credentials;
mod dispatch;
mod drained_body;
mod lambda;
pub mod listen;
pub mod metrics;
mod origin;
mod pause;
mod rates;
#[cfg(feature = "console")]
mod recent;
#[cfg(not(feature = "console"))]
#[path = "http/no_recent.rs"]
mod recent;
mod reply;
mod request_body;
mod server;
mod signature;
mod slow_reader;
mod target;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(not(feature = "tls"))]
#[path = "http/no_tls.rs"]
pub mod tls;

pub use access::AccessSettings;
pub use body::{Body, Incoming};
pub use connection::Client;
pub use hyper::{Request, Response};
pub use server::{NoAnswer, Server};
