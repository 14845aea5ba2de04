//! The bodies of CreateEventSourceMapping and UpdateEventSourceMapping: parsing, and checks of
//! types and ranges.

use super::refusal::Refusal;
use super::settings::Settings;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Names of members that the emulator refuses in requests. These members belong to other kinds of
/// event sources, or to features that Kinesis sources do not have.
const FOREIGN: [&str; 9] = [
    "AmazonManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
    "LoggingConfig",
    "ProvisionedPollerConfig",
    "Queues",
    "ScalingConfig",
    "SelfManagedEventSource",
    "SelfManagedKafkaEventSourceConfig",
    "SourceAccessConfigurations",
];

/// Longest filter pattern, in characters (Lambda's service model).
const PATTERN_CHARACTERS: usize = 4096;
/// Maximum number of filters of one mapping (Lambda's quota).
const FILTERS: usize = 10;
/// Longest ARN of a destination, in characters (Lambda's service model).
const DESTINATION_CHARACTERS: usize = 350;

/// A request to create a mapping. Types and ranges are checked, but not the existence of the stream
/// or the function.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CreateRequest {
    /// `EventSourceArn`, the ARN of the stream or the consumer.
    pub source: Option<String>,
    /// The members of the request that give the starting position.
    pub start: StartRequest,
    /// `Tags` of the new mapping. Empty if the request has no tags.
    pub tags: BTreeMap<String, String>,
    /// The settings of the new mapping that an update can change later.
    pub changes: Changes,
}

/// The members of a request that give the starting position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartRequest {
    /// `StartingPosition`: LATEST, AT_TIMESTAMP or TRIM_HORIZON. `None` if the request does not
    /// have this member.
    pub position: Option<String>,
    /// `StartingPositionTimestamp` in milliseconds since 1970.
    pub timestamp_ms: Option<i64>,
}

/// The settings that a request changes. A setting that the request does not contain stays
/// unchanged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// `FunctionName`, the name or the ARN of the function.
    pub function: Option<String>,
    /// `Enabled`: true if the mapping shall run. `None` if the request does not have this member. A
    /// new mapping then runs, and an existing mapping stays unchanged.
    pub enabled: Option<bool>,
    /// True if `DestinationConfig` names an OnSuccess destination, which streams do not have.
    pub on_success: bool,
    batch_size: Option<u32>,
    batching_window_s: Option<u32>,
    factor: Option<u32>,
    max_age_s: Option<i64>,
    max_retries: Option<i64>,
    bisect: Option<bool>,
    tumbling_window_s: Option<u32>,
    report: Option<bool>,
    filters: Option<Vec<String>>,
    on_failure: Option<Option<String>>,
    metrics_config: Option<Option<String>>,
    kms_key_arn: Option<Option<String>>,
}

impl CreateRequest {
    /// Parses the body of a CreateEventSourceMapping request.
    ///
    /// # Errors
    /// A refusal for the client when a member has the wrong type or a value outside of its range,
    /// or when FunctionName is missing.
    pub fn read(body: &Value) -> Result<Self, Refusal> {
        let members = Members::of(body)?;
        let changes = Changes::of(&members)?;
        if changes.function.is_none() {
            return Err(Refusal::missing("functionName"));
        }
        Ok(Self {
            source: members.text("EventSourceArn")?,
            start: StartRequest::of(&members)?,
            tags: members.tags()?,
            changes,
        })
    }
}

impl StartRequest {
    /// Parses the members StartingPosition and StartingPositionTimestamp of a request's body.
    ///
    /// # Errors
    /// A refusal for the client when a member has the wrong type or an unknown value.
    pub fn read(body: &Value) -> Result<Self, Refusal> {
        Self::of(&Members::of(body)?)
    }

    fn of(members: &Members<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            position: members.starting_position()?,
            timestamp_ms: members.timestamp()?,
        })
    }
}

impl Changes {
    /// Parses the body of an UpdateEventSourceMapping request.
    ///
    /// # Errors
    /// A refusal for the client when a member has the wrong type or a value outside of its range.
    pub fn read(body: &Value) -> Result<Self, Refusal> {
        Self::of(&Members::of(body)?)
    }

