//! The value of a limit, and its row in the table of limits.

/// The value of a limit; none when it is off.
pub(crate) type Limit = Option<u64>;

/// One limit, as `minikin limits` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The name that `--limit` takes.
    pub name: &'static str,
    /// The value in force, or `off`.
    pub value: String,
    /// The unit of the value.
    pub unit: &'static str,
    /// The source of the value.
    pub source: &'static str,
    /// The effect of the limit.
    pub meaning: &'static str,
}
