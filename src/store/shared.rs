//! The state that all parts of a store share: settings, budgets, wake-up signals; ids, never logs.

pub(crate) mod arrivals;
pub(crate) mod budget;
pub(crate) mod pacer;
pub(crate) mod settings;
pub(crate) mod signal;
pub(crate) mod state;
pub(crate) mod stream_names;
