//! The locations of data files: one directory for each hour, such as `data/at_hour=2026-01-31-23`.
//! Iceberg's other libraries use the same names.

use iceberg::spec::{Literal, PartitionKey, PrimitiveLiteral};
use iceberg::writer::file_writer::location_generator::LocationGenerator;
use time::OffsetDateTime;
use time::macros::format_description;

/// Generates the locations of the data files of one table.
#[derive(Debug, Clone)]
pub(super) struct HourLocations {
    /// URL of the directory of the data files.
    data: String,
}

impl HourLocations {
    /// Makes the locations for the data files of the table whose directory has the URL `table`.
    pub(super) fn of_table(table: &str) -> Self {
        Self {
            data: format!("{}/data", table.trim_end_matches('/')),
        }
    }
}

impl LocationGenerator for HourLocations {
    fn generate_location(&self, key: Option<&PartitionKey>, file: &str) -> String {
        let mut location = self.data.clone();
        let fields = key.iter().flat_map(|key| {
            let values = key.data().iter();
            key.spec().fields().iter().zip(values)
        });
        for (field, value) in fields {
            let directory = format!("/{}={}", field.name, hour(value));
            location.push_str(&directory);
        }
        format!("{location}/{file}")
    }
}

/// Formats hours since 1970 as `year-month-day-hour` in UTC. A missing hour becomes `null`.
fn hour(value: Option<&Literal>) -> String {
    let Some(Literal::Primitive(PrimitiveLiteral::Int(hours))) = value else {
        return "null".to_owned();
    };
    let format = format_description!("[year]-[month]-[day]-[hour]");
    let moment = OffsetDateTime::from_unix_timestamp(i64::from(*hours) * 3600);
    let text = moment.ok().and_then(|moment| moment.format(format).ok());
    text.unwrap_or_else(|| hours.to_string())
}
