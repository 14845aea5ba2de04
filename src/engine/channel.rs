//! Channels, which deliver the records of a stream to a bucket or a table.
//!
//! # Files
//! - `item`: one channel and its state. `figures`: the counts of the channel's deliveries.
//! - `destination`, `destination_error`: the trait of the destinations that channels write to, and
//!   the errors of a destination.
//! - `progress`, `advance`: the positions of a channel in the shards, which survive a restart.
//! - `table`: the trait of the tables that channels write to.
//! - `stream_channels`: keeps expired records in the logs until channels deliver them or count them
//!   as lost.
//! - `registry`, `lookup`: finds channels by account, name and id.
//! - `creation`, `activation`, `changes`, `removal`, `start`: creation, activation, change and
//!   deletion of channels, and the restoration of channels at the start.
//! - `transitions`: the task that ends the temporary statuses of channels.
//! - `delivery/`: reads the records of a channel's stream and delivers them.
//!
//! # The check of a destination
//! The engine checks the destination of a new channel. The channel becomes ACTIVE if the check
//! succeeds, and FAILED otherwise. The channel delivers the records that are published after it
//! became ACTIVE.

mod activation;
mod advance;
mod changes;
mod creation;
mod delivery;
mod destination;
mod destination_error;
mod figures;
mod item;
mod lookup;
mod progress;
mod registry;
mod removal;
mod start;
mod stream_channels;
mod table;
mod transitions;

pub(crate) use creation::{ChannelCounts, NewChannel};
pub(crate) use destination::not_configured;
pub use destination::{ChannelBehaviour, Destinations, ObjectHead, ObjectWriter};
pub use destination_error::DestinationError;
pub(crate) use figures::ChannelFigures;
pub(crate) use item::Channel;
pub(crate) use progress::ChannelProgress;
pub(in crate::engine) use registry::{AccountChannels, Channels, restore};
pub(in crate::engine) use start::positions_of;
pub use table::{ChannelTable, OpenTable, Written};
pub(in crate::engine) use transitions::run;

#[cfg(test)]
mod tests;
