//! The columns of a table: their names, their types and their nullability.

use super::error::SchemaError;

/// Number of digits of a decimal column: the largest precision that Iceberg permits.
pub(crate) const DECIMAL_DIGITS: u32 = 38;

/// The columns of a table, in the order in which the JSON Schema lists its properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns(pub(super) Fields);

/// A list of columns or fields: the columns of a table, or the fields of a structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) columns: Vec<Column>,
    /// True if the schema forbids members without a column (`"additionalProperties": false`). A
    /// record with such a member is then invalid. If this field is false, the row leaves out such
    /// members.
    pub(super) is_closed: bool,
}

/// A column, or a field of a structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The `description` of the property in the JSON Schema.
    pub(crate) doc: Option<String>,
    pub(crate) element: Element,
}

/// The type and the nullability of a value. The value stands in a column, a list or a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    /// True if the value may not be null.
    pub(crate) is_required: bool,
    pub(crate) column_type: ColumnType,
}

/// An Iceberg type. The types of a JSON Schema are converted to these types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Boolean,
    Int,
    Long,
    Double,
    /// A decimal of [`DECIMAL_DIGITS`] digits, `scale` of them after the decimal point.
    Decimal {
        scale: u32,
    },
    Date,
    Time,
    /// A point in time: `timestamptz` in Iceberg.
    Timestamp,
    String,
    /// A string that must be one of these values.
    Enum(Vec<String>),
    Uuid,
    Binary,
    Struct(Fields),
    List(Box<Element>),
    /// A map. Its keys are strings, and its values have this type.
    Map(Box<Element>),
}

impl Columns {
    /// The columns, in the order of the schema.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.0.columns
    }

    /// Makes the timestamp column at `path` required, because the table is partitioned by this
    /// column. Also makes each structure that contains the column required. In `path`, a point
    /// separates the name of a structure from the name of its field.
    ///
    /// Returns one index for each name in `path`. The first is an index into the table's columns.
    /// Every later index is an index into the fields of the structure that the previous index
    /// selects.
    pub(crate) fn require_timestamp(&mut self, path: &str) -> Result<Vec<usize>, SchemaError> {
        let mut steps = Vec::new();
        match require_timestamp(&mut self.0, path, &mut steps) {
            Ok(()) => Ok(steps),
            Err(problem) => Err(SchemaError::new(format!(
                "The partition column '{path}' {problem}."
            ))),
        }
    }
}

fn require_timestamp(
    fields: &mut Fields,
    path: &str,
    steps: &mut Vec<usize>,
) -> Result<(), &'static str> {
    let find = |name: &str| fields.columns.iter().position(|column| column.name == name);
    let (at, rest) = match (find(path), path.split_once('.')) {
        (Some(at), _) => (Some(at), None),
        (None, Some((name, rest))) => (find(name), Some(rest)),
        (None, None) => (None, None),
    };
    let at = at.ok_or("is not a property of the schema")?;
    steps.push(at);
    let element = &mut fields.columns[at].element;
    match (&mut element.column_type, rest) {
        (ColumnType::Timestamp, None) => {}
        (ColumnType::Struct(fields), Some(rest)) => require_timestamp(fields, rest, steps)?,
        (_, None) => return Err("is not a string of the format date-time"),
        (_, Some(_)) => return Err("leads into a property that is not an object"),
    }
    element.is_required = true;
    Ok(())
}
