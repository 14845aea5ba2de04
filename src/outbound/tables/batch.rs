//! Converts rows to Arrow arrays.

use super::error::TableError;
use crate::model::channel::schema::{Row, Value};
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType,
};
use arrow_array::{
    ArrayRef, ArrowPrimitiveType, BooleanArray, FixedSizeBinaryArray, LargeBinaryArray, ListArray,
    MapArray, PrimitiveArray, RecordBatch, StringArray, StructArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, FieldRef, SchemaRef};
use std::sync::Arc;

/// Converts rows to a batch with the Arrow schema of a table.
pub(super) fn record_batch(schema: &SchemaRef, rows: &[&Row]) -> Result<RecordBatch, TableError> {
    let columns = schema.fields().iter().enumerate().map(|(at, field)| {
        let values: Vec<&Value> = rows.iter().map(|row| &row.values()[at]).collect();
        array(field.data_type(), &values)
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

/// Converts the values of one column to an array of `data_type`, the type that Iceberg gives to the
/// column. A value of another type becomes null. The batch refuses a null in a required column.
fn array(data_type: &DataType, values: &[&Value]) -> Result<ArrayRef, ArrowError> {
    Ok(match data_type {
        DataType::Boolean => Arc::new(BooleanArray::from_iter(values.iter().map(
            |value| match value {
                Value::Boolean(flag) => Some(*flag),
                _ => None,
            },
        ))),
        DataType::Int32 => primitives::<Int32Type>(data_type, values, |value| match value {
            Value::Int(number) => Some(*number),
            _ => None,
        }),
        DataType::Int64 => primitives::<Int64Type>(data_type, values, |value| match value {
            Value::Long(number) => Some(*number),
            _ => None,
        }),
        DataType::Float64 => primitives::<Float64Type>(data_type, values, |value| match value {
            Value::Double(number) => Some(*number),
            _ => None,
        }),
        DataType::Decimal128(..) => {
            primitives::<Decimal128Type>(data_type, values, |value| match value {
                Value::Decimal(number) => Some(*number),
                _ => None,
            })
        }
        DataType::Date32 => primitives::<Date32Type>(data_type, values, |value| match value {
            Value::Date(days) => Some(*days),
            _ => None,
        }),
        DataType::Time64(_) => {
            primitives::<Time64MicrosecondType>(data_type, values, |value| match value {
                Value::Time(micros) => Some(*micros),
                _ => None,
            })
        }
        DataType::Timestamp(..) => {
            primitives::<TimestampMicrosecondType>(data_type, values, |value| match value {
                Value::Timestamp(micros) => Some(*micros),
                _ => None,
            })
        }
        DataType::Utf8 => Arc::new(StringArray::from_iter(values.iter().map(
            |value| match value {
                Value::String(text) => Some(text.as_str()),
                _ => None,
            },
        ))),
        DataType::LargeBinary => Arc::new(LargeBinaryArray::from_iter(values.iter().map(
            |value| match value {
                Value::Binary(bytes) => Some(bytes.as_slice()),
                _ => None,
            },
        ))),
        DataType::FixedSizeBinary(size) => {
            let bytes = values.iter().map(|value| match value {
                Value::Uuid(bytes) => Some(bytes.as_slice()),
                _ => None,
            });
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(
                bytes, *size,
            )?)
        }
        DataType::Struct(fields) => Arc::new(structure(fields, values)?),
        DataType::List(field) => Arc::new(list(field, values)?),
        DataType::Map(entries, is_sorted) => Arc::new(map(entries, *is_sorted, values)?),
        other => return Err(ArrowError::NotYetImplemented(other.to_string())),
    })
}

fn primitives<T: ArrowPrimitiveType>(
    data_type: &DataType,
    values: &[&Value],
    native: impl Fn(&Value) -> Option<T::Native>,
) -> ArrayRef {
    let array: PrimitiveArray<T> = values.iter().map(|value| native(value)).collect();
    Arc::new(array.with_data_type(data_type.clone()))
}

fn nulls(values: &[&Value]) -> NullBuffer {
    values
        .iter()
        .map(|value| **value != Value::Null)
        .collect::<Vec<_>>()
        .into()
}

fn structure(fields: &arrow_schema::Fields, values: &[&Value]) -> Result<StructArray, ArrowError> {
    let arrays = fields.iter().enumerate().map(|(at, field)| {
        let inner: Vec<&Value> = values
            .iter()
            .map(|value| match value {
                Value::Struct(inner) => &inner[at],
                _ => &Value::Null,
            })
            .collect();
        array(field.data_type(), &inner)
    });
    let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
    StructArray::try_new_with_length(fields.clone(), arrays, Some(nulls(values)), values.len())
}

fn list(field: &FieldRef, values: &[&Value]) -> Result<ListArray, ArrowError> {
    let items = |value: &&Value| match value {
        Value::List(items) => items.len(),
        _ => 0,
    };
    let offsets = OffsetBuffer::from_lengths(values.iter().map(items));
    let inner: Vec<&Value> = values
        .iter()
        .filter_map(|value| match value {
            Value::List(items) => Some(items),
            _ => None,
        })
        .flatten()
        .collect();
    let inner = array(field.data_type(), &inner)?;
    ListArray::try_new(field.clone(), offsets, inner, Some(nulls(values)))
}

fn map(entries: &FieldRef, is_sorted: bool, values: &[&Value]) -> Result<MapArray, ArrowError> {
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(ArrowError::SchemaError("a map without entries".to_owned()));
    };
    let items = |value: &&Value| match value {
        Value::Map(items) => items.len(),
        _ => 0,
    };
    let offsets = OffsetBuffer::from_lengths(values.iter().map(items));
    let members: Vec<&(String, Value)> = values
        .iter()
        .filter_map(|value| match value {
            Value::Map(items) => Some(items),
            _ => None,
        })
        .flatten()
        .collect();
    let keys = members.iter().map(|(key, _)| Some(key.as_str()));
    let inner: Vec<&Value> = members.iter().map(|(_, value)| value).collect();
    let values_array = array(fields[1].data_type(), &inner)?;
    let keys: ArrayRef = Arc::new(StringArray::from_iter(keys));
    let inner = StructArray::try_new(fields.clone(), vec![keys, values_array], None)?;
    MapArray::try_new(
        entries.clone(),
        offsets,
        inner,
        Some(nulls(values)),
        is_sorted,
    )
}
