//! The state that all parts of a store share: settings, budgets and wake-up signals. The shared
//! state names logs only by their ids.

pub(crate) mod arrivals;
pub(crate) mod budget;
pub(crate) mod committer_signal;
pub(crate) mod meter;
pub(crate) mod pacer;
pub(crate) mod settings;
pub(crate) mod state;
pub(crate) mod stream_names;
