//! Reads all definitions in a setup file.

use super::super::ClockChoice;
use super::account_region_setting::AccountRegionSetting;
use super::definition_place::DefinitionPlace;
use super::document::Node;
use super::fields::{self, Fields};
use super::mapping::{MappingSetup, mapping};
use super::problem::Problem;
use super::reader::{ReaderSetup, channel, queue};
use super::rule::rule;
use super::{records, request};
use crate::model::AccountRegion;
use crate::operation::{StartRecord, create_stream_shape};
use crate::world::FaultRule;
use std::path::Path;
use std::sync::Arc;

/// The names of the members that a setup file may have.
const TOP_MEMBERS: [&str; 6] = [
    "streams",
    "queues",
    "channels",
    "event_sources",
    "faults",
    "clock",
];

/// The names of the members that only the definition of a stream may have, and not a CreateStream
/// request.
const OTHER_MEMBERS: [&str; 8] = [
    "RetentionPeriodHours",
    "Consumers",
    "EncryptionType",
    "KeyId",
    "Account",
    "Region",
    "Records",
    "RecordsFile",
];

/// All definitions of the setup, from the setup file, the options and the variables.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    /// The streams to create. The streams of the setup file come first, in the order of the file.
    /// The streams of options and variables follow.
    pub streams: Vec<StreamSetup>,
    /// The queues to create, in the order of the setup file.
    pub queues: Vec<ReaderSetup>,
    /// The channels to create, in the order of the setup file.
    pub channels: Vec<ReaderSetup>,
    /// The event source mappings to create, in the order of the setup file.
    pub event_sources: Vec<MappingSetup>,
    /// The fault rules of the setup file, already checked.
    pub faults: Vec<FaultSetup>,
    /// The clock that the setup file selects. None if the file selects none.
    pub clock: Option<ClockChoice>,
}

/// The definition of a stream in the setup. Its values are checked when the stream is created.
#[derive(Debug, Clone)]
pub(crate) struct StreamSetup {
    /// The place where the stream is defined, for error messages.
    pub place: DefinitionPlace,
    pub name: String,
    pub account_region: AccountRegionSetting,
    /// The members of the CreateStream request that creates the stream.
    pub create: serde_json::Map<String, serde_json::Value>,
    pub retention_hours: Option<u32>,
    /// The names of the consumers to register for the stream.
    pub consumers: Vec<String>,
    /// The KMS key that encrypts the stream. None for no encryption.
    pub key_id: Option<String>,
    /// The records to put into the stream, in this order.
    pub records: Vec<StartRecord>,
    /// The places in the files where `records` are defined, for error messages.
    pub record_places: RecordPlaces,
}

/// A fault rule of the setup file.
#[derive(Debug, Clone)]
pub(crate) struct FaultSetup {
    /// The place where the rule is defined, for error messages.
    pub place: DefinitionPlace,
    pub rule: FaultRule,
}

/// The places where the records of a stream are defined: in the setup file or in a records file.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecordPlaces {
    /// Path of the records file. Empty if the stream has no records file.
    file: String,
    /// Line numbers of the records in the records file. These records are the last records of the
    /// stream, after the records of the setup file.
    lines: Vec<usize>,
}

impl StreamSetup {
    /// The error for a record of the stream that a put has refused with the message `text`. `at` is
    /// the index of the record among the stream's records in the setup.
    pub(crate) fn refused_record(&self, at: usize, text: &str) -> Problem {
        let RecordPlaces { file, lines } = &self.record_places;
        let inline = self.records.len() - lines.len();
        match at.checked_sub(inline).and_then(|at| lines.get(at)) {
            Some(line) => {
                let text = format!("{file}: line {line}: {text}");
                self.place.refused_at("RecordsFile", &text)
            }
            None => self.place.refused_at(&format!("Records[{at}]"), text),
        }
    }
}

