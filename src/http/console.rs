//! The console: pages for a browser, rendered on the server from the same views as minikin's own
//! paths.
//!
//! A page works without its script. The script fetches the page again every two seconds while the
//! page is visible, and replaces the parts that are marked as live. The page of a stream also
//! receives the newest records as server-sent events. Actions are forms that are sent with POST.
//!
//! # Files
//! - `routes`: the paths. `visit`: access, account and region of a request.
//!   `sign_in`: access from another machine. `page`, `head`: the frame of
//!   every page. `assets`: the script, the style sheet and the icon.
//! - `characters`: hidden characters. `lineage`: the layout of the drawing of shards. `parts`,
//!   `numbers`, `spark`, `payload`, `json_tree`: parts of pages.
//! - `rates`: the counters of streams and shards over time, while a page is open.
//! - `streams`, `stream/`, `queues`, `mappings`, `channels`, `clock`, `faults`, `requests`,
//!   `limits_page`, `metrics_page`: the pages.
//! - `forms`, `fields`, `actions`: the forms, and what they do.

mod actions;
mod assets;
mod channels;
mod characters;
mod clock;
mod faults;
mod fields;
mod forms;
mod head;
mod json_tree;
mod limits_page;
mod lineage;
mod mappings;
mod metrics_page;
mod numbers;
mod page;
mod parts;
mod payload;
mod queues;
mod rates;
mod requests;
mod routes;
mod sign_in;
mod spark;
mod stream;
mod streams;
mod visit;

pub(super) use routes::routes;
