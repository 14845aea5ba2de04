//! Cases 50, 51, 53 to 57 and 60: Lambda's REST API.

use super::bench::{Bench, Say, bench, bench_with};
use super::refusals::refusal;
use crate::lab::{Answer, Place, Request};
use serde_json::{Value, json};

pub(super) const MAPPINGS: &str = "/2015-03-31/event-source-mappings";

/// A request of the tests' account. Its signature is complete, but not valid.
pub(super) fn request(method: &str, path: &str, body: Option<&Value>) -> Request {
    request_of("AKIAIOSFODNN7EXAMPLE", method, path, body)
}

fn request_of(key: &str, method: &str, path: &str, body: Option<&Value>) -> Request {
    let credential = format!(
        "AWS4-HMAC-SHA256 Credential={key}/20231114/us-east-1/lambda/aws4_request, \
         SignedHeaders=host, Signature=0"
    );
    let request = Request::bare(method, path)
        .header("authorization", &credential)
        .header("x-amz-date", "20231114T221320Z");
    match body {
        Some(body) => request
            .header("content-type", "application/json")
            .body(body.to_string().as_bytes()),
        None => request,
    }
}

pub(super) async fn send(bench: &Bench, method: &str, path: &str, body: Option<&Value>) -> Answer {
    bench.lab.send(&request(method, path, body)).await
}

pub(super) async fn create(bench: &Bench, settings: Value) -> Answer {
    send(bench, "POST", MAPPINGS, Some(&bench.request(settings))).await
}

pub(super) async fn created(bench: &Bench, settings: Value) -> Value {
    let answer = create(bench, settings).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.value()
}

pub(super) fn path_of(mapping: &Value) -> String {
    format!("{MAPPINGS}/{}", mapping["UUID"].as_str().unwrap())
}

pub(super) async fn got(bench: &Bench, mapping: &Value) -> Value {
    send(bench, "GET", &path_of(mapping), None).await.value()
}

pub(super) fn ok() -> impl Fn(&super::bench::Seen, usize) -> Say + Send + Sync + 'static {
    |_, _| Say::ok()
}

#[test]
fn case_50_a_mapping_is_created_and_then_enabled() {
    bench(ok(), |bench| async move {
        let shown = created(&bench, json!({})).await;
        let names: Vec<&str> = shown
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            names,
            [
                "BatchSize",
                "BisectBatchOnFunctionError",
                "DestinationConfig",
                "EventSourceArn",
                "EventSourceMappingArn",
                "FunctionArn",
                "FunctionResponseTypes",
                "LastModified",
                "LastProcessingResult",
                "MaximumBatchingWindowInSeconds",
                "MaximumRecordAgeInSeconds",
                "MaximumRetryAttempts",
                "ParallelizationFactor",
                "StartingPosition",
                "State",
                "StateTransitionReason",
                "TumblingWindowInSeconds",
                "UUID",
            ]
        );
        assert_eq!(shown["State"], "Creating");
        assert_eq!(
            shown["FunctionArn"],
            "arn:aws:lambda:us-east-1:000000000000:function:f"
        );
        assert_eq!(shown["DestinationConfig"], json!({ "OnFailure": {} }));
        assert_eq!(shown["MaximumRecordAgeInSeconds"], -1);
        assert_eq!(shown["LastModified"], 1_700_000_000.0);
        let shown = got(&bench, &shown).await;
        assert_eq!(shown["State"], "Enabled");
        // The clock begins 20 seconds after a whole minute.
        assert_eq!(shown["LastModified"], 1_699_999_980.0);
        assert_eq!(shown["LastProcessingResult"], "No records processed");
        bench.put("a").await;
        bench.drain().await;
        assert_eq!(got(&bench, &shown).await["LastProcessingResult"], "OK");
    });
}

#[test]
fn case_51_a_mapping_that_is_created_disabled_invokes_nothing() {
    bench(ok(), |bench| async move {
        let shown = created(&bench, json!({ "Enabled": false })).await;
        assert_eq!(shown["State"], "Creating");
        assert_eq!(got(&bench, &shown).await["State"], "Disabled");
        bench.put("a").await;
        bench.drain().await;
        assert!(bench.script.seen().is_empty());
        let body = json!({ "Enabled": true });
        let answer = send(&bench, "PUT", &path_of(&shown), Some(&body)).await;
        assert_eq!(answer.status, 202);
        assert_eq!(answer.value()["State"], "Enabling");
        bench.drain().await;
        assert_eq!(got(&bench, &shown).await["State"], "Enabled");
        assert_eq!(bench.script.batches(), ["a"]);
        let body = json!({ "Enabled": false });
        let answer = send(&bench, "PUT", &path_of(&shown), Some(&body)).await;
        assert_eq!(answer.value()["State"], "Disabling");
        let answer = send(&bench, "DELETE", &path_of(&shown), None).await;
        assert_eq!(
            (answer.status, &answer.value()["State"]),
            (202, &"Deleting".into())
        );
        assert_eq!(
            send(&bench, "GET", &path_of(&shown), None).await.status,
            404
        );
    });
}

