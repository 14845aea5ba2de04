//! Event source mappings as plain values: settings, events, filters, tumbling windows, and the
//! effect of a function's answer on the batch.

mod answer;
mod decision;
mod event;
mod failure;
mod function_arn;
mod lane;
mod pattern;
mod progress;
mod refusal;
mod report;
mod request;
mod settings;
mod window;

pub(crate) use super::aggregate::{Aggregate, UserRecord};
pub use answer::{Answer, ErrorSource, Response, Verdict};
pub use decision::{BackOff, Failing, Failures, Next, next_step};
pub use event::{EventHead, EventRecord, EventWriter};
pub use failure::{BatchRange, Condition, FailureRecord, object_key};
pub use function_arn::FunctionArn;
pub use lane::lane_of;
pub use pattern::{Filters, MetaData};
pub use progress::{Progress, ShardPosition};
pub use refusal::{Refusal, RefusalKind};
pub use report::{Outcome, outcome, window_state};
pub use request::{Changes, CreateRequest, StartRequest, read_tags, source_of_option};
pub use settings::{Destination, Settings, Source, StartingPosition};
pub use window::{Window, WindowFlags};
