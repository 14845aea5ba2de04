//! The value of a limit, and one row of the table that `minikin limits` prints.

/// The value of a limit. `None` means that the limit is off.
pub(crate) type Limit = Option<u64>;

/// The row of one limit in the table that `minikin limits` prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The name of the limit, spelled as for the option `--limit`.
    pub name: &'static str,
    /// The value that the emulator enforces, or `off`.
    pub value: String,
    /// The unit of `value`.
    pub unit: &'static str,
    /// The document or recording that is the source of the value. "ours" means that minikin chose
    /// the value.
    pub source: &'static str,
    /// The description of the quantity that the limit bounds. The description ends with a full
    /// stop.
    pub meaning: &'static str,
}