#[test]
fn case_53_many_records_need_no_batching_window() {
    bench(ok(), |bench| async move {
        let shown = created(&bench, json!({ "BatchSize": 101 })).await;
        assert_eq!(shown["BatchSize"], 101);
        assert_eq!(shown["MaximumBatchingWindowInSeconds"], 0);
    });
}

#[test]
fn case_54_updates_keep_what_they_do_not_name() {
    bench(ok(), |bench| async move {
        let filters = json!({ "Filters": [{ "Pattern": "{\"data\":{\"a\":[1]}}" }] });
        let shown = created(&bench, json!({ "FilterCriteria": filters })).await;
        assert_eq!(shown["FilterCriteria"], filters);
        let path = path_of(&shown);
        let body = json!({ "MaximumRetryAttempts": 5, "BatchSize": null });
        let answer = send(&bench, "PUT", &path, Some(&body)).await;
        let updated = answer.value();
        assert_eq!(
            (answer.status, &updated["State"]),
            (202, &"Updating".into())
        );
        assert_eq!(
            (&updated["MaximumRetryAttempts"], &updated["BatchSize"]),
            (&5.into(), &10.into())
        );
        assert_eq!(updated["FilterCriteria"], filters);
        let body = json!({ "FilterCriteria": {} });
        let updated = send(&bench, "PUT", &path, Some(&body)).await.value();
        assert!(updated.get("FilterCriteria").is_none());
        assert_eq!(updated["MaximumRetryAttempts"], 5);
        let nulls = json!({
            "MaximumRetryAttempts": null, "FilterCriteria": null, "DestinationConfig": null,
            "FunctionResponseTypes": null, "FunctionName": null, "Enabled": null,
        });
        let unchanged = send(&bench, "PUT", &path, Some(&nulls)).await.value();
        assert_eq!(unchanged, updated);
        assert_eq!(got(&bench, &shown).await["State"], "Enabled");
    });
}

#[test]
fn case_55_a_mapping_in_a_passing_state_is_in_use() {
    bench_with(
        Place::Memory,
        &["--transition-ms", "500"],
        1,
        ok(),
        |bench| async move {
            bench.advance_ms(500).await;
            let shown = created(&bench, json!({})).await;
            let path = path_of(&shown);
            assert_eq!(got(&bench, &shown).await["State"], "Creating");
            for (method, action) in [("PUT", "update"), ("DELETE", "delete")] {
                let answer = send(&bench, method, &path, Some(&json!({}))).await;
                let text =
                    format!("Cannot {action} the event source mapping because it is in use.");
                let expected = (400, "ResourceInUseException".to_owned(), "Message", text);
                assert_eq!(refusal(&answer), expected);
            }
            bench.put("a").await;
            bench.settle().await;
            assert!(bench.script.seen().is_empty());
            bench.advance_ms(500).await;
            bench.settle().await;
            assert_eq!(bench.script.times(), [1_000]);
            assert_eq!(
                send(&bench, "DELETE", &path, None).await.value()["State"],
                "Deleting"
            );
            assert_eq!(got(&bench, &shown).await["State"], "Deleting");
            bench.advance_ms(500).await;
            assert_eq!(send(&bench, "GET", &path, None).await.status, 404);
        },
    );
}

#[test]
fn case_56_a_list_has_pages_and_exact_filters() {
    bench(ok(), |bench| async move {
        for number in 0..150 {
            created(
                &bench,
                json!({ "FunctionName": format!("f:v{number}"), "Enabled": false }),
            )
            .await;
        }
        let page = send(&bench, "GET", &format!("{MAPPINGS}?MaxItems=1000"), None)
            .await
            .value();
        assert_eq!(page["EventSourceMappings"].as_array().unwrap().len(), 100);
        let marker = page["NextMarker"].as_str().unwrap();
        let path = format!("{MAPPINGS}/?Marker={marker}");
        let rest = send(&bench, "GET", &path, None).await.value();
        let rest_list = rest["EventSourceMappings"].as_array().unwrap();
        assert_eq!(rest_list.len(), 50);
        assert!(rest.get("NextMarker").is_none());
        let last = rest_list.last().unwrap()["FunctionArn"].as_str().unwrap();
        assert!(last.ends_with(":f:v149"), "{last}");
        for (query, count) in [
            ("FunctionName=f%3Av7".to_owned(), 1),
            ("FunctionName=f".to_owned(), 0),
            (format!("EventSourceArn={}", bench.stream.arn()), 100),
            (format!("EventSourceArn={}x", bench.stream.arn()), 0),
        ] {
            let page = send(&bench, "GET", &format!("{MAPPINGS}?{query}"), None)
                .await
                .value();
            assert_eq!(
                page["EventSourceMappings"].as_array().unwrap().len(),
                count,
                "{query}"
            );
        }
        let answer = send(&bench, "GET", &format!("{MAPPINGS}?MaxItems=0"), None).await;
        assert_eq!(refusal(&answer).1, "ValidationException");
    });
}

