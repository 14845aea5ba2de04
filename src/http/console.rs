//! The console: pages for a browser. The server renders them from the same data that minikin's own
//! paths return.
//!
//! A page works without the script. The script fetches the page again every two seconds while the
//! page is visible, and replaces the parts with the attribute `data-live`. On the page of a
//! stream's records, the script also receives new records as server-sent events. An action is a
//! form that the browser sends with POST.
//!
//! # Files
//! - `routes`: the paths. `visit`: a request for a page. `sign_in`: access from another machine.
//!   `page`, `head`: the parts that every page has. `assets`: the script, the style sheet and the
//!   icon.
//! - `characters`: makes hidden characters visible. `lineage`: the layout of the drawing of shards.
//!   `parts`, `numbers`, `spark`, `payload`, `json_tree`: parts of pages.
//! - `streams`, `stream/`, `queues`, `mappings`, `channels`, `clock`, `faults`, `requests`,
//!   `limits_page`, `metrics_page`: the pages.
//! - `forms`, `fields`, `actions`: the forms, and the actions that they send.

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
mod requests;
mod routes;
mod sign_in;
mod spark;
mod stream;
mod streams;
mod visit;

pub(super) use routes::routes;
