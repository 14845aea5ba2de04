//! Repeated invocations with a discarded batch, and fault rules for invocations and deliveries.

use super::bench::{Bench, Say, bench};
use crate::looking::own;
use minikin::{FaultKind, FaultRule};
use serde_json::{Value, json};

async fn redeliver(bench: &Bench, uuid: &str, number: &str) -> (u16, Value) {
    let path = format!("event-sources/{uuid}/failures/{number}/redeliver");
    own(&bench.lab, "POST", &path, "").await
}

#[test]
fn a_discarded_batch_is_delivered_again_on_request() {
    let rule = |_: &super::bench::Seen, number| match number {
        1 | 2 => Say::Fail,
        3 => Say::failures(&["none"]),
        _ => Say::Answer("\"fine\"".to_owned()),
    };
    bench(rule, |bench| async move {
        let mapping = bench.map(json!({
            "MaximumRetryAttempts": 0,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        }));
        bench.put_all(&["a", "b"]).await;
        bench.drain().await;
        let uuid = mapping.uuid.to_string();
        let position = Bench::position(&mapping);
        for (outcome, status) in [
            ("function error", json!(200)),
            ("failed by report", json!(200)),
            ("success", json!(200)),
        ] {
            let (answered, answer) = redeliver(&bench, &uuid, "1").await;
            assert_eq!(answered, 200, "{answer}");
            assert_eq!(
                (&answer["Outcome"], &answer["Status"]),
                (&json!(outcome), &status)
            );
        }
        let seen = bench.script.seen();
        assert_eq!(seen.len(), 4);
        assert!(seen.iter().all(|again| again.body == seen[0].body));
        assert!(
            seen[1..]
                .iter()
                .all(|again| again.attempt == 1 && again.id != seen[0].id)
        );
        assert_eq!(Bench::position(&mapping), position);
        assert_eq!(mapping.failures().len(), 1);
        for action in ["failures/1/redeliver", "reset"] {
            let path = format!("event-sources/{uuid}/{action}");
            let (answered, answer) = own(&bench.lab, "POST", &path, "{\"all\": true}").await;
            assert_eq!(answered, 400, "{answer}");
        }
        for (uuid, number, status) in [
            (&*uuid, "2", 404),
            (&uuid, "x", 400),
            ("x", "1", 404),
            ("00000000-0000-4000-8000-000000000000", "1", 404),
        ] {
            let (answered, answer) = redeliver(&bench, uuid, number).await;
            assert_eq!(answered, status, "{answer}");
            assert!(answer["message"].is_string());
        }
        assert_eq!(bench.script.seen().len(), 4);
    });
}

/// The hits of all rules.
async fn hits(bench: &Bench) -> Vec<u64> {
    let (_, listed) = own(&bench.lab, "GET", "faults", "").await;
    let rules = listed["faults"].as_array().unwrap().iter();
    rules.map(|rule| rule["hits"].as_u64().unwrap()).collect()
}

#[test]
fn fault_rules_hit_invocations() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            let rules = json!([
                {"kind": "invoke", "stream": "other"},
                {"kind": "invoke", "stream": "s", "times": 1},
                {"kind": "invoke", "code": "lost", "shard": "shardId-000000000000", "times": 1},
                {"kind": "invoke", "delay_ms": 5_000, "times": 1},
            ]);
            let (status, answer) = own(&bench.lab, "POST", "faults", &rules.to_string()).await;
            assert_eq!(status, 200, "{answer}");
            bench.map(json!({}));
            bench.put("a").await;
            bench.advance_ms(10_000).await;
            bench.drain().await;
            // At 0 ms, the function is not reached, and no attempt is used. At 200 ms, the answer
            // is lost. At 400 ms, the invocation is delayed by 5 s.
            let attempts: Vec<u32> = bench
                .script
                .seen()
                .iter()
                .map(|seen| seen.attempt)
                .collect();
            assert_eq!(attempts, [1, 2]);
            let times = bench.script.times();
            assert_eq!(times[1] - times[0], 5_200, "{times:?}");
            assert_eq!(hits(&bench).await, [0, 1, 1, 1]);
        },
    );
}

#[test]
fn a_fault_rule_keeps_a_record_from_its_destination() {
    bench(
        |_, _| Say::Fail,
        |bench| async move {
            let sink = bench.lab.stream("sink").create().await;
            let mapping = bench.map(json!({
                "BatchSize": 1,
                "MaximumRetryAttempts": 0,
                "DestinationConfig": {"OnFailure": {"Destination": sink.arn()}},
            }));
            let (status, answer) = own(
                &bench.lab,
                "POST",
                "faults",
                r#"{"kind": "deliver", "times": 1}"#,
            )
            .await;
            assert_eq!(status, 200, "{answer}");
            bench.put_all(&["a", "b"]).await;
            bench.drain().await;
            assert_eq!(sink.read_all().await.len(), 1);
            assert_eq!(mapping.failures().len(), 2);
            assert_eq!(hits(&bench).await, [1]);
        },
    );
}

#[test]
fn a_rule_of_a_mapping_that_cannot_work_is_refused() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            for (rule, reason) in [
                (
                    json!({"kind": "invoke", "operations": ["PutRecord"]}),
                    "operations: a rule of kind invoke has no such member",
                ),
                (
                    json!({"kind": "invoke", "code": "gone"}),
                    "code: invoke takes one of lost, not-reached",
                ),
                (
                    json!({"kind": "invoke", "code": "lost", "delay_ms": 1}),
                    "delay_ms: a rule cannot have both a delay and a code",
                ),
                (
                    json!({"kind": "deliver", "code": "lost"}),
                    "code: a rule of kind deliver has no such member",
                ),
                (
                    json!({"kind": "deliver", "delay_ms": 0}),
                    "delay_ms: a delay of at least 1 ms is needed",
                ),
            ] {
                let (status, answer) = own(&bench.lab, "POST", "faults", &rule.to_string()).await;
                let expected = format!("line 1: {reason}");
                assert_eq!(
                    (status, answer["message"].as_str()),
                    (400, Some(&*expected))
                );
            }
            assert_eq!(hits(&bench).await, [0; 0]);
        },
    );
}

/// A rule that Rust code adds hits only invocations, and no other calls.
#[test]
fn a_rule_of_invocations_hits_no_call() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            let rule = FaultRule::of(FaultKind::Invoke);
            let (status, _) = own(
                &bench.lab,
                "POST",
                "faults",
                &serde_json::to_string(&rule).unwrap(),
            )
            .await;
            assert_eq!(status, 200);
            bench.put("a").await;
            assert_eq!(bench.stream.read_all().await.len(), 1);
            assert_eq!(hits(&bench).await, [0]);
        },
    );
}
