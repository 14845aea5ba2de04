//! Our own paths under `/_minikin/`: health, metrics and the certificate for everyone; the clock for
//! this machine, or for clients that present the token.

mod access;
mod clock;
mod router;
mod state;

pub use access::Peer;
pub use router::router;
pub use state::Admin;
