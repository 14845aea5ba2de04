//! Case 52: refusals of Lambda's API, their texts and the order of the checks.

use super::api::{MAPPINGS, create, created, got, ok, path_of, request, send};
use super::bench::bench;
use crate::lab::Answer;
use serde_json::{Value, json};

/// A refusal: the status, the exception, the name of the message's member, and the message.
pub(super) fn refusal(answer: &Answer) -> (u16, String, &'static str, String) {
    let error = answer.header("x-amzn-errortype").unwrap().to_owned();
    let body = answer.value();
    let member = if body.get("message").is_some() {
        "message"
    } else {
        "Message"
    };
    (
        answer.status,
        error,
        member,
        body[member].as_str().unwrap().to_owned(),
    )
}

#[test]
fn case_52_refusals_are_the_services() {
    bench(ok(), |bench| async move {
        let arn = bench.stream.arn();
        let nowhere = arn.replace("/s", "/t");
        let invalid = "InvalidParameterValueException";
        let future_ms = bench.lab.clock.now_ms() + 1_000;
        let cases = [
            (json!({ "EventSourceArn": null }), 400, invalid, "Unrecognized event source.".to_owned()),
            (json!({ "FunctionName": "g2" }), 400, invalid, "Function does not exist".to_owned()),
            (json!({ "EventSourceArn": nowhere }), 400, invalid, format!("Stream not found: {nowhere}")),
            (json!({ "StartingPosition": null }), 400, invalid, "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.".to_owned()),
            (json!({ "StartingPosition": "x" }), 400, "ValidationException", "1 validation error detected: Value 'x' at 'startingPosition' failed to satisfy constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]".to_owned()),
            (json!({ "StartingPosition": "AT_TIMESTAMP" }), 400, invalid, "Need to specify a timestamp".to_owned()),
            (json!({ "StartingPositionTimestamp": 1 }), 400, invalid, "Timestamp only valid with StartingPosition AT_TIMESTAMP".to_owned()),
            (json!({ "StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": future_ms as f64 / 1000.0 }), 400, invalid, format!("Received Exception while reading from provided stream. The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: {future_ms}, currentTimestampInMillis: {}", future_ms - 1_000)),
            (json!({ "DestinationConfig": { "OnSuccess": { "Destination": "arn:aws:s3:::b" } } }), 400, invalid, "Unsupported DestinationConfig parameter for given event source mapping type.".to_owned()),
            (json!({ "FilterCriteria": { "Filters": [{ "Pattern": "x" }] } }), 400, invalid, "Invalid filter pattern definition.".to_owned()),
            (json!({ "FilterCriteria": { "Filters": [{ "Pattern": "{\"data\":\"x\"}" }] } }), 400, invalid, "Invalid filter pattern definition.".to_owned()),
            (json!({ "FunctionName": null }), 400, "ValidationException", "1 validation error detected: Value null at 'functionName' failed to satisfy constraint: Member must not be null".to_owned()),
            (json!({ "ParallelizationFactor": 0 }), 400, "ValidationException", "1 validation error detected: Value '0' at 'parallelizationFactor' failed to satisfy constraint: Member must have value greater than or equal to 1".to_owned()),
            (json!({ "BatchSize": 10_001 }), 400, "ValidationException", "1 validation error detected: Value '10001' at 'batchSize' failed to satisfy constraint: Member must have value less than or equal to 10000".to_owned()),
        ];
        for (settings, status, error, text) in cases {
            let answer = create(&bench, settings).await;
            assert_eq!(
                refusal(&answer),
                (status, error.to_owned(), "message", text)
            );
            let has_type = answer.value().get("Type").is_some();
            assert_eq!(has_type, error != "ValidationException");
        }
        let shown = created(&bench, json!({})).await;
        let uuid = shown["UUID"].as_str().unwrap();
        let text = format!(
            "The event source arn (\" {arn} \") and function (\" f \") provided mapping already exists. Please update or delete the existing mapping with UUID {uuid}"
        );
        let conflict = refusal(&create(&bench, json!({})).await);
        assert_eq!(
            conflict,
            (409, "ResourceConflictException".to_owned(), "message", text)
        );
        let alias = create(&bench, json!({ "FunctionName": "f:prod" })).await;
        assert_eq!(alias.status, 202, "an alias is another function");
    });
}

