//! Writes a mapping as the structure EventSourceMappingConfiguration of Lambda's API.

use crate::engine::event_source::{Mapping, PassingState};
use crate::model::event_source::{Settings, StartingPosition};
use crate::world::Timestamp;
use serde_json::{Map, Value, json};

/// Writes the configuration of `mapping` at the time `now`. `passing` is the state that the answer
/// to a change shows, such as `Creating`. The answer to a change gives LastModified in
/// milliseconds. All other answers round LastModified down to a whole minute. Both forms were
/// recorded from AWS Lambda.
pub(super) fn configuration(
    mapping: &Mapping,
    now: Timestamp,
    passing: Option<PassingState>,
) -> Value {
    let view = mapping.view(now);
    let modified_ms = match passing {
        Some(_) => view.modified.millis(),
        None => view.modified.millis().div_euclid(60_000) * 60_000,
    };
    let state = passing.map_or(view.state, PassingState::as_str);
    let mut shown = settings(&view.settings);
    let mut add = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    add("UUID", mapping.uuid.to_string().into());
    add("EventSourceMappingArn", mapping.arn().into());
    add("EventSourceArn", mapping.source.to_string().into());
    add("FunctionArn", view.function.to_string().into());
    add("StartingPosition", view.position.as_str().into());
    if let StartingPosition::AtTimestamp(seconds) = view.position {
        add("StartingPositionTimestamp", (seconds as f64).into());
    }
    add("State", state.into());
    add("StateTransitionReason", "User action".into());
    add("LastModified", (modified_ms as f64 / 1000.0).into());
    add("LastProcessingResult", view.result.into());
    Value::Object(shown)
}

fn settings(settings: &Settings) -> Map<String, Value> {
    let unlimited = |limit: Option<u32>| limit.map_or(-1, i64::from);
    let on_failure = match &settings.on_failure {
        Some(arn) => json!({ "Destination": arn }),
        None => json!({}),
    };
    let types: &[&str] = if settings.report {
        &["ReportBatchItemFailures"]
    } else {
        &[]
    };
    let shown = json!({
        "BatchSize": settings.batch_size,
        "MaximumBatchingWindowInSeconds": settings.batching_window_s,
        "ParallelizationFactor": settings.factor,
        "DestinationConfig": { "OnFailure": on_failure },
        "MaximumRecordAgeInSeconds": unlimited(settings.max_age_s),
        "BisectBatchOnFunctionError": settings.bisect,
        "MaximumRetryAttempts": unlimited(settings.max_retries),
        "TumblingWindowInSeconds": settings.tumbling_window_s,
        "FunctionResponseTypes": types,
    });
    let Value::Object(mut shown) = shown else {
        return Map::new();
    };
    if !settings.filters.is_empty() {
        let filters = settings
            .filters
            .iter()
            .map(|text| json!({ "Pattern": text }));
        let filters: Vec<Value> = filters.collect();
        shown.insert("FilterCriteria".to_owned(), json!({ "Filters": filters }));
    }
    let metrics = settings.metrics_config.as_deref();
    if let Some(metrics) = metrics.and_then(|text| serde_json::from_str(text).ok()) {
        shown.insert("MetricsConfig".to_owned(), metrics);
    }
    if let Some(key) = &settings.kms_key_arn {
        shown.insert("KMSKeyArn".to_owned(), key.as_str().into());
    }
    shown
}
