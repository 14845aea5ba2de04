//! Conversion of JSON Schemas to columns, by the table that the service documents.
//!
//! | JSON Schema | Iceberg |
//! |---|---|
//! | string | string |
//! | string with the format date-time, date, time or uuid | timestamptz, date, time or uuid |
//! | string encoded as byte or base64 | binary |
//! | integer with a maximum up to 2^31 | int |
//! | any other integer | long |
//! | number with multipleOf | decimal with the scale of multipleOf |
//! | any other number | double |
//! | boolean | boolean |
//! | enum of strings | string |
//! | object with properties | struct |
//! | object with only additionalProperties | map with string keys |
//! | array | list |

use super::column::{Column, ColumnType, Columns, DECIMAL_DIGITS, Element, Fields};
use super::error::SchemaError;
use super::number::scale_of;
use crate::limits;
use crate::wire::Node;

/// The greatest `maximum` of an integer property that becomes a column of type `int`. A property
/// with a greater `maximum`, or without one, becomes a `long`. The service's guide gives 2^31,
/// although the largest `int` is smaller by one.
const INT_MAXIMUM: f64 = 2_147_483_648.0;

impl Columns {
    /// Converts a JSON Schema to columns. The schema must describe an object with properties.
    ///
    /// # Errors
    /// A sentence about the part of the schema that cannot be converted.
    pub(crate) fn of_json_schema(text: &[u8]) -> Result<Self, SchemaError> {
        let root: Node = serde_json::from_slice(text)
            .map_err(|error| SchemaError::new(format!("The schema is not JSON: {error}.")))?;
        let mut mapping = Mapping {
            root: &root,
            nodes: 0,
        };
        let element = mapping.element(&root, true, Position::default())?;
        match element.column_type {
            ColumnType::Struct(fields) => Ok(Self(fields)),
            _ => Err(SchemaError::at("", "is not an object with properties")),
        }
    }
}

/// The state that the conversion of one JSON Schema needs.
struct Mapping<'a> {
    root: &'a Node,
    /// Number of types converted so far. The limit on this number stops a schema whose references
    /// expand exponentially.
    nodes: usize,
}

/// The position of a subschema within the whole schema: the path to the subschema, and the depth of
/// its nesting.
#[derive(Clone, Default)]
struct Position {
    path: String,
    depth: usize,
}

impl Position {
    fn inner(&self, name: &str) -> Self {
        let path = match (self.path.as_str(), name) {
            ("", name) => name.to_owned(),
            (path, "[]") => format!("{path}[]"),
            (path, name) => format!("{path}.{name}"),
        };
        Self {
            path,
            depth: self.depth + 1,
        }
    }

    fn error(&self, problem: &str) -> SchemaError {
        SchemaError::at(&self.path, problem)
    }
}

impl<'a> Mapping<'a> {
    /// Converts `schema` to the type of the values that it describes. `is_required` is true for a
    /// property that records must have. A value may be null if its property is not required, or if
    /// the schema admits null.
    fn element(
        &mut self,
        schema: &'a Node,
        is_required: bool,
        at: Position,
    ) -> Result<Element, SchemaError> {
        self.nodes += 1;
        if self.nodes > limits::SCHEMA_TYPES {
            return Err(SchemaError::at("", "has too many properties"));
        }
        if at.depth > limits::SCHEMA_DEPTH {
            return Err(at.error("is nested too deep, or refers to itself"));
        }
        if let Some((inner, admits_null)) = self.alternative(schema, &at)? {
            let deeper = Position {
                depth: at.depth + 1,
                ..at
            };
            return self.element(inner, is_required && !admits_null, deeper);
        }
        let (name, admits_null) = type_name(schema, &at)?;
        let column_type = self.column_type(name, schema, at)?;
        Ok(Element {
            is_required: is_required && !admits_null,
            column_type,
        })
    }

    /// Follows a `$ref`, or an `anyOf`, `oneOf` or `allOf` with only one schema besides null.
    /// Returns the schema to which this member leads, and a Boolean. The Boolean is true if null is
    /// an alternative to that schema. Returns `None` if `schema` has none of these members.
    fn alternative(
        &self,
        schema: &'a Node,
        at: &Position,
    ) -> Result<Option<(&'a Node, bool)>, SchemaError> {
        if let Some(reference) = schema.member("$ref") {
            let found = reference.text().and_then(|text| referred(self.root, text));
            let problem = "has a $ref that does not lead to a part of the same schema";
            return Ok(Some((found.ok_or_else(|| at.error(problem))?, false)));
        }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            let Some(parts) = schema.member(keyword) else {
                continue;
            };
            let is_null = |part: &&Node| text(part, "type") == "null";
            let kept: Vec<&Node> = list(parts).iter().filter(|part| !is_null(part)).collect();
            let [only] = kept.as_slice() else {
                return Err(at.error(&format!("has several schemas in {keyword}")));
            };
            return Ok(Some((only, list(parts).len() > 1)));
        }
        Ok(None)
    }

    fn column_type(
        &mut self,
        name: &str,
        schema: &'a Node,
        at: Position,
    ) -> Result<ColumnType, SchemaError> {
        Ok(match name {
            "string" => string_type(schema),
            "integer" => integer_type(schema),
            "number" => number_type(schema, &at)?,
            "boolean" => ColumnType::Boolean,
            "object" => self.object_type(schema, at)?,
            "array" => {
                let items = schema.member("items");
                let items = items.ok_or_else(|| at.error("is an array without items"))?;
                ColumnType::List(Box::new(self.element(items, true, at.inner("[]"))?))
            }
            name => return Err(at.error(&format!("has the type '{name}', which no column has"))),
        })
    }

    fn object_type(&mut self, schema: &'a Node, at: Position) -> Result<ColumnType, SchemaError> {
        let others = schema.member("additionalProperties");
        match (schema.member("properties"), others) {
            (Some(Node::Map(properties)), others) if !properties.is_empty() => {
                let required = schema.member("required").map_or(&[][..], list);
                let is_required =
                    |name: &str| required.iter().any(|other| other.text() == Some(name));
                let columns = properties.iter().map(|(name, schema)| {
                    let doc = schema.member("description").and_then(Node::text);
                    Ok(Column {
                        name: name.clone(),
                        doc: doc.map(str::to_owned),
                        element: self.element(schema, is_required(name), at.inner(name))?,
                    })
                });
                Ok(ColumnType::Struct(Fields {
                    columns: columns.collect::<Result<_, _>>()?,
                    is_closed: others == Some(&Node::Bool(false)),
                }))
            }
            (_, Some(values @ Node::Map(_))) => {
                let values = self.element(values, true, at.inner("*"))?;
                Ok(ColumnType::Map(Box::new(values)))
            }
            _ => Err(at.error("is an object without properties")),
        }
    }
}