#[test]
fn case_52_unknown_mappings_and_operations_are_refused() {
    bench(ok(), |bench| async move {
        let unknown = format!("{MAPPINGS}/6f9e0000-0000-4000-8000-000000000000");
        let text = "The resource you requested does not exist.".to_owned();
        for (method, body) in [("GET", None), ("DELETE", None), ("PUT", Some(json!({})))] {
            let answer = send(&bench, method, &unknown, body.as_ref()).await;
            let expected = (
                404,
                "ResourceNotFoundException".to_owned(),
                "Message",
                text.clone(),
            );
            assert_eq!(refusal(&answer), expected, "{method}");
        }
        let arn = "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:6f9e0000-0000-4000-8000-000000000000";
        let answer = send(&bench, "GET", &format!("/2017-03-31/tags/{arn}"), None).await;
        let text = format!("Event source mapping not found: {arn}");
        assert_eq!(
            refusal(&answer),
            (404, "ResourceNotFoundException".to_owned(), "Message", text)
        );
        let wrong = format!("{arn}0");
        let account = arn.replace("000000000000:", "00000000000x:");
        for arn in ["x", wrong.as_str(), account.as_str()] {
            let answer = send(&bench, "GET", &format!("/2017-03-31/tags/{arn}"), None).await;
            let (status, error, member, text) = refusal(&answer);
            assert_eq!(
                (status, error.as_str(), member),
                (400, "ValidationException", "message")
            );
            let start = format!(
                "1 validation error detected: Value '{arn}' at 'resource' failed to satisfy \
                 constraint: Member must satisfy regular expression pattern: arn:"
            );
            assert!(text.starts_with(&start), "{text}");
            assert!(answer.value().get("Type").is_none());
        }
        for (method, query, body) in [
            ("POST", "", Some(json!({ "Tags": { "a": "b" } }))),
            ("DELETE", "?tagKeys=a", None),
        ] {
            let path = format!("/2017-03-31/tags/{arn}{query}");
            let answer = send(&bench, method, &path, body.as_ref()).await;
            assert_eq!(refusal(&answer).0, 404, "{method}");
        }
        let answer = send(&bench, "DELETE", &format!("/2017-03-31/tags/{arn}"), None).await;
        assert!(refusal(&answer).3.contains("Value null at 'tagKeys'"));
        let answer = send(&bench, "GET", "/2015-03-31/functions/", None).await;
        assert_eq!(
            (answer.status, refusal(&answer).1.as_str()),
            (404, "UnknownOperationException")
        );
        let mut wrong = request("POST", MAPPINGS, Some(&json!({})));
        wrong = wrong.body(b"no json");
        let answer = bench.lab.send(&wrong).await;
        assert_eq!(refusal(&answer).1, "InvalidRequestContentException");
    });
}

/// Settings that are refused with texts of minikin.
fn refused_in_own_words() -> [Value; 12] {
    let destination =
        |arn: &str| json!({ "DestinationConfig": { "OnFailure": { "Destination": arn } } });
    [
        json!({ "MaximumRecordAgeInSeconds": 0 }),
        json!({ "MaximumRecordAgeInSeconds": 59 }),
        json!({ "TumblingWindowInSeconds": 10, "ParallelizationFactor": 2 }),
        json!({
            "TumblingWindowInSeconds": 10,
            "FilterCriteria": { "Filters": [{ "Pattern": "{}" }] },
        }),
        json!({ "FilterCriteria": { "Filters": vec![json!({ "Pattern": "{}" }); 11] } }),
        json!({ "Queues": ["q"] }),
        json!({ "ProvisionedPollerConfig": { "MinimumPollers": 1 } }),
        destination("arn:aws:sqs:us-east-1:000000000000:dead.fifo"),
        destination("arn:aws:sns:us-east-1:000000000000:dead.fifo"),
        destination("file:dead.jsonl"),
        destination("arn:aws:dynamodb:us-east-1:000000000000:table/dead"),
        destination("dead"),
    ]
}

#[test]
fn case_52_other_refusals_have_the_services_exception() {
    bench(ok(), |bench| async move {
        let shown = created(&bench, json!({})).await;
        let before = got(&bench, &shown).await;
        let foreign = [
            "arn:aws:sqs:us-east-1:000000000000:q",
            "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000",
            "arn:aws:kafka:us-east-1:000000000000:cluster/c/6f9e0000-0000-4000-8000-000000000000-1",
            "s",
        ];
        let foreign = foreign.map(|arn| json!({ "EventSourceArn": arn }));
        let both = refused_in_own_words();
        for settings in both.iter().chain(&foreign) {
            let mut settings = settings.clone();
            settings["FunctionName"] = "g".into();
            let answer = create(&bench, settings.clone()).await;
            let (status, error, member, text) = refusal(&answer);
            let expected = (400, "InvalidParameterValueException", "message");
            assert_eq!((status, error.as_str(), member), expected, "{settings}");
            assert!(!text.is_empty() && answer.value()["Type"] == "User");
        }
        for changes in &both {
            let answer = send(&bench, "PUT", &path_of(&shown), Some(changes)).await;
            assert_eq!(refusal(&answer).0, 400, "{changes}");
        }
        let list = send(&bench, "GET", MAPPINGS, None).await.value();
        assert_eq!(
            list["EventSourceMappings"],
            json!([before]),
            "nothing was changed"
        );
    });
}

