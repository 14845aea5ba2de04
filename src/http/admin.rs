//! Minikin's own paths under `/_minikin/`, and the health checks of other tools.
//!
//! Every client may use the health checks, the metrics and the certificate. All other paths are
//! open only to clients on this machine and to clients with the admin token.

mod access;
mod channels;
mod clock;
mod event_sources;
mod faults;
mod health;
mod listing;
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
mod records_answer;
mod reset;
mod router;
mod scan;
mod snapshot;
mod state;
mod stream_path;
mod streams;
mod tail;
mod tail_id;

pub(crate) use health::is_health_of_other_tools;
pub(crate) use router::router;
pub(crate) use state::{Admin, Source, Streamed, problem};

/// The items of `admin` that the console uses, too.
#[cfg(feature = "console")]
pub(in crate::http) use {
    access::{Permitted, TOKEN_COOKIE},
    mapping_view::{details as mapping_details, entry as mapping_event},
    own_body::{LargeBody, OwnBody},
    position::ListingStart,
    query::Query,
    scan::{Cursor, Page, Selection},
    state::Refused,
    tail::{TailForm, tail},
    tail_id::{StreamMark, write as write_tail_id},
};
