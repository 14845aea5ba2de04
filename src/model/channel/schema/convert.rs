//! Conversion of JSON records to rows.
//!
//! A record is parsed level by level, and each number is converted directly from its text to the
//! type of its column. Decimals and long integers thus stay exact.

use super::column::{ColumnType, Columns, DECIMAL_DIGITS, Element, Fields};
use super::error::against_schema;
use super::moment;
use super::number::{NumberError, scaled};
use super::row::{Row, Value};
use crate::model::channel::InvalidRecord;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Number of decimal digits of the largest `long`, which is a signed number of 64 bits.
const LONG_DIGITS: u32 = 19;

impl Columns {
    /// Converts a JSON record to a row.
    ///
    /// # Errors
    /// The record is not JSON, or does not follow the schema.
    pub(crate) fn row(&self, record: &[u8]) -> Result<Row, InvalidRecord> {
        let invalid = |code, message| InvalidRecord { code, message };
        let text =
            str::from_utf8(record).map_err(|error| invalid("InvalidUtf8", error.to_string()))?;
        let text: &RawValue = serde_json::from_str(text)
            .map_err(|error| invalid("InvalidJson", error.to_string()))?;
        if kind(text) != Kind::Object {
            return Err(against_schema("", "is not an object"));
        }
        structure(&self.0, text, &Path::Record).map(Row)
    }
}

/// The path from a record to one of its members, for error messages. The path becomes a text only
/// when an error occurs.
enum Path<'a> {
    Record,
    Member(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl Path<'_> {
    fn text(&self) -> String {
        match self {
            Self::Record => String::new(),
            Self::Member(Self::Record, name) => (*name).to_owned(),
            Self::Member(outer, name) => format!("{}.{name}", outer.text()),
            Self::Item(outer, at) => format!("{}[{at}]", outer.text()),
        }
    }

    fn error(&self, problem: &str) -> InvalidRecord {
        against_schema(&self.text(), problem)
    }
}

/// The type of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// Finds the type of the JSON value `text` by its first character. The caller has checked that the
/// text is valid JSON.
fn kind(text: &RawValue) -> Kind {
    match text.get().as_bytes().first() {
        Some(b'n') => Kind::Null,
        Some(b't' | b'f') => Kind::Boolean,
        Some(b'"') => Kind::String,
        Some(b'[') => Kind::Array,
        Some(b'{') => Kind::Object,
        _ => Kind::Number,
    }
}

fn value(element: &Element, text: &RawValue, path: &Path<'_>) -> Result<Value, InvalidRecord> {
    let kind = kind(text);
    if kind == Kind::Null {
        return match element.is_required {
            true => Err(path.error("is null, and the schema asks for a value")),
            false => Ok(Value::Null),
        };
    }
    match (&element.column_type, kind) {
        (ColumnType::Boolean, Kind::Boolean) => Ok(Value::Boolean(text.get() == "true")),
        (ColumnType::Int | ColumnType::Long | ColumnType::Double, Kind::Number)
        | (ColumnType::Decimal { .. }, Kind::Number) => {
            number(&element.column_type, text.get()).map_err(|problem| path.error(problem))
        }
        (ColumnType::Struct(fields), Kind::Object) => {
            structure(fields, text, path).map(Value::Struct)
        }
        (ColumnType::List(inner), Kind::Array) => list(inner, text, path),
        (ColumnType::Map(inner), Kind::Object) => map(inner, text, path),
        (
            ColumnType::String
            | ColumnType::Enum(_)
            | ColumnType::Timestamp
            | ColumnType::Date
            | ColumnType::Time
            | ColumnType::Uuid
            | ColumnType::Binary,
            Kind::String,
        ) => {
            let string: String = parsed(text, path)?;
            from_string(&element.column_type, string).map_err(|problem| path.error(problem))
        }
        (expected, kind) => {
            let (kind, expected) = (kind.name(), name(expected));
            Err(path.error(&format!("is {kind}, and the schema asks for {expected}")))
        }
    }
}

/// Returns the JSON type that a column of type `column_type` requires, in the words of the error
/// messages.
const fn name(column_type: &ColumnType) -> &'static str {
    match column_type {
        ColumnType::Boolean => "a boolean",
        ColumnType::Int | ColumnType::Long => "an integer",
        ColumnType::Double | ColumnType::Decimal { .. } => "a number",
        ColumnType::Struct(_) | ColumnType::Map(_) => "an object",
        ColumnType::List(_) => "an array",
        _ => "a string",
    }
}