    fn of(members: &Members<'_>) -> Result<Self, Refusal> {
        members.refuse_foreign()?;
        let number = |name, least, most| members.number(name, least, most);
        let small = |name, least, most| {
            let number = number(name, least, most)?;
            Ok::<_, Refusal>(number.and_then(|number| u32::try_from(number).ok()))
        };
        let destination = members.object("DestinationConfig")?;
        let on_success = destination.is_some_and(|config| {
            let on_success = config.get("OnSuccess").and_then(Value::as_object);
            on_success.is_some_and(|target| target.get("Destination").is_some_and(Value::is_string))
        });
        let max_age_s = number("MaximumRecordAgeInSeconds", -1, 604_800)?;
        if max_age_s.is_some_and(|seconds| (0..60).contains(&seconds)) {
            return Err(Refusal::invalid(
                "MaximumRecordAgeInSeconds must be -1 or between 60 and 604800.",
            ));
        }
        Ok(Self {
            function: members.text("FunctionName")?,
            enabled: members.flag("Enabled")?,
            on_success,
            batch_size: small("BatchSize", 1, 10_000)?,
            batching_window_s: small("MaximumBatchingWindowInSeconds", 0, 300)?,
            factor: small("ParallelizationFactor", 1, 10)?,
            max_age_s,
            max_retries: number("MaximumRetryAttempts", -1, 10_000)?,
            bisect: members.flag("BisectBatchOnFunctionError")?,
            tumbling_window_s: small("TumblingWindowInSeconds", 0, 900)?,
            report: members.response_types()?,
            filters: members.filters()?,
            on_failure: on_failure(destination)?,
            metrics_config: members.object("MetricsConfig")?.map(metrics_config),
            kms_key_arn: members
                .text("KMSKeyArn")?
                .map(|arn| (!arn.is_empty()).then_some(arn)),
        })
    }

    /// Returns a copy of `settings` with these changes.
    ///
    /// # Errors
    /// A refusal for the client when two of the new settings exclude each other.
    pub fn applied_to(&self, settings: &Settings) -> Result<Settings, Refusal> {
        let limit = |limit: Option<i64>, old: Option<u32>| match limit {
            None => old,
            Some(limit) => u32::try_from(limit).ok(),
        };
        let old = settings.clone();
        let new = Settings {
            batch_size: self.batch_size.unwrap_or(old.batch_size),
            batching_window_s: self.batching_window_s.unwrap_or(old.batching_window_s),
            factor: self.factor.unwrap_or(old.factor),
            max_age_s: limit(self.max_age_s, old.max_age_s),
            max_retries: limit(self.max_retries, old.max_retries),
            bisect: self.bisect.unwrap_or(old.bisect),
            tumbling_window_s: self.tumbling_window_s.unwrap_or(old.tumbling_window_s),
            report: self.report.unwrap_or(old.report),
            filters: self.filters.clone().unwrap_or(old.filters),
            on_failure: self.on_failure.clone().unwrap_or(old.on_failure),
            metrics_config: self.metrics_config.clone().unwrap_or(old.metrics_config),
            kms_key_arn: self.kms_key_arn.clone().unwrap_or(old.kms_key_arn),
        };
        if new.tumbling_window_s > 0 && new.factor > 1 {
            return Err(Refusal::invalid(
                "ParallelizationFactor must be 1 when TumblingWindowInSeconds is set.",
            ));
        }
        if new.tumbling_window_s > 0 && !new.filters.is_empty() {
            return Err(Refusal::invalid(
                "FilterCriteria cannot be used when TumblingWindowInSeconds is set.",
            ));
        }
        Ok(new)
    }
}

/// Returns the JSON text of a MetricsConfig. `None` if the config lists no metrics. A config
/// without metrics clears the setting.
fn metrics_config(config: &Map<String, Value>) -> Option<String> {
    let metrics = config.get("Metrics").and_then(Value::as_array);
    let has_metrics = metrics.is_some_and(|metrics| !metrics.is_empty());
    has_metrics.then(|| Value::Object(config.clone()).to_string())
}

fn on_failure(destination: Option<&Map<String, Value>>) -> Result<Option<Option<String>>, Refusal> {
    let Some(destination) = destination else {
        return Ok(None);
    };
    let target = match destination.get("OnFailure") {
        None | Some(Value::Null) => return Ok(Some(None)),
        Some(Value::Object(target)) => target.get("Destination"),
        Some(_) => return Err(Refusal::content("OnFailure is an object")),
    };
    match target {
        None | Some(Value::Null) => Ok(Some(None)),
        Some(Value::String(text)) if text.is_empty() => Ok(Some(None)),
        Some(Value::String(text)) if text.chars().count() > DESTINATION_CHARACTERS => {
            Err(Refusal::constraint(
                text,
                "destinationConfig.onFailure.destination",
                "Member must have length less than or equal to 350",
            ))
        }
        Some(Value::String(text)) => Ok(Some(Some(text.clone()))),
        Some(_) => Err(Refusal::content("Destination is a text")),
    }
}

