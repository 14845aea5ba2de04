//! Tests of requests that are accepted, and of requests that are refused.

use super::super::refusal::RefusalKind;
use super::*;
use serde_json::json;

fn created(body: Value) -> Result<CreateRequest, Refusal> {
    CreateRequest::read(&body)
}

fn settings(body: Value) -> Result<Settings, Refusal> {
    let mut body = body;
    body["FunctionName"] = "f".into();
    created(body)?.changes.applied_to(&Settings::default())
}

#[test]
fn a_request_that_says_little_gets_the_defaults() {
    let request = created(json!({ "FunctionName": "f", "BatchSize": null })).unwrap();
    assert_eq!(request.changes.function.as_deref(), Some("f"));
    let defaults = Settings::default();
    assert_eq!(request.changes.applied_to(&defaults), Ok(defaults));
    assert_eq!(request.source, None);
    assert_eq!(request.start, StartRequest::default());
}

#[test]
fn case_53_many_records_need_no_window() {
    assert_eq!(
        settings(json!({ "BatchSize": 101 })).unwrap().batch_size,
        101
    );
}

#[test]
fn numbers_have_ranges() {
    for (name, value) in [
        ("BatchSize", 0),
        ("BatchSize", 10_001),
        ("MaximumBatchingWindowInSeconds", 301),
        ("ParallelizationFactor", 11),
        ("MaximumRecordAgeInSeconds", 604_801),
        ("MaximumRetryAttempts", -2),
        ("TumblingWindowInSeconds", 901),
    ] {
        let refusal = settings(json!({ name: value })).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Validation, "{name}");
        assert!(refusal.message.contains(&value.to_string()), "{refusal}");
    }
    let refusal = settings(json!({ "BatchSize": 10_001 })).unwrap_err();
    assert_eq!(
        refusal.message,
        "1 validation error detected: Value '10001' at 'batchSize' failed to satisfy constraint: \
         Member must have value less than or equal to 10000"
    );
    for seconds in [0, 59] {
        let refusal = settings(json!({ "MaximumRecordAgeInSeconds": seconds })).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::InvalidParameterValue);
    }
    let unlimited = json!({ "MaximumRecordAgeInSeconds": -1, "MaximumRetryAttempts": -1 });
    assert_eq!(settings(unlimited).unwrap(), Settings::default());
}

#[test]
fn case_87_a_window_goes_with_neither_lanes_nor_filters() {
    let filters = json!({ "Filters": [{ "Pattern": "{}" }] });
    for other in [
        json!({ "ParallelizationFactor": 2 }),
        json!({ "FilterCriteria": filters }),
    ] {
        let mut body = other;
        body["TumblingWindowInSeconds"] = 10.into();
        let refusal = settings(body).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::InvalidParameterValue);
    }
}

