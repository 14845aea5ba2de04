//! Event source mappings at work: a task for each mapping and for each shard of it reads records,
//! forms batches, invokes the function and moves the position.
//!
//! Nothing polls: a put, a change of the stream or of the mapping, an ended invocation and a
//! deadline of the clock ring the bell of the task. While a function is invoked a virtual clock
//! stands.

mod batch;
mod checks;
mod configured;
mod context;
mod delivering;
mod drain;
mod entries;
mod event_log;
mod faults;
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
pub use drain::{DrainError, DrainRequest, Left};
pub use event_log::{Entry, EntryKind};
pub use mapping::{Counters, Failure, Mapping, MappingView, Origin, PassingState};
pub use outbound::{
    Call, Deliver, DeliverError, Delivery, Function, FunctionError, FunctionEvent, Functions,
    Invocation, Invoke, Outbound, Pending,
};
pub use redelivery::{RedeliverError, Redelivered};
pub(crate) use registry::Positions;
pub use registry::{EventSources, Found, NewMapping};
pub use shard_status::{BatchView, LanePhase, LaneView, ShardView};
