//! The pages of the console about one stream.

mod consumers;
mod frame;
mod newest;
mod put;
mod records;
mod routes;
mod row;
mod settings;
mod shards;
mod tail;

pub(super) use routes::routes;
