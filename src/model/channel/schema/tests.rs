//! Tests of schemas, and of the conversion of records to rows.

use super::*;
use crate::model::channel::InvalidRecord;
use proptest::prelude::*;
use serde_json::json;

fn columns(schema: &serde_json::Value) -> Result<Columns, SchemaError> {
    Columns::of_json_schema(schema.to_string().as_bytes())
}

/// The columns of a schema with a single property, `a`.
fn one(property: serde_json::Value) -> Result<Columns, SchemaError> {
    columns(&json!({"type": "object", "properties": {"a": property}}))
}

#[test]
fn columns_stand_in_the_order_of_the_schema() {
    let schema = br#"{"properties": {"z": {"type": "string"}, "a": {"type": "string"}}}"#;
    let columns = Columns::of_json_schema(schema).unwrap();
    let names = columns.columns().iter().map(|column| column.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["z", "a"]);
}

fn type_of(property: serde_json::Value) -> ColumnType {
    let columns = one(property).unwrap();
    columns.columns()[0].element.column_type.clone()
}

fn convert(property: serde_json::Value, text: &str) -> Result<Value, InvalidRecord> {
    let row = one(property)
        .unwrap()
        .row(format!("{{\"a\": {text}}}").as_bytes())?;
    Ok(row.values()[0].clone())
}

#[test]
fn types_follow_the_documented_table() {
    use ColumnType as T;
    let cases = [
        (json!({"type": "string"}), T::String),
        (json!({"type": "string", "format": "email"}), T::String),
        (
            json!({"type": "string", "format": "date-time"}),
            T::Timestamp,
        ),
        (json!({"type": "string", "format": "date"}), T::Date),
        (json!({"type": "string", "format": "time"}), T::Time),
        (json!({"type": "string", "format": "uuid"}), T::Uuid),
        (json!({"type": "string", "format": "byte"}), T::Binary),
        (
            json!({"type": "string", "contentEncoding": "base64"}),
            T::Binary,
        ),
        (json!({"type": "integer"}), T::Long),
        (json!({"type": "integer", "maximum": 100}), T::Int),
        (
            json!({"type": "integer", "exclusiveMaximum": 2_147_483_648_u64}),
            T::Int,
        ),
        (
            json!({"type": "integer", "maximum": 2_147_483_649_u64}),
            T::Long,
        ),
        (
            json!({"type": "integer", "maximum": 1, "minimum": -3_000_000_000_i64}),
            T::Long,
        ),
        (
            json!({"type": "integer", "maximum": 9, "exclusiveMaximum": true}),
            T::Int,
        ),
        (json!({"type": "number"}), T::Double),
        (
            json!({"type": "number", "multipleOf": 0.01}),
            T::Decimal { scale: 2 },
        ),
        (
            json!({"type": "number", "multipleOf": 5}),
            T::Decimal { scale: 0 },
        ),
        (
            json!({"type": "number", "multipleOf": 1e-10}),
            T::Decimal { scale: 10 },
        ),
        (json!({"type": "boolean"}), T::Boolean),
        (
            json!({"enum": ["x", "y"]}),
            T::Enum(vec!["x".to_owned(), "y".to_owned()]),
        ),
        (json!({"type": "integer", "enum": [1, 2]}), T::Long),
    ];
    for (property, expected) in cases {
        assert_eq!(type_of(property.clone()), expected, "{property}");
    }
}

#[test]
fn nested_types_are_structures_maps_and_lists() {
    let schema = json!({
        "type": "object",
        "required": ["where"],
        "properties": {
            "where": {"type": "object", "required": ["x"], "properties": {
                "x": {"type": "number"}, "y": {"type": "number"}}},
            "tags": {"type": "object", "additionalProperties": {"type": "string"}},
            "sizes": {"type": "array", "items": {"type": ["integer", "null"]}},
        }
    });
    let columns = columns(&schema).unwrap();
    let [sizes, tags, location] = columns.columns() else {
        panic!("three columns");
    };
    assert!(location.element.is_required && !tags.element.is_required);
    let ColumnType::Struct(fields) = &location.element.column_type else {
        panic!("a structure");
    };
    let required: Vec<bool> = fields
        .columns
        .iter()
        .map(|column| column.element.is_required)
        .collect();
    assert_eq!(required, [true, false]);
    let text = Element {
        is_required: true,
        column_type: ColumnType::String,
    };
    assert_eq!(tags.element.column_type, ColumnType::Map(Box::new(text)));
    let size = Element {
        is_required: false,
        column_type: ColumnType::Long,
    };
    assert_eq!(sizes.element.column_type, ColumnType::List(Box::new(size)));

    let record =
        br#"{"where": {"x": 1, "y": null}, "sizes": [1, null], "tags": {"b": "2", "a": "1"}}"#;
    let text = |text: &str| Value::String(text.to_owned());
    let expected = [
        Value::List(vec![Value::Long(1), Value::Null]),
        Value::Map(vec![
            ("a".to_owned(), text("1")),
            ("b".to_owned(), text("2")),
        ]),
        Value::Struct(vec![Value::Double(1.0), Value::Null]),
    ];
    assert_eq!(columns.row(record).unwrap().values(), expected);
}