/// The members of a request's body. A member whose value is null counts as missing.
struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    fn of(body: &'a Value) -> Result<Self, Refusal> {
        let members = body.as_object();
        members
            .map(Self)
            .ok_or_else(|| Refusal::content("the body is not an object"))
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Refusal::content(&format!("{name} is a text"))),
        }
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(Refusal::content(&format!("{name} is true or false"))),
        }
    }

    fn object(&self, name: &str) -> Result<Option<&'a Map<String, Value>>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_) => Err(Refusal::content(&format!("{name} is an object"))),
        }
    }

    fn number(&self, name: &str, least: i64, most: i64) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number = value.as_i64();
        let number = number.ok_or_else(|| Refusal::content(&format!("{name} is a number")))?;
        let member = lower_first(name);
        let refuse =
            |constraint: String| Refusal::constraint(&number.to_string(), &member, &constraint);
        if number < least {
            let text = format!("Member must have value greater than or equal to {least}");
            return Err(refuse(text));
        }
        if number > most {
            return Err(refuse(format!(
                "Member must have value less than or equal to {most}"
            )));
        }
        Ok(Some(number))
    }

    fn refuse_foreign(&self) -> Result<(), Refusal> {
        let mut foreign = FOREIGN.iter().chain(&["Topics"]);
        match foreign.find(|name| self.get(name).is_some()) {
            None => Ok(()),
            Some(name) => Err(Refusal::invalid(format!(
                "Unsupported {name} parameter for given event source mapping type."
            ))),
        }
    }

    fn starting_position(&self) -> Result<Option<String>, Refusal> {
        let position = self.text("StartingPosition")?;
        let known = ["LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"];
        match position {
            Some(text) if !known.contains(&text.as_str()) => Err(Refusal::constraint(
                &text,
                "startingPosition",
                "Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]",
            )),
            position => Ok(position),
        }
    }

    /// Parses `StartingPositionTimestamp`, a number of seconds since 1970 or a text in RFC 3339.
    /// Returns milliseconds since 1970.
    fn timestamp(&self) -> Result<Option<i64>, Refusal> {
        let refuse = || Refusal::content("StartingPositionTimestamp is a time");
        match self.get("StartingPositionTimestamp") {
            None => Ok(None),
            Some(Value::Number(seconds)) => {
                let seconds = seconds.as_f64().filter(|seconds| seconds.abs() < 1e13);
                let ms = seconds.map(|seconds| (seconds * 1000.0).round() as i64);
                ms.map(Some).ok_or_else(refuse)
            }
            Some(Value::String(text)) => {
                let form = &time::format_description::well_known::Rfc3339;
                let moment = time::OffsetDateTime::parse(text, form).map_err(|_| refuse())?;
                let ms = moment.unix_timestamp_nanos() / 1_000_000;
                i64::try_from(ms).map(Some).map_err(|_| refuse())
            }
            Some(_) => Err(refuse()),
        }
    }

    fn tags(&self) -> Result<BTreeMap<String, String>, Refusal> {
        self.object("Tags")?
            .map_or_else(|| Ok(BTreeMap::new()), read_tags)
    }

    fn response_types(&self) -> Result<Option<bool>, Refusal> {
        let types = match self.get("FunctionResponseTypes") {
            None => return Ok(None),
            Some(Value::Array(types)) => types,
            Some(_) => return Err(Refusal::content("FunctionResponseTypes is a list")),
        };
        let member = "functionResponseTypes";
        if types.len() > 1 {
            let text = Value::from(types.clone()).to_string();
            let constraint = "Member must have length less than or equal to 1";
            return Err(Refusal::constraint(&text, member, constraint));
        }
        match types.first() {
            None => Ok(Some(false)),
            Some(Value::String(text)) if text == "ReportBatchItemFailures" => Ok(Some(true)),
            Some(other) => Err(Refusal::constraint(
                &format!("[{}]", other.as_str().unwrap_or_default()),
                member,
                "Member must satisfy constraint: [Member must satisfy enum value set: \
                 [ReportBatchItemFailures]]",
            )),
        }
    }

    fn filters(&self) -> Result<Option<Vec<String>>, Refusal> {
        let Some(criteria) = self.object("FilterCriteria")? else {
            return Ok(None);
        };
        let filters = match criteria.get("Filters") {
            None | Some(Value::Null) => return Ok(Some(Vec::new())),
            Some(Value::Array(filters)) => filters,
            Some(_) => return Err(Refusal::content("Filters is a list")),
        };
        if filters.len() > FILTERS {
            return Err(Refusal::invalid(format!(
                "The number of filters exceeds the limit of {FILTERS}."
            )));
        }
        let pattern = |filter: &Value| {
            let pattern = filter.get("Pattern").and_then(Value::as_str);
            let pattern = pattern.ok_or_else(Refusal::filter)?;
            if pattern.chars().count() > PATTERN_CHARACTERS {
                return Err(Refusal::constraint(
                    pattern,
                    "filterCriteria.filters.pattern",
                    "Member must have length less than or equal to 4096",
                ));
            }
            Ok(pattern.to_owned())
        };
        filters
            .iter()
            .map(pattern)
            .collect::<Result<_, _>>()
            .map(Some)
    }
}