/// Parses the outermost level of a JSON value. Nested values remain unparsed texts. A string with
/// half of a surrogate pair is an error: it is valid JSON, but not valid Unicode.
fn parsed<'a, T: serde::Deserialize<'a>>(
    text: &'a RawValue,
    path: &Path<'_>,
) -> Result<T, InvalidRecord> {
    serde_json::from_str(text.get())
        .map_err(|error| path.error(&format!("cannot be read: {error}")))
}

fn structure(
    fields: &Fields,
    text: &RawValue,
    path: &Path<'_>,
) -> Result<Vec<Value>, InvalidRecord> {
    let mut members: BTreeMap<String, &RawValue> = parsed(text, path)?;
    let mut values = Vec::with_capacity(fields.columns.len());
    for column in &fields.columns {
        let path = Path::Member(path, &column.name);
        values.push(match members.remove(&column.name) {
            Some(text) => value(&column.element, text, &path)?,
            None if column.element.is_required => {
                return Err(path.error("is missing, and the schema asks for it"));
            }
            None => Value::Null,
        });
    }
    match members.keys().next() {
        Some(name) if fields.is_closed => {
            Err(Path::Member(path, name).error("is not a property of the schema"))
        }
        _ => Ok(values),
    }
}

fn list(inner: &Element, text: &RawValue, path: &Path<'_>) -> Result<Value, InvalidRecord> {
    let items: Vec<&RawValue> = parsed(text, path)?;
    let items = items.into_iter().enumerate();
    let values = items.map(|(at, text)| value(inner, text, &Path::Item(path, at)));
    values.collect::<Result<_, _>>().map(Value::List)
}

fn map(inner: &Element, text: &RawValue, path: &Path<'_>) -> Result<Value, InvalidRecord> {
    let members: BTreeMap<String, &RawValue> = parsed(text, path)?;
    let values = members.into_iter().map(|(name, text)| {
        let value = value(inner, text, &Path::Member(path, &name))?;
        Ok((name, value))
    });
    values.collect::<Result<_, _>>().map(Value::Map)
}

fn number(column_type: &ColumnType, text: &str) -> Result<Value, &'static str> {
    let refused = |error| match error {
        NumberError::TooFine => "has more digits behind the point than the schema admits",
        NumberError::TooLarge => TOO_LARGE,
    };
    match column_type {
        ColumnType::Decimal { scale } => scaled(text, *scale, DECIMAL_DIGITS)
            .map(Value::Decimal)
            .map_err(refused),
        ColumnType::Double => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Double(number)),
            _ => Err(TOO_LARGE),
        },
        ColumnType::Int => {
            let number = scaled(text, 0, LONG_DIGITS).map_err(refused)?;
            i32::try_from(number).map(Value::Int).map_err(|_| TOO_LARGE)
        }
        _ => {
            let number = scaled(text, 0, LONG_DIGITS).map_err(refused)?;
            i64::try_from(number)
                .map(Value::Long)
                .map_err(|_| TOO_LARGE)
        }
    }
}

const TOO_LARGE: &str = "is larger than its column holds";

fn from_string(column_type: &ColumnType, string: String) -> Result<Value, &'static str> {
    match column_type {
        ColumnType::Timestamp => moment::timestamp(&string)
            .map(Value::Timestamp)
            .ok_or("is not a date-time of RFC 3339"),
        ColumnType::Date => moment::date(&string)
            .map(Value::Date)
            .ok_or("is not a date of RFC 3339"),
        ColumnType::Time => moment::time_of_day(&string)
            .map(Value::Time)
            .ok_or("is not a time of RFC 3339"),
        ColumnType::Uuid => uuid::Uuid::try_parse(&string)
            .map(|id| Value::Uuid(id.into_bytes()))
            .map_err(|_| "is not a UUID"),
        ColumnType::Binary => STANDARD
            .decode(&string)
            .map(Value::Binary)
            .map_err(|_| "is not base64"),
        ColumnType::Enum(values) if !values.contains(&string) => {
            Err("is none of the values that the schema lists")
        }
        _ => Ok(Value::String(string)),
    }
}