#[test]
fn null_beside_a_type_makes_a_column_that_may_be_null() {
    for property in [
        json!({"type": ["string", "null"]}),
        json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
        json!({"$ref": "#/$defs/name"}),
        json!({"allOf": [{"$ref": "#/$defs/name"}]}),
    ] {
        let schema = json!({
            "type": "object", "required": ["a"], "properties": {"a": property},
            "$defs": {"name": {"type": ["string", "null"]}},
        });
        let columns = columns(&schema).unwrap();
        let element = &columns.columns()[0].element;
        assert_eq!(element.column_type, ColumnType::String, "{schema}");
        assert!(!element.is_required, "{schema}");
    }
}

#[test]
fn what_makes_no_column_is_named() {
    let cases = [
        (json!({}), "The schema's property 'a' has no type."),
        (json!(true), "The schema's property 'a' has no type."),
        (
            json!({"type": "null"}),
            "The schema's property 'a' has no type but null.",
        ),
        (
            json!({"type": ["string", "integer"]}),
            "The schema's property 'a' has several types.",
        ),
        (
            json!({"oneOf": [{"type": "string"}, {"type": "integer"}]}),
            "The schema's property 'a' has several schemas in oneOf.",
        ),
        (
            json!({"type": "object"}),
            "The schema's property 'a' is an object without properties.",
        ),
        (
            json!({"type": "array"}),
            "The schema's property 'a' is an array without items.",
        ),
        (
            json!({"type": "array", "items": {"type": "array", "items": {}}}),
            "The schema's property 'a[][]' has no type.",
        ),
        (
            json!({"type": "object", "properties": {"b": {}}}),
            "The schema's property 'a.b' has no type.",
        ),
        (
            json!({"$ref": "other.json"}),
            "The schema's property 'a' has a $ref that does not lead to a part of the same schema.",
        ),
        (
            json!({"type": "file"}),
            "The schema's property 'a' has the type 'file', which no column has.",
        ),
        (
            json!({"type": "number", "multipleOf": 1e-40}),
            "The schema's property 'a' has a multipleOf that is not a number of up to 38 digits.",
        ),
    ];
    for (property, expected) in cases {
        let error = one(property.clone()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{property}");
    }
    let error = columns(&json!({"type": "string"})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "The schema is not an object with properties."
    );
    let error = Columns::of_json_schema(b"{").unwrap_err().to_string();
    assert!(error.starts_with("The schema is not JSON: EOF"), "{error}");
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let tree = json!({"$ref": "#"});
    let error = one(tree).unwrap_err().to_string();
    assert!(
        error.contains("is nested too deep, or refers to itself"),
        "{error}"
    );
    // Every definition refers twice to the next definition, so the number of types doubles.
    let twice = |to: usize| {
        json!({"type": "object", "properties": {
        "x": {"$ref": format!("#/$defs/{to}")}, "y": {"$ref": format!("#/$defs/{to}")}}})
    };
    let mut defs: serde_json::Map<_, _> =
        (0..14).map(|at| (at.to_string(), twice(at + 1))).collect();
    defs.insert("14".to_owned(), json!({"type": "string"}));
    let error = columns(&json!({"$ref": "#/$defs/0", "$defs": defs})).unwrap_err();
    assert_eq!(error.to_string(), "The schema has too many properties.");
}

#[test]
fn the_partition_column_becomes_required() {
    let schema = json!({"type": "object", "properties": {
        "at": {"type": "string", "format": "date-time"},
        "event": {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}},
        "x.y": {"type": "string", "format": "date-time"},
        "name": {"type": "string"}}});
    for (path, steps) in [("at", [0].as_slice()), ("event.at", &[1, 0]), ("x.y", &[3])] {
        let mut columns = columns(&schema).unwrap();
        assert_eq!(columns.require_timestamp(path).unwrap(), steps);
        let error = columns.row(b"{\"name\": \"n\"}").unwrap_err();
        assert_eq!(error.code, "SchemaValidationFailed");
        assert!(error.message.contains("is missing"), "{path}: {error:?}");
    }
    for (path, expected) in [
        (
            "name",
            "The partition column 'name' is not a string of the format date-time.",
        ),
        (
            "event",
            "The partition column 'event' is not a string of the format date-time.",
        ),
        (
            "no",
            "The partition column 'no' is not a property of the schema.",
        ),
        (
            "event.no",
            "The partition column 'event.no' is not a property of the schema.",
        ),
        (
            "at.x",
            "The partition column 'at.x' leads into a property that is not an object.",
        ),
    ] {
        let error = columns(&schema).unwrap().require_timestamp(path);
        assert_eq!(error.unwrap_err().to_string(), expected);
    }
}