#[test]
fn case_54_absent_members_change_nothing_and_empty_ones_clear() {
    let old = Settings {
        max_retries: Some(3),
        filters: vec!["{}".to_owned()],
        report: true,
        on_failure: Some("arn:aws:s3:::b".to_owned()),
        metrics_config: Some(r#"{"Metrics":["EventCount"]}"#.to_owned()),
        kms_key_arn: Some("arn:aws:kms:us-east-1:000000000000:key/k".to_owned()),
        ..Settings::default()
    };
    let changed = |body: Value| Changes::read(&body).unwrap().applied_to(&old).unwrap();
    assert_eq!(changed(json!({})), old);
    let nulls = json!({ "FilterCriteria": null, "MaximumRetryAttempts": null, "BatchSize": null });
    assert_eq!(changed(nulls), old);
    assert_eq!(
        changed(json!({ "MaximumRetryAttempts": 7 })).max_retries,
        Some(7)
    );
    assert_eq!(
        changed(json!({ "MaximumRetryAttempts": -1 })).max_retries,
        None
    );
    for empty in [json!({}), json!({ "Filters": [] })] {
        assert_eq!(
            changed(json!({ "FilterCriteria": empty })).filters,
            Vec::<String>::new()
        );
    }
    assert!(!changed(json!({ "FunctionResponseTypes": [] })).report);
    for empty in [json!({}), json!({ "OnFailure": {} })] {
        assert_eq!(
            changed(json!({ "DestinationConfig": empty })).on_failure,
            None
        );
    }
    for empty in [json!({}), json!({ "Metrics": [] })] {
        assert_eq!(
            changed(json!({ "MetricsConfig": empty })).metrics_config,
            None
        );
    }
    assert_eq!(changed(json!({ "KMSKeyArn": "" })).kms_key_arn, None);
}

#[test]
fn wrong_types_and_foreign_members_are_refused() {
    for body in [
        json!([]),
        json!({ "FunctionName": 1 }),
        json!({ "FunctionName": "f", "BatchSize": "1" }),
        json!({ "FunctionName": "f", "Enabled": "yes" }),
        json!({ "FunctionName": "f", "FilterCriteria": [] }),
        json!({ "FunctionName": "f", "FunctionResponseTypes": "x" }),
        json!({ "FunctionName": "f", "StartingPositionTimestamp": "soon" }),
    ] {
        assert_eq!(
            created(body).unwrap_err().kind,
            RefusalKind::InvalidRequestContent
        );
    }
    let refusal = settings(json!({ "Queues": ["q"] })).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::InvalidParameterValue);
    let refusal = settings(json!({ "StartingPosition": "x" })).unwrap_err();
    assert_eq!(
        refusal.message,
        "1 validation error detected: Value 'x' at 'startingPosition' failed to satisfy \
         constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]"
    );
    let both = json!(["ReportBatchItemFailures", "ReportBatchItemFailures"]);
    for types in [json!(["x"]), both] {
        let refusal = settings(json!({ "FunctionResponseTypes": types })).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Validation);
    }
}

#[test]
fn case_74_too_many_or_too_long_filters_are_refused() {
    let filters = |count: usize, length: usize| {
        let filter = json!({ "Pattern": "x".repeat(length) });
        settings(json!({ "FilterCriteria": { "Filters": vec![filter; count] } }))
    };
    assert!(filters(10, 4096).is_ok());
    assert!(filters(11, 1).is_err());
    assert!(filters(1, 4097).is_err());
}

#[test]
fn a_timestamp_is_a_number_or_a_text() {
    for time in [json!(1.9), json!("1970-01-01T00:00:01.900Z")] {
        let body = json!({ "FunctionName": "f", "StartingPositionTimestamp": time });
        assert_eq!(created(body).unwrap().start.timestamp_ms, Some(1900));
    }
}

#[test]
fn an_option_stands_for_a_body() {
    let arn = |name: &str| format!("arn:{name}");
    let text = "orders=audit?BatchSize=10&ReportBatchItemFailures=true&OnFailure=file:a%20b&\
                Enabled=false&Filter=%7B%22data%22%3A%7B%7D%7D";
    let (body, address) = source_of_option(text, arn).unwrap();
    assert_eq!(address, None);
    assert_eq!(
        body,
        json!({
            "EventSourceArn": "arn:orders",
            "FunctionName": "audit",
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": 10,
            "Enabled": false,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "DestinationConfig": { "OnFailure": { "Destination": "file:a b" } },
            "FilterCriteria": { "Filters": [{ "Pattern": "{\"data\":{}}" }] },
        })
    );
    let text = "orders=http://lambda:8080?StartingPosition=LATEST";
    let (body, address) = source_of_option(text, arn).unwrap();
    assert_eq!(address.as_deref(), Some("http://lambda:8080"));
    assert_eq!(
        (&body["FunctionName"], &body["StartingPosition"]),
        (&"function".into(), &"LATEST".into())
    );
    for text in [
        "orders",
        "=f",
        "orders=",
        "orders=f?Size=1",
        "orders=f?ReportBatchItemFailures=1",
    ] {
        assert!(source_of_option(text, arn).is_err(), "{text}");
    }
}