#[test]
fn case_57_mappings_have_tags() {
    bench_with(Place::Disk, &[], 1, ok(), |bench| async move {
        let shown = created(&bench, json!({ "Tags": { "a": "1", "b": "2" } })).await;
        assert!(shown.get("Tags").is_none());
        let arn = shown["EventSourceMappingArn"].as_str().unwrap();
        let path = format!("/2017-03-31/tags/{}", arn.replace(':', "%3A"));
        let listed = send(&bench, "GET", &path, None).await;
        assert_eq!(
            (listed.status, listed.value()),
            (200, json!({ "Tags": { "a": "1", "b": "2" } }))
        );
        let body = json!({ "Tags": { "b": "3", "c": "" } });
        let tagged = send(&bench, "POST", &path, Some(&body)).await;
        assert_eq!((tagged.status, tagged.body.len()), (204, 0));
        let untag = format!("{path}?tagKeys=a&tagKeys=x");
        assert_eq!(send(&bench, "DELETE", &untag, None).await.status, 204);
        bench.lab.restart().await;
        let listed = send(&bench, "GET", &path, None).await;
        assert_eq!(listed.value(), json!({ "Tags": { "b": "3", "c": "" } }));
    });
}

#[test]
fn case_60_another_account_sees_no_mapping() {
    bench(ok(), |bench| async move {
        let shown = created(&bench, json!({})).await;
        let other = request_of("111111111111", "GET", &path_of(&shown), None);
        assert_eq!(bench.lab.send(&other).await.status, 404);
        let list = request_of("111111111111", "GET", MAPPINGS, None);
        let list = bench.lab.send(&list).await.value();
        assert_eq!(list, json!({ "EventSourceMappings": [] }));
        let unsigned = Request::bare("GET", MAPPINGS);
        assert_eq!(bench.lab.send(&unsigned).await.status, 403);
    });
}

#[test]
fn case_60_a_signature_for_another_service_is_refused() {
    let flags = ["--auth", "verify", "--credential", "key:secret"];
    crate::lab::run(Place::Memory, &flags, |lab| async move {
        let date = "20231114T221320Z";
        let request = Request::bare("GET", MAPPINGS)
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=key/20231114/us-east-1/kinesis/aws4_request, \
                 SignedHeaders=host, Signature=0",
            )
            .header("x-amz-date", date);
        let answer = lab.send(&request).await;
        assert_eq!(answer.status, 403);
        let text = answer.value()["message"].as_str().unwrap().to_owned();
        assert!(text.contains("correct service: 'lambda'"), "{text}");
    });
}

#[test]
fn people_see_what_mappings_do() {
    bench(
        |_, number| if number == 1 { Say::Fail } else { Say::ok() },
        |bench| async move {
            let shown = created(&bench, json!({ "MaximumRetryAttempts": 0, "BatchSize": 1 })).await;
            let uuid = shown["UUID"].as_str().unwrap();
            bench.put_all(&["bad", "good"]).await;
            let own = |method: &str, path: &str| {
                Request::bare(method, &format!("/_minikin/event-sources{path}"))
            };
            let drained = bench
                .lab
                .send(&own("POST", "/drain").body(br#"{"advance":true}"#))
                .await;
            assert_eq!(
                (drained.status, &drained.value()["drained"]),
                (200, &true.into())
            );
            let list = bench.lab.send(&own("GET", "")).await.value();
            assert_eq!(list["event_sources"][0]["UUID"], uuid);
            assert_eq!(list["event_sources"][0]["Failures"], 1);
            let one = bench
                .lab
                .send(&own("GET", &format!("/{uuid}")))
                .await
                .value();
            assert_eq!(one["Shards"][0]["Status"], "idle");
            assert_eq!(one["Shards"][0]["MillisBehind"], 0);
            let failures = bench
                .lab
                .send(&own("GET", &format!("/{uuid}/failures")))
                .await
                .value();
            let payload = failures["failures"][0]["Payload"].as_str().unwrap();
            assert!(
                payload.contains("YmFk"),
                "the data of the bad record: {payload}"
            );
            let events = bench
                .lab
                .send(&own("GET", &format!("/{uuid}/events?after=2")))
                .await
                .value();
            assert_eq!(events["events"][0]["Number"], 3);
            let lines = bench
                .lab
                .send(&own("GET", &format!("/{uuid}/events?format=ndjson")))
                .await;
            assert!(lines.text().lines().count() > 5);
            assert_eq!(
                bench
                    .lab
                    .send(&own("POST", &format!("/{uuid}/reset")))
                    .await
                    .status,
                204
            );
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["bad", "good", "bad", "good"]);
            assert_eq!(bench.lab.send(&own("GET", "/x")).await.status, 404);
            let metrics = bench
                .lab
                .send(&Request::bare("GET", "/_minikin/metrics"))
                .await;
            let counted =
                format!("minikin_esm_dropped_records_total{{mapping=\"{uuid}\",function=\"f\"}} 1");
            assert!(metrics.text().contains(&counted), "{}", metrics.text());
        },
    );
}
