//! Our own paths under `/_minikin/`, and the health paths of other tools: health, metrics and the certificate for everyone; all others for
//! this machine, or for clients that present the token.

mod access;
mod clock;
mod event_sources;
mod faults;
mod health;
mod mapping_view;
mod overview;
mod own_body;
mod path_part;
mod position;
mod put;
mod query;
mod queues;
mod record_json;
mod records;
mod reset;
mod router;
mod snapshot;
mod state;
mod stream_path;
mod streams;
mod tail;
mod tail_id;

pub(crate) use health::is_health_of_other_tools;
pub(crate) use router::router;
pub(crate) use state::{Admin, Source, Streamed, problem};