/// Finds the part of the schema `root` to which the reference `text` points. An example of a
/// reference is `#/$defs/name`.
fn referred<'a>(root: &'a Node, text: &str) -> Option<&'a Node> {
    let pointer = text.strip_prefix('#')?;
    let mut steps = pointer.split('/');
    // A valid pointer is empty or starts with a slash.
    if !steps.next()?.is_empty() {
        return None;
    }
    steps.try_fold(root, |node, step| {
        node.member(&step.replace("~1", "/").replace("~0", "~"))
    })
}

/// Returns the name of the schema's type, and a Boolean that is true if the schema also admits
/// null.
fn type_name<'a>(schema: &'a Node, at: &Position) -> Result<(&'a str, bool), SchemaError> {
    let values = schema.member("enum").map(list);
    let enum_has_null = values.is_some_and(|values| values.contains(&Node::Null));
    let names = match schema.member("type") {
        Some(Node::List(names)) => names.as_slice(),
        Some(name) => std::slice::from_ref(name),
        None => {
            let name = implied_type(schema, values).ok_or_else(|| at.error("has no type"))?;
            return Ok((name, enum_has_null));
        }
    };
    let names = names.iter().filter_map(Node::text);
    let (nulls, kept): (Vec<&str>, Vec<&str>) = names.partition(|name| *name == "null");
    match kept.as_slice() {
        [name] => Ok((name, enum_has_null || !nulls.is_empty())),
        [] => Err(at.error("has no type but null")),
        _ => Err(at.error("has several types")),
    }
}

/// Derives the type of a schema without the member `type`, from the other members of the schema.
fn implied_type(schema: &Node, values: Option<&[Node]>) -> Option<&'static str> {
    let is_text = |value: &Node| matches!(value, Node::Text(_) | Node::Null);
    if values.is_some_and(|values| values.iter().all(is_text)) {
        Some("string")
    } else if schema.member("properties").is_some() {
        Some("object")
    } else if schema.member("items").is_some() {
        Some("array")
    } else {
        None
    }
}

fn list(node: &Node) -> &[Node] {
    match node {
        Node::List(items) => items,
        _ => &[],
    }
}

/// Returns the text of the schema's member `name`, or an empty text if the member is missing or is
/// not a text.
fn text<'a>(schema: &'a Node, name: &str) -> &'a str {
    schema.member(name).and_then(Node::text).unwrap_or_default()
}

fn string_type(schema: &Node) -> ColumnType {
    if let Some(values) = schema.member("enum") {
        let values = list(values).iter().filter_map(Node::text);
        return ColumnType::Enum(values.map(str::to_owned).collect());
    }
    if ["byte", "base64"].contains(&text(schema, "contentEncoding")) {
        return ColumnType::Binary;
    }
    match text(schema, "format") {
        "date-time" => ColumnType::Timestamp,
        "date" => ColumnType::Date,
        "time" => ColumnType::Time,
        "uuid" => ColumnType::Uuid,
        "byte" | "base64" => ColumnType::Binary,
        _ => ColumnType::String,
    }
}

/// Returns the column type of an integer property. The service considers only the property's
/// maximum. The emulator also gives a `long` to a property whose minimum is below the smallest
/// `int`, because an `int` could not hold all values of the property. This rule of the emulator is
/// a choice.
fn integer_type(schema: &Node) -> ColumnType {
    let number = |name: &str| match schema.member(name) {
        Some(Node::Integer(number)) => Some(*number as f64),
        Some(Node::Float(number)) => Some(*number),
        _ => None,
    };
    let is_small = |name: &str| number(name).is_some_and(|limit| limit <= INT_MAXIMUM);
    let is_low = number("minimum").is_some_and(|limit| limit < -INT_MAXIMUM);
    if (is_small("maximum") || is_small("exclusiveMaximum")) && !is_low {
        ColumnType::Int
    } else {
        ColumnType::Long
    }
}

fn number_type(schema: &Node, at: &Position) -> Result<ColumnType, SchemaError> {
    let step = match schema.member("multipleOf") {
        None => return Ok(ColumnType::Double),
        Some(Node::Integer(number)) => Some(number.to_string()),
        Some(Node::Float(number)) => Some(number.to_string()),
        Some(_) => None,
    };
    match step.map(|step| scale_of(&step)) {
        Some(scale) if scale <= DECIMAL_DIGITS => Ok(ColumnType::Decimal { scale }),
        _ => Err(at.error("has a multipleOf that is not a number of up to 38 digits")),
    }
}