#[test]
fn case_52_an_update_is_refused_as_a_creation_is() {
    bench(ok(), |bench| async move {
        let shown = created(&bench, json!({})).await;
        let other = created(&bench, json!({ "FunctionName": "g" })).await;
        let before = [got(&bench, &shown).await, got(&bench, &other).await];
        let (arn, uuid) = (bench.stream.arn(), shown["UUID"].as_str().unwrap());
        let conflict = format!(
            "The event source arn (\" {arn} \") and function (\" f \") provided mapping already exists. Please update or delete the existing mapping with UUID {uuid}"
        );
        let pattern = json!({ "Filters": [{ "Pattern": "x" }] });
        let on_success = json!({ "OnSuccess": { "Destination": "arn:aws:s3:::b" } });
        let cases = [
            (
                json!({ "BatchSize": 0 }),
                400,
                "Member must have value greater than or equal to 1",
            ),
            (
                json!({ "FunctionName": "unknown" }),
                400,
                "Function does not exist",
            ),
            (
                json!({ "FunctionName": "a b" }),
                400,
                "at 'functionName' failed",
            ),
            (
                json!({ "DestinationConfig": on_success }),
                400,
                "Unsupported DestinationConfig",
            ),
            (
                json!({ "FilterCriteria": pattern }),
                400,
                "Invalid filter pattern definition.",
            ),
            (json!({ "FunctionName": "f" }), 409, &conflict),
            (json!([]), 400, "Could not parse request body into json"),
        ];
        for (changes, status, text) in cases {
            let answer = send(&bench, "PUT", &path_of(&other), Some(&changes)).await;
            let reason = refusal(&answer);
            assert!(
                reason.0 == status && reason.3.contains(text),
                "{changes}: {reason:?}"
            );
        }
        assert_eq!(
            [got(&bench, &shown).await, got(&bench, &other).await],
            before
        );
        // The present function of the mapping causes no conflict.
        let own = json!({ "FunctionName": "g" });
        let answer = send(&bench, "PUT", &path_of(&other), Some(&own)).await;
        assert_eq!(answer.status, 202);
    });
}

/// Each request also has the mistakes of all requests after it.
#[test]
fn case_52_checks_come_in_the_services_order() {
    bench(ok(), |bench| async move {
        created(&bench, json!({})).await;
        let arn = bench.stream.arn();
        let nowhere = arn.replace("/s", "/t");
        let mut wrong = json!({
            "BatchSize": 0,
            "EventSourceArn": null,
            "FunctionName": "unknown",
            "StartingPosition": null,
            "DestinationConfig": { "OnSuccess": { "Destination": "arn:aws:s3:::b" } },
            "FilterCriteria": { "Filters": [{ "Pattern": "x" }] },
        });
        let future_s = (bench.lab.clock.now_ms() + 1_000) as f64 / 1000.0;
        let mends = [
            ("Value '0' at 'batchSize'", "BatchSize", json!(10)),
            (
                "Unrecognized event source.",
                "EventSourceArn",
                json!(nowhere),
            ),
            ("Function does not exist", "FunctionName", json!("f")),
            (
                "Value null at 'startingPosition'",
                "StartingPosition",
                json!("AT_TIMESTAMP"),
            ),
            (
                "Need to specify a timestamp",
                "StartingPositionTimestamp",
                json!(future_s),
            ),
            (
                "cannot be greater than the current",
                "StartingPosition",
                json!("LATEST"),
            ),
            (
                "Timestamp only valid with",
                "StartingPositionTimestamp",
                json!(null),
            ),
            ("Stream not found: ", "EventSourceArn", json!(arn)),
            (
                "Unsupported DestinationConfig",
                "DestinationConfig",
                json!({}),
            ),
            ("Invalid filter pattern", "FilterCriteria", json!({})),
            (
                "provided mapping already exists",
                "FunctionName",
                json!("g"),
            ),
        ];
        for (text, member, value) in mends {
            let reason = refusal(&create(&bench, wrong.clone()).await);
            assert!(reason.3.contains(text), "{text}: {reason:?}");
            wrong[member] = value;
        }
        assert_eq!(create(&bench, wrong).await.status, 202);
        let list = send(&bench, "GET", MAPPINGS, None).await.value();
        assert_eq!(list["EventSourceMappings"].as_array().unwrap().len(), 2);
    });
}