#[test]
fn values_are_converted() {
    let text = |format: &str| json!({"type": "string", "format": format});
    let cases = [
        (
            json!({"type": "integer"}),
            "9223372036854775807",
            Value::Long(i64::MAX),
        ),
        (json!({"type": "integer"}), "1e2", Value::Long(100)),
        (
            json!({"type": "integer", "maximum": 5}),
            "-3.0",
            Value::Int(-3),
        ),
        (json!({"type": "number"}), "1e-3", Value::Double(0.001)),
        (
            json!({"type": "number", "multipleOf": 0.01}),
            "12345678901234567890123456789.01",
            Value::Decimal(1_234_567_890_123_456_789_012_345_678_901),
        ),
        (json!({"type": "boolean"}), "true", Value::Boolean(true)),
        (
            text("date-time"),
            "\"1970-01-01T01:00:00Z\"",
            Value::Timestamp(3_600_000_000),
        ),
        (text("date"), "\"1970-01-31\"", Value::Date(30)),
        (text("time"), "\"00:01:00Z\"", Value::Time(60_000_000)),
        (
            text("uuid"),
            "\"00000000-0000-0000-0000-0000000000ff\"",
            Value::Uuid([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255]),
        ),
        (text("byte"), "\"AAH/\"", Value::Binary(vec![0, 1, 255])),
        (
            json!({"type": "string"}),
            "\"\\u00fc\"",
            Value::String("ü".to_owned()),
        ),
        (
            json!({"enum": ["x"]}),
            "\"x\"",
            Value::String("x".to_owned()),
        ),
        (json!({"type": "string"}), "null", Value::Null),
    ];
    for (property, text, expected) in cases {
        let value = convert(property.clone(), text);
        assert_eq!(value, Ok(expected), "{text} by {property}");
    }
}

#[test]
fn wrong_values_are_named() {
    let text = |format: &str| json!({"type": "string", "format": format});
    let cases = [
        (
            json!({"type": "integer"}),
            "1.5",
            "has more digits behind the point than the schema admits",
        ),
        (
            json!({"type": "integer"}),
            "9223372036854775808",
            "is larger than its column holds",
        ),
        (
            json!({"type": "integer", "maximum": 5}),
            "2147483648",
            "is larger than its column holds",
        ),
        (
            json!({"type": "integer"}),
            "\"1\"",
            "is a string, and the schema asks for an integer",
        ),
        (
            json!({"type": "number"}),
            "1e999",
            "is larger than its column holds",
        ),
        (
            json!({"type": "boolean"}),
            "0",
            "is a number, and the schema asks for a boolean",
        ),
        (
            text("date-time"),
            "\"yesterday\"",
            "is not a date-time of RFC 3339",
        ),
        (text("date"), "\"2026-02-30\"", "is not a date of RFC 3339"),
        (text("time"), "\"25:00:00\"", "is not a time of RFC 3339"),
        (text("uuid"), "\"x\"", "is not a UUID"),
        (text("byte"), "\"?\"", "is not base64"),
        (
            json!({"enum": ["x"]}),
            "\"y\"",
            "is none of the values that the schema lists",
        ),
        (
            json!({"type": "array", "items": {"type": "string"}}),
            "{}",
            "is an object, and the schema asks for an array",
        ),
    ];
    for (property, text, problem) in cases {
        let error = convert(property, text).unwrap_err();
        assert_eq!(
            error.message,
            format!("The record's member 'a' {problem}."),
            "{text}"
        );
    }
}