/// Parses a JSON map of tags.
///
/// # Errors
/// A refusal for the client when a value is not a text, or a key or a value has a length that
/// Lambda does not allow.
pub fn read_tags(given: &Map<String, Value>) -> Result<BTreeMap<String, String>, Refusal> {
    let mut tags = BTreeMap::new();
    for (key, value) in given {
        let value = value.as_str();
        let value = value.ok_or_else(|| Refusal::content("the value of a tag is a text"))?;
        if key.is_empty() || key.chars().count() > 128 {
            let constraint = "Map keys must satisfy constraint: [Member must have length less \
                              than or equal to 128, Member must have length greater than or equal to 1]";
            return Err(Refusal::constraint(key, "tags", constraint));
        }
        if value.chars().count() > 256 {
            let constraint = "Map value must satisfy constraint: [Member must have length less \
                              than or equal to 256, Member must have length greater than or equal to 0]";
            return Err(Refusal::constraint(value, "tags", constraint));
        }
        tags.insert(key.clone(), value.to_owned());
    }
    Ok(tags)
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// Parses an event source option `STREAM=FUNCTION?Setting=value&…`. Returns the body of the
/// CreateEventSourceMapping request that the option stands for, and FUNCTION if it is a URL.
/// `arn_of` turns the name of a stream into its ARN.
///
/// # Errors
/// A message for the user that says which part of the text is wrong.
pub fn source_of_option(
    text: &str,
    arn_of: impl Fn(&str) -> String,
) -> Result<(Value, Option<String>), String> {
    let (stream, rest) = text
        .split_once('=')
        .ok_or("an event source is written as STREAM=FUNCTION?Setting=value&…")?;
    let (function, settings) = rest.split_once('?').unwrap_or((rest, ""));
    if stream.is_empty() || function.is_empty() {
        return Err("an event source names a stream and a function".to_owned());
    }
    let is_url = function.starts_with("http://") || function.starts_with("https://");
    let mut body = Map::new();
    let source = if stream.starts_with("arn:") {
        stream.to_owned()
    } else {
        arn_of(stream)
    };
    body.insert("EventSourceArn".to_owned(), source.into());
    let name = if is_url { "function" } else { function };
    body.insert("FunctionName".to_owned(), name.into());
    body.insert("StartingPosition".to_owned(), "TRIM_HORIZON".into());
    let mut filters = Vec::new();
    for (name, value) in form_urlencoded::parse(settings.as_bytes()) {
        match name.as_ref() {
            "Filter" => filters.push(serde_json::json!({ "Pattern": value })),
            "OnFailure" => {
                let config = serde_json::json!({ "OnFailure": { "Destination": value } });
                body.insert("DestinationConfig".to_owned(), config);
            }
            "ReportBatchItemFailures" => {
                let types: &[&str] = match value.as_ref() {
                    "true" => &["ReportBatchItemFailures"],
                    "false" => &[],
                    _ => return Err("ReportBatchItemFailures is true or false".to_owned()),
                };
                body.insert("FunctionResponseTypes".to_owned(), types.into());
            }
            name if SETTINGS.contains(&name) => {
                body.insert(name.to_owned(), typed(&value));
            }
            _ => {
                return Err(format!(
                    "an event source has no setting {name}; its settings are {}, Filter, \
                     OnFailure and ReportBatchItemFailures",
                    SETTINGS.join(", ")
                ));
            }
        }
    }
    if !filters.is_empty() {
        let criteria = serde_json::json!({ "Filters": filters });
        body.insert("FilterCriteria".to_owned(), criteria);
    }
    Ok((Value::Object(body), is_url.then(|| function.to_owned())))
}

/// The settings of the option `--event-source` that have the same names as members of a
/// CreateEventSourceMapping request.
const SETTINGS: [&str; 10] = [
    "BatchSize",
    "BisectBatchOnFunctionError",
    "Enabled",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "StartingPosition",
    "StartingPositionTimestamp",
    "TumblingWindowInSeconds",
];

/// Converts the text of a setting to a JSON number or Boolean if possible, else to a JSON string.
fn typed(value: &str) -> Value {
    match value {
        "true" => true.into(),
        "false" => false.into(),
        _ => {
            let whole = value.parse::<i64>().map(Value::from);
            let fraction = || value.parse::<f64>().map(Value::from);
            whole
                .or_else(|_| fraction())
                .unwrap_or_else(|_| value.into())
        }
    }
}

#[cfg(test)]
mod tests;
