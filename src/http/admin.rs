//! Our own paths under `/_minikin/`: health, metrics and the certificate for everyone; the clock and
//! the fault rules for this machine, or for clients that present the token.

mod access;
mod clock;
mod event_sources;
mod faults;
mod mapping_view;
mod own_body;
mod router;
mod state;

pub(crate) use router::router;
pub(crate) use state::{Admin, Source};