#[test]
fn wrong_values_are_named_by_their_path() {
    let items = json!({"type": "array", "items": {"type": "object", "properties": {
        "b": {"type": "string"}}}});
    let error = convert(items, "[{}, {\"b\": true}]").unwrap_err();
    let expected = "The record's member 'a[1].b' is a boolean, and the schema asks for a string.";
    assert_eq!(error.message, expected);
    let half = convert(json!({"type": "string"}), "\"\\ud800\"").unwrap_err();
    assert!(
        half.message
            .starts_with("The record's member 'a' cannot be read"),
        "{half:?}"
    );
}

#[test]
fn records_that_are_no_objects_are_refused() {
    let columns = one(json!({"type": "string"})).unwrap();
    for record in [b"".as_slice(), b"{", b"{} {}"] {
        let error = columns.row(record).unwrap_err();
        assert_eq!(error.code, "InvalidJson", "{}", record.escape_ascii());
    }
    for record in [b"\xff".as_slice(), b"{\"a\": \"\xff\"}"] {
        assert_eq!(columns.row(record).unwrap_err().code, "InvalidUtf8");
    }
    for record in [b"[]".as_slice(), b"1", b" null"] {
        let error = columns.row(record).unwrap_err();
        assert_eq!(error.message, "The record is not an object.");
    }
    // Members that the schema does not define are left out, unless the schema forbids them.
    assert_eq!(columns.row(b" {\"b\": 1}").unwrap().values(), [Value::Null]);
    let closed = columns_closed();
    let error = closed.row(b"{\"b\": 1}").unwrap_err();
    assert_eq!(
        error.message,
        "The record's member 'b' is not a property of the schema."
    );
}

fn columns_closed() -> Columns {
    let schema = json!({"type": "object", "additionalProperties": false,
        "properties": {"a": {"type": "string"}}});
    columns(&schema).unwrap()
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
        prop::sample::select(vec![
            "string",
            "integer",
            "number",
            "object",
            "array",
            "null",
            "#",
            "date-time",
            "#/properties/a",
        ])
        .prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let name = prop_oneof![
            "[a-c]",
            prop::sample::select(vec![
                "type",
                "properties",
                "items",
                "enum",
                "$ref",
                "anyOf",
                "required",
                "format",
                "additionalProperties",
                "multipleOf",
                "maximum",
            ])
            .prop_map(str::to_owned),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(name, inner, 0..5)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_schema_makes_columns_or_a_sentence(schema in any_json(), record in any_json()) {
        let schema = json!({"type": "object", "properties": {"a": schema}});
        match columns(&schema) {
            Ok(columns) => drop(columns.row(record.to_string().as_bytes())),
            Err(error) => {
                let sentence = error.to_string();
                prop_assert!(sentence.starts_with("The schema") && sentence.ends_with('.'));
            }
        }
    }

    #[test]
    fn rows_hold_the_values_of_the_record(
        long: i64, double in -1e300_f64..1e300, text in ".*", flag: bool,
        list in prop::collection::vec(any::<i32>(), 0..5),
    ) {
        let schema = json!({"type": "object", "properties": {
            "long": {"type": "integer"}, "double": {"type": "number"}, "text": {"type": "string"},
            "flag": {"type": "boolean"},
            "list": {"type": "array", "items": {"type": "integer", "maximum": 2_147_483_647}}}});
        let columns = columns(&schema).unwrap();
        let record = json!({
            "long": long, "double": double, "text": text, "flag": flag, "list": list});
        let row = columns.row(record.to_string().as_bytes()).unwrap();
        let by_name = |name: &str| {
            let at = columns.columns().iter().position(|column| column.name == name);
            row.values()[at.unwrap()].clone()
        };
        prop_assert_eq!(by_name("long"), Value::Long(long));
        prop_assert_eq!(by_name("double"), Value::Double(double));
        prop_assert_eq!(by_name("text"), Value::String(text));
        prop_assert_eq!(by_name("flag"), Value::Boolean(flag));
        let list = list.into_iter().map(Value::Int).collect();
        prop_assert_eq!(by_name("list"), Value::List(list));
    }
}
