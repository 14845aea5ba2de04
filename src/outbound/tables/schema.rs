//! Converts the columns and partitions of a table to Iceberg's types.

use super::error::TableError;
use crate::model::channel::schema::{Column, ColumnType, Columns, DECIMAL_DIGITS, Element, Fields};
use iceberg::spec::{
    ListType, MapType, NestedField, NestedFieldRef, PrimitiveType, Schema, SchemaRef, StructType,
    TableMetadata, Transform, Type, UnboundPartitionSpec,
};

/// Makes the Iceberg schema of a table with these columns. The first field has the id 1.
pub(super) fn table_schema(columns: &Columns) -> Result<Schema, TableError> {
    let mut ids = Ids(0);
    let fields = columns.columns().iter().map(|column| ids.field(column));
    let fields: Vec<NestedFieldRef> = fields.collect();
    let schema = Schema::builder().with_fields(fields).build();
    schema.map_err(|error| TableError::Unusable(format!("The schema makes no table: {error}.")))
}

/// Makes one partition field for each of `sources`: the hour of a column of type timestamptz.
pub(super) fn hour_partitions(
    schema: &Schema,
    sources: &[String],
) -> Result<UnboundPartitionSpec, TableError> {
    let unusable = |error| TableError::Unusable(format!("The partitions cannot be made: {error}."));
    // Iceberg's own REST catalog refuses a specification without an id.
    let mut builder = UnboundPartitionSpec::builder().with_spec_id(0);
    for source in sources {
        let field = schema.field_by_name(source).ok_or_else(|| {
            TableError::Unusable(format!("The table has no partition column '{source}'."))
        })?;
        builder = builder
            .add_partition_field(field.id, partition_name(source), Transform::Hour)
            .map_err(unusable)?;
    }
    Ok(builder.build())
}

/// Finds the schema with which a channel created its table: the schema with the columns `columns`.
/// None if the table no longer has this schema, or has other partitions than the hours of
/// `sources`. Other programs may have added columns to a table in a shared catalog. The table then
/// also has a newer schema, but rows can still be written with the older schema.
pub(super) fn own_schema(
    metadata: &TableMetadata,
    columns: &Columns,
    sources: &[String],
) -> Result<Option<SchemaRef>, TableError> {
    let expected = table_schema(columns)?;
    let mut schemas = metadata.schemas_iter();
    let schema = schemas.find(|schema| has_fields(schema.as_struct(), expected.as_struct()));
    let spec = metadata.default_partition_spec().fields();
    let has_hours = |schema: &&SchemaRef| {
        spec.len() == sources.len()
            && spec.iter().zip(sources).all(|(field, source)| {
                let name = schema.name_by_field_id(field.source_id);
                field.transform == Transform::Hour && name == Some(source)
            })
    };
    Ok(schema.filter(has_hours).cloned())
}

/// True if the fields have the expected names and types. A catalog may number the fields anew.
fn has_fields(fields: &StructType, expected: &StructType) -> bool {
    let (fields, expected) = (fields.fields(), expected.fields());
    fields.len() == expected.len()
        && fields
            .iter()
            .zip(expected)
            .all(|(field, expected)| field.name == expected.name && has_type(field, expected))
}

fn has_type(field: &NestedField, expected: &NestedField) -> bool {
    field.required == expected.required
        && match (field.field_type.as_ref(), expected.field_type.as_ref()) {
            (Type::Struct(fields), Type::Struct(expected)) => has_fields(fields, expected),
            (Type::List(list), Type::List(expected)) => {
                has_type(&list.element_field, &expected.element_field)
            }
            (Type::Map(map), Type::Map(expected)) => {
                has_type(&map.key_field, &expected.key_field)
                    && has_type(&map.value_field, &expected.value_field)
            }
            (one, other) => one == other,
        }
}

/// The name of the partition field that holds the hour of a column. Iceberg's other libraries
/// choose the same name. Manifests are Avro files, so the name has only characters that Avro allows
/// in names.
fn partition_name(source: &str) -> String {
    let name = source.replace('.', "_");
    match name.starts_with(|first: char| first.is_ascii_digit()) {
        true => format!("_{name}_hour"),
        false => format!("{name}_hour"),
    }
}

/// Gives consecutive ids to the fields of a schema.
struct Ids(i32);

impl Ids {
    fn next(&mut self) -> i32 {
        self.0 += 1;
        self.0
    }

    fn field(&mut self, column: &Column) -> NestedFieldRef {
        let id = self.next();
        let Element {
            is_required,
            column_type,
        } = &column.element;
        let field = NestedField::new(id, &column.name, self.type_of(column_type), *is_required);
        match &column.doc {
            Some(doc) => field.with_doc(doc).into(),
            None => field.into(),
        }
    }

    fn structure(&mut self, fields: &Fields) -> StructType {
        StructType::new(
            fields
                .columns
                .iter()
                .map(|column| self.field(column))
                .collect(),
        )
    }

    fn type_of(&mut self, column_type: &ColumnType) -> Type {
        Type::Primitive(match column_type {
            ColumnType::Boolean => PrimitiveType::Boolean,
            ColumnType::Int => PrimitiveType::Int,
            ColumnType::Long => PrimitiveType::Long,
            ColumnType::Double => PrimitiveType::Double,
            ColumnType::Decimal { scale } => PrimitiveType::Decimal {
                precision: DECIMAL_DIGITS,
                scale: *scale,
            },
            ColumnType::Date => PrimitiveType::Date,
            ColumnType::Time => PrimitiveType::Time,
            ColumnType::Timestamp => PrimitiveType::Timestamptz,
            ColumnType::String | ColumnType::Enum(_) => PrimitiveType::String,
            ColumnType::Uuid => PrimitiveType::Uuid,
            ColumnType::Binary => PrimitiveType::Binary,
            ColumnType::Struct(fields) => return Type::Struct(self.structure(fields)),
            ColumnType::List(element) => {
                let id = self.next();
                let inner = self.type_of(&element.column_type);
                let inner = NestedField::list_element(id, inner, element.is_required);
                return Type::List(ListType::new(inner.into()));
            }
            ColumnType::Map(element) => {
                let (key, value) = (self.next(), self.next());
                let inner = self.type_of(&element.column_type);
                let keys =
                    NestedField::map_key_element(key, Type::Primitive(PrimitiveType::String));
                let values = NestedField::map_value_element(value, inner, element.is_required);
                return Type::Map(MapType::new(keys.into(), values.into()));
            }
        })
    }
}
