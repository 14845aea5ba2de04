//! The pages of one stream.

mod frame;
mod newest;
mod put;
mod records;
mod routes;
mod row;
mod shards;
mod tail;

pub(super) use routes::routes;
