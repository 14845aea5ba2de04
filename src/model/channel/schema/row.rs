//! The rows of a table.

/// A row: a value for each column, in the order of the columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row(pub(super) Vec<Value>);

/// A value in a row: the value of a column or field, an element of a list, or a value in a map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    Int(i32),
    Long(i64),
    Double(f64),
    /// The number multiplied by 10^scale, with the scale of the column.
    Decimal(i128),
    /// Days since 1970.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970, in UTC.
    Timestamp(i64),
    String(String),
    Uuid([u8; 16]),
    Binary(Vec<u8>),
    /// A value for each field of the structure, in the order of the fields.
    Struct(Vec<Value>),
    List(Vec<Value>),
    /// The entries of the map. No two entries have the same key.
    Map(Vec<(String, Value)>),
}

impl Row {
    /// The values in the order of the columns.
    pub(crate) fn values(&self) -> &[Value] {
        &self.0
    }
}
