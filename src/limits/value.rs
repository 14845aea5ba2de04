//! The value of a limit, and the row of a limit in the table that `minikin limits` prints.

/// The value of a limit; `None` means that the limit is off.
pub(crate) type Limit = Option<u64>;

/// The row of one limit in the table that `minikin limits` prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The name that `--limit` takes.
    pub name: &'static str,
    /// The value that is enforced, or `off`.
    pub value: String,
    /// The unit of the value.
    pub unit: &'static str,
    /// The document or recording that gives the value; "ours" means that minikin chose it.
    pub source: &'static str,
    /// A sentence that describes the limited quantity.
    pub meaning: &'static str,
}
