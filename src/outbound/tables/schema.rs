//! Converts the columns and partitions of a table to Iceberg's types.

use super::error::TableError;
use crate::model::channel::schema::{Column, ColumnType, Columns, DECIMAL_DIGITS, Element, Fields};
use iceberg::spec::{
    ListType, MapType, NestedField, NestedFieldRef, PrimitiveType, Schema, StructType, Transform,
    Type, UnboundPartitionSpec,
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
    let mut builder = UnboundPartitionSpec::builder();
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

/// The name of the partition field by the hour of a column. Iceberg's other libraries choose the
/// same name. Manifests are Avro files, so the name has only characters that Avro allows in names.
fn partition_name(source: &str) -> String {
    let name = source.replace('.', "_");
    match name.starts_with(|first: char| first.is_ascii_digit()) {
        true => format!("_{name}_hour"),
        false => format!("{name}_hour"),
    }
}

/// Numbers the fields of a schema in sequence.
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
