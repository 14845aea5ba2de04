//! Our own paths under `/_minikin/`: health, metrics and the certificate for everyone; the clock for
//! this machine, or for clients that present the token.

mod access;
mod clock;
mod own_body;
mod router;
mod state;

pub use router::router;
pub use state::{Admin, Source};
