//! Event source mappings. Each mapping has one task of its own, and one more task for each shard
//! that the mapping reads. The task of a shard reads records, forms batches, invokes the function
//! and advances the mapping's position in the shard.
//!
//! No task polls. Each task waits until its bell rings or a deadline is due. The bell rings after a
//! put, after a change of the stream or of the mapping, and at the end of an invocation. A virtual
//! clock does not advance while a function is being invoked.

mod batch;
mod checks;
mod configured;
mod context;
mod delivering;
mod drain;
mod entries;
mod event_log;
mod lane_task;
mod mapping;
mod mapping_list;
mod outbound;
mod reading;
mod redelivery;
mod registry;
mod runner;
mod saved;
mod shard_status;
mod shard_work;
mod supervisor;
mod windows;

pub use checks::FindStream;
pub use configured::ConfiguredMapping;
pub(crate) use context::Context;
pub use drain::{DrainError, DrainRequest, RemainingWork};
pub use event_log::{Entry, EntryKind};
pub use mapping::{Counters, Failure, Mapping, MappingView, Origin, PassingState};
pub use outbound::{
    Call, Deliver, DeliverError, Delivery, Function, FunctionError, FunctionEvent, Functions,
    Invocation, Invoke, Outbound, Pending,
};
pub use redelivery::{RedeliverError, Redelivered};
pub(crate) use registry::Positions;
pub use registry::{ChangedMapping, EventSources, NewMapping};
pub use shard_status::{BatchView, LanePhase, LaneView, ShardView};
