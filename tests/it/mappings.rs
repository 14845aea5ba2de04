//! Event source mappings. The case numbers are those of the acceptance table.

mod api;
mod batching;
mod bench;
mod consumers;
mod destinations;
mod draining;
mod filters;
mod hostile;
mod invoking;
mod lanes;
mod life;
mod lineage;
mod redelivering;
mod refusals;
mod reports;
mod retries;
mod snapshots;
mod waiting;
mod windows;
