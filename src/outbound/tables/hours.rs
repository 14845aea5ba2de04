//! Division of a table's rows into partitions by hour.

use crate::model::channel::schema::{Columns, Row, SchemaError, Value};
use std::collections::BTreeMap;

const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// The paths to the partition columns of a table. A path consists of the position of a column in
/// the row, followed by the position of a field in each nested structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HourColumns(Vec<Vec<usize>>);

impl HourColumns {
    /// Marks the partition columns `sources` as required in `columns`, and returns the paths to
    /// them.
    pub(super) fn require(columns: &mut Columns, sources: &[String]) -> Result<Self, SchemaError> {
        let steps = sources
            .iter()
            .map(|source| columns.require_timestamp(source));
        steps.collect::<Result<_, _>>().map(Self)
    }

    /// Groups rows by the hours in their partition columns. Each key of the result holds one hour
    /// for each partition column, in hours since 1970.
    pub(super) fn split<'a>(&self, rows: &'a [Row]) -> BTreeMap<Vec<i32>, Vec<&'a Row>> {
        let mut split: BTreeMap<Vec<i32>, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            let hours = self.0.iter().map(|steps| hour(row, steps)).collect();
            split.entry(hours).or_default().push(row);
        }
        split
    }
}

/// Returns the hour of the timestamp at the path `steps` in a row, in hours since 1970. Every row
/// has this timestamp, because partition columns are required.
fn hour(row: &Row, steps: &[usize]) -> i32 {
    let mut values = row.values();
    for step in steps {
        match values.get(*step) {
            Some(Value::Struct(inner)) => values = inner,
            Some(Value::Timestamp(micros)) => {
                let hours = micros.div_euclid(MICROS_PER_HOUR);
                return i32::try_from(hours).unwrap_or(i32::MAX);
            }
            _ => break,
        }
    }
    0
}
