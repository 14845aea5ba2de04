//! Reads the streams that an option or a variable defines in short form.

use super::account_region_setting::AccountRegionSetting;
use super::definition_place::DefinitionPlace;
use super::plan::{RecordPlaces, StreamSetup};
use super::problem::Problem;
use crate::limits;
use crate::model::Region;
use serde_json::json;

/// Parses the values of `--stream`. Each value defines a stream, as `NAME` or `NAME:SHARDS`.
pub(super) fn of_options(texts: &[String]) -> Result<Vec<StreamSetup>, Problem> {
    let stream = |text: &String| {
        let place = DefinitionPlace::option(&format!("--stream {text}"));
        let (name, shards) = match text.split_once(':') {
            Some((name, shards)) => (name, Some(count(shards, &place)?)),
            None => (text.as_str(), None),
        };
        Ok(with_shards(place, name, shards, None))
    };
    texts.iter().map(stream).collect()
}

/// Parses the streams in kinesis-mock's variable `INITIALIZE_STREAMS`: a list of
/// `NAME[:SHARDS[:REGION]]`, separated by commas. LocalStack's `KINESIS_INITIALIZE_STREAMS` has the
/// same form. As in kinesis-mock, the default number of shards is four.
pub(super) fn of_variable(text: &str) -> Result<Vec<StreamSetup>, Problem> {
    let parts = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let stream = |part: &str| {
        let place = DefinitionPlace::option(&format!("INITIALIZE_STREAMS {part}"));
        let mut parts = part.split(':');
        let name = parts.next().unwrap_or_default();
        let shards = match parts.next() {
            Some(shards) if !shards.is_empty() => count(shards, &place)?,
            _ => limits::INITIALIZED_SHARDS,
        };
        let region = match parts.next() {
            Some(region) => Some(region_of(region, &place)?),
            None => None,
        };
        match parts.next() {
            Some(_) => Err(place.refused("a stream is written as NAME[:SHARDS[:REGION]]")),
            None => Ok(with_shards(place, name, Some(shards), region)),
        }
    };
    parts.map(stream).collect()
}

fn region_of(text: &str, place: &DefinitionPlace) -> Result<Region, Problem> {
    let name = super::super::value::region(text);
    name.map(|name| Region::new(&name))
        .map_err(|text| place.refused(&text))
}

fn count(text: &str, place: &DefinitionPlace) -> Result<u32, Problem> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| place.refused("the number of shards is a whole number from 1 on"))
}

fn with_shards(
    place: DefinitionPlace,
    name: &str,
    shards: Option<u32>,
    region: Option<Region>,
) -> StreamSetup {
    let mut create = serde_json::Map::new();
    create.insert("StreamName".to_owned(), json!(name));
    if let Some(shards) = shards {
        create.insert("ShardCount".to_owned(), json!(shards));
    }
    StreamSetup {
        place,
        name: name.to_owned(),
        account_region: AccountRegionSetting {
            account: None,
            region,
        },
        create,
        retention_hours: None,
        consumers: Vec::new(),
        key_id: None,
        records: Vec::new(),
        record_places: RecordPlaces::default(),
    }
}