/// Reads all definitions in a parsed setup file. `source` is the name of the file in error
/// messages. A relative path in `RecordsFile` starts from `folder`. `home` is the account and
/// region of mappings that name no account or region.
pub(super) fn setup(
    node: Node,
    source: &str,
    folder: &Path,
    home: &AccountRegion,
) -> Result<Setup, Problem> {
    let source: Arc<str> = source.into();
    let mut fields = Fields::of(node, String::new())?;
    let setup = Setup {
        streams: each(&mut fields, "streams", |path, node| {
            stream(path, node, &source, folder)
        })?,
        queues: each(&mut fields, "queues", |path, node| {
            queue(path, node, &source)
        })?,
        channels: each(&mut fields, "channels", |path, node| {
            channel(path, node, &source)
        })?,
        event_sources: each(&mut fields, "event_sources", |path, node| {
            mapping(path, node, &source, home)
        })?,
        faults: each(&mut fields, "faults", |path, node| {
            let place = DefinitionPlace::file(&source, &path, &node);
            rule(&path, node).map(|rule| FaultSetup { place, rule })
        })?,
        clock: fields.parsed("clock", |value| fields::text(value)?.parse())?,
    };
    fields.end(&TOP_MEMBERS)?;
    Ok(setup)
}

/// Removes the member `name`, a list, from the members of the setup file. Reads each item of the
/// list with `read`.
fn each<T>(
    fields: &mut Fields,
    name: &str,
    read: impl Fn(String, Node) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    let item = |(path, node): (String, Node)| {
        let line = node.line;
        read(path, node).map_err(|problem| problem.or_line(line))
    };
    fields.list(name)?.into_iter().map(item).collect()
}

fn stream(
    path: String,
    node: Node,
    source: &Arc<str>,
    folder: &Path,
) -> Result<StreamSetup, Problem> {
    let place = DefinitionPlace::file(source, &path, &node);
    let mut fields = Fields::of(node, path)?;
    let (path, line) = (fields.path().to_owned(), fields.line());
    let account_region = AccountRegionSetting::take(&mut fields)?;
    let retention_hours = fields.parsed("RetentionPeriodHours", hours)?;
    let mut consumers = Vec::new();
    for (path, node) in fields.list("Consumers")? {
        let line = node.line;
        let name = fields::text(node.into_json());
        consumers.push(name.map_err(|text| Problem::at(line, text).of(&path))?);
    }
    let key_id = encryption(&mut fields, &place)?;
    let (records, record_places) = records(&mut fields, folder)?;
    let create = request::of_shape(fields, create_stream_shape(), &OTHER_MEMBERS)?;
    let name = match create.get("StreamName") {
        Some(serde_json::Value::String(name)) => name.clone(),
        _ => return Err(Problem::at(line, "a stream needs a StreamName").of(&path)),
    };
    Ok(StreamSetup {
        place,
        name,
        account_region,
        create,
        retention_hours,
        consumers,
        key_id,
        records,
        record_places,
    })
}

fn hours(value: serde_json::Value) -> Result<u32, String> {
    let hours = value.as_u64().and_then(|hours| u32::try_from(hours).ok());
    hours.ok_or_else(|| "the retention period is a number of hours".to_owned())
}

/// Reads the members for encryption in the definition of a stream. Returns the KMS key, or None for
/// no encryption.
fn encryption(fields: &mut Fields, place: &DefinitionPlace) -> Result<Option<String>, Problem> {
    let kind = fields.parsed("EncryptionType", |value| match value.as_str() {
        Some("KMS") => Ok(true),
        Some("NONE") => Ok(false),
        _ => Err("choose KMS or NONE".to_owned()),
    })?;
    let key_id = fields.text("KeyId")?;
    match (kind, key_id) {
        (Some(true), Some(key_id)) => Ok(Some(key_id)),
        (Some(true), None) => Err(place.refused_at("EncryptionType", "KMS needs a KeyId")),
        (_, Some(_)) => Err(place.refused_at("KeyId", "a key needs EncryptionType KMS")),
        (_, None) => Ok(None),
    }
}

fn records(
    fields: &mut Fields,
    folder: &Path,
) -> Result<(Vec<StartRecord>, RecordPlaces), Problem> {
    let mut all = Vec::new();
    for (path, node) in fields.list("Records")? {
        all.push(records::record(path, node)?);
    }
    let mut places = RecordPlaces::default();
    let more = fields.parsed("RecordsFile", |value| {
        let path = folder.join(fields::text(value)?);
        places.file = path.display().to_string();
        records::from_file(&path).map_err(|problem| problem.to_string())
    })?;
    for (record, line) in more.unwrap_or_default() {
        all.push(record);
        places.lines.push(line);
    }
    Ok((all, places))
}
