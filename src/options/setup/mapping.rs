//! Reads the definitions of event source mappings in a setup file.

use super::account_region_setting::{ACCOUNT_REGION_MEMBERS, AccountRegionSetting};
use super::definition_place::DefinitionPlace;
use super::document::Node;
use super::fields::Fields;
use super::problem::Problem;
use super::request;
use crate::model::event_source::CreateRequest;
use crate::model::{AccountRegion, StreamArn};
use crate::options::event_source::completed;
use crate::wire::{Field, Member, Presence, Shape};
use serde_json::Value;
use std::sync::Arc;

/// The definition of an event source mapping in a setup file.
#[derive(Debug, Clone)]
pub(crate) struct MappingSetup {
    /// The place where the mapping is defined, for error messages.
    pub place: DefinitionPlace,
    /// Account and region in which the mapping is created.
    pub scope: AccountRegion,
    /// The CreateEventSourceMapping request that creates the mapping.
    pub request: CreateRequest,
}

// The shapes below give only the types of the members. [`CreateRequest::read`] checks all other
// constraints.
static TEXT: Shape = Shape::Text {
    length: None,
    pattern: None,
    values: &[],
};
static NUMBER: Shape = Shape::Integer {
    min: None,
    max: None,
    long: true,
};
static FLAG: Shape = Shape::Boolean;
static TIME: Shape = Shape::Timestamp;
static TEXTS: Shape = Shape::List {
    element: &TEXT,
    length: None,
};
static TAGS: Shape = Shape::Map {
    key: &TEXT,
    value: &TEXT,
    length: None,
};

const fn member(name: &'static str, shape: &'static Shape) -> Field {
    Field::Member(Member {
        name,
        shape,
        presence: Presence::Optional,
    })
}

static TARGET: Shape = Shape::Structure(&[member("Destination", &TEXT)]);
static DESTINATIONS: Shape =
    Shape::Structure(&[member("OnFailure", &TARGET), member("OnSuccess", &TARGET)]);
static FILTER: Shape = Shape::Structure(&[member("Pattern", &TEXT)]);
static FILTERS: Shape = Shape::List {
    element: &FILTER,
    length: None,
};
static CRITERIA: Shape = Shape::Structure(&[member("Filters", &FILTERS)]);
static METRICS: Shape = Shape::Structure(&[member("Metrics", &TEXTS)]);

/// The members of CreateEventSourceMapping that apply to mappings of Kinesis streams.
static CREATE: Shape = Shape::Structure(&[
    member("EventSourceArn", &TEXT),
    member("FunctionName", &TEXT),
    member("Enabled", &FLAG),
    member("BatchSize", &NUMBER),
    member("MaximumBatchingWindowInSeconds", &NUMBER),
    member("ParallelizationFactor", &NUMBER),
    member("StartingPosition", &TEXT),
    member("StartingPositionTimestamp", &TIME),
    member("FilterCriteria", &CRITERIA),
    member("FunctionResponseTypes", &TEXTS),
    member("MaximumRecordAgeInSeconds", &NUMBER),
    member("MaximumRetryAttempts", &NUMBER),
    member("BisectBatchOnFunctionError", &FLAG),
    member("TumblingWindowInSeconds", &NUMBER),
    member("DestinationConfig", &DESTINATIONS),
    member("Tags", &TAGS),
    member("MetricsConfig", &METRICS),
    member("KMSKeyArn", &TEXT),
]);

/// Reads the definition of an event source mapping. A stream's name may replace the stream's ARN.
/// The default of StartingPosition is TRIM_HORIZON. `home` is the account and region of a mapping
/// that names no account or region.
pub(super) fn mapping(
    path: String,
    node: Node,
    source: &Arc<str>,
    home: &AccountRegion,
) -> Result<MappingSetup, Problem> {
    let place = DefinitionPlace::file(source, &path, &node);
    let mut fields = Fields::of(node, path)?;
    let scope = AccountRegionSetting::take(&mut fields)?.within(home);
    let body = Value::Object(request::of_shape(fields, &CREATE, &ACCOUNT_REGION_MEMBERS)?);
    let arn_of = |name: &str| StreamArn::new(scope.clone(), name).to_string();
    let request = CreateRequest::read(&completed(body, arn_of));
    let request = request.map_err(|refusal| place.refused(&refusal.to_string()))?;
    if request.source.is_none() {
        return Err(place.refused("a mapping needs an EventSourceArn"));
    }
    Ok(MappingSetup {
        place,
        scope,
        request,
    })
}
