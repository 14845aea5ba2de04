//! The list of fault rules: adding, replacing and removing rules, and the refusal of rules that
//! could never fire.

use super::{FAULTS, add, hits, send};
use crate::lab::{block_on, wire_test};
use minikin::{Emulator, FaultKind, FaultRule, FaultRuleError, Options};
use serde_json::{Value, json};

wire_test!(rules_are_listed_replaced_and_removed, |lab| async move {
    assert_eq!(
        send(&lab, "GET", FAULTS, &Value::Null).await,
        (200, json!({"faults": []}))
    );
    let one = json!({"kind": "throttle", "operations": ["PutRecord"], "percent": 12.5});
    let first = add(&lab, one.clone()).await;
    let two = json!([{"kind": "delay", "delay_ms": 5}, {"kind": "drop-answer", "times": 1, "operations": ["PutRecord"]}]);
    let (status, added) = send(&lab, "POST", FAULTS, &two).await;
    assert_eq!(
        (status, added["faults"].as_array().unwrap().len()),
        (200, 2)
    );
    let (_, listed) = send(&lab, "GET", FAULTS, &Value::Null).await;
    let mut expected = one;
    expected["id"] = json!(first);
    expected["hits"] = json!(0);
    assert_eq!(listed["faults"][0], expected);
    assert_eq!(hits(&lab).await, [0, 0, 0]);
    let path = format!("{FAULTS}/{first}");
    assert_eq!(send(&lab, "DELETE", &path, &Value::Null).await.0, 204);
    let gone = json!({"message": format!("there is no fault rule {first}")});
    assert_eq!(send(&lab, "DELETE", &path, &Value::Null).await, (404, gone));
    let only = json!({"kind": "unavailable", "until": 1_900_000_000});
    let (status, replaced) = send(&lab, "PUT", FAULTS, &only).await;
    assert_eq!(
        (status, &replaced["faults"][0]["until"]),
        (200, &json!("2030-03-17T17:46:40Z"))
    );
    assert_eq!(hits(&lab).await, [0]);
    assert_eq!(send(&lab, "DELETE", FAULTS, &Value::Null).await.0, 204);
    assert_eq!(hits(&lab).await, [0; 0]);
});

wire_test!(
    a_rule_that_cannot_work_is_refused_with_the_reason_and_changes_nothing,
    |lab| async move {
        let kept = add(
            &lab,
            json!({"kind": "throttle", "operations": ["PutRecord"]}),
        )
        .await;
        for (rule, reason) in [
            (json!({}), "a fault rule needs a kind"),
            (
                json!({"kind": "explode"}),
                "kind: there is no such kind; choose throughput-exceeded, ",
            ),
            (
                json!({"kind": "throttle", "chance": 5}),
                "chance: there is no such member; choose kind, ",
            ),
            (
                json!({"kind": "throttle", "percent": 0}),
                "percent: 0 is not above 0",
            ),
            (
                json!({"kind": "throttle", "percent": 101}),
                "percent: 101 is not",
            ),
            (
                json!({"kind": "throttle", "times": 0}),
                "times: this has to be at least 1",
            ),
            (
                json!({"kind": "throttle", "times": -1}),
                "times: this has to be a whole number, 0 or more",
            ),
            (
                json!({"kind": "throttle", "operations": []}),
                "operations: the list is empty",
            ),
            (
                json!({"kind": "throttle", "operations": ["putrecord"]}),
                "there is no operation putrecord",
            ),
            (
                json!({"kind": "expired-iterator", "operations": ["PutRecord"]}),
                "expired-iterator hits GetRecords, not PutRecord",
            ),
            (
                json!({"kind": "throttle", "stream": "s", "operations": ["ListStreams"]}),
                "ListStreams does not act on a single stream",
            ),
            (
                json!({"kind": "throttle", "stream": "s", "operations": ["ListQueues"]}),
                "ListQueues does not act on a single stream",
            ),
            (
                json!({"kind": "throttle", "stream": "s", "operations": ["ListChannels"]}),
                "ListChannels does not act on a single stream",
            ),
            (
                json!({"kind": "kms", "code": "KMSDisabledException",
                    "operations": ["AcknowledgeQueueRecords"]}),
                "kms hits CreateChannel, ",
            ),
            (
                json!({"kind": "throttle", "stream": ""}),
                r#"stream: "" is not the name or the ARN of a stream"#,
            ),
            (
                json!({"kind": "throttle", "stream": "a b"}),
                r#"stream: "a b" is not the name or the ARN of a stream"#,
            ),
            (
                json!({"kind": "throttle", "stream": "arn:foo"}),
                r#"stream: "arn:foo" is not the name or the ARN of a stream"#,
            ),
            (
                json!(vec![json!({"kind": "throttle"}); 1001]),
                "an emulator has at most 1000 fault rules",
            ),
            (
                json!({"kind": "throttle", "shard": "0", "operations": ["CreateStream"]}),
                "CreateStream does not act on a shard",
            ),
            (
                json!({"kind": "throttle", "shard": "first"}),
                "first is not a shard id",
            ),
            (
                json!({"kind": "throttle", "until": "2020-01-01T00:00:00Z"}),
                "until: this time is in the past",
            ),
            (
                json!({"kind": "throttle", "until": "soon"}),
                "until: this has to be a time: 2026-01-31T12:00:00Z or",
            ),
            (
                json!({"kind": "throttle", "delay_ms": 5}),
                "delay_ms: a rule of kind throttle has no such member",
            ),
            (
                json!({"kind": "throttle", "code": "X"}),
                "code: a rule of kind throttle has no such member",
            ),
            (
                json!({"kind": "kms"}),
                "code: kms takes one of KMSAccessDeniedException",
            ),
            (
                json!({"kind": "fail-entries", "code": "X"}),
                "code: fail-entries takes one of InternalFailure",
            ),
            (
                json!([{"kind": "throttle"}, {"kind": "delay"}]),
                "a delay of at least 1 ms is needed",
            ),
            (
                json!("throttle"),
                "the body is a fault rule or a list of rules",
            ),
        ] {
            for method in ["POST", "PUT"] {
                let (status, refusal) = send(&lab, method, FAULTS, &rule).await;
                let message = refusal["message"].as_str().unwrap();
                assert_eq!(status, 400, "{rule}");
                assert!(message.contains(reason), "{rule}: {message}");
            }
        }
        let (_, listed) = send(&lab, "GET", FAULTS, &Value::Null).await;
        assert_eq!(listed["faults"].as_array().unwrap().len(), 1);
        assert_eq!(listed["faults"][0]["id"], kept);
    }
);

#[test]
fn rules_are_added_and_removed_from_rust() {
    block_on(async {
        let options = Options {
            port: 0,
            ..Options::default()
        };
        let emulator = Emulator::start(options).await.unwrap();
        let delay = FaultRule::of(FaultKind::Delay);
        assert_eq!(
            emulator.add_fault_rules(vec![delay]),
            Err(FaultRuleError::NoDelay)
        );
        let rule = FaultRule {
            percent: Some(25.0),
            ..FaultRule::of(FaultKind::ThroughputExceeded)
        };
        let added = emulator
            .add_fault_rules(vec![rule.clone(), rule.clone()])
            .unwrap();
        assert_eq!((added.len(), &added[0].rule), (2, &rule));
        assert!(emulator.remove_fault_rule(added[0].id));
        assert!(!emulator.remove_fault_rule(added[0].id));
        assert_eq!(emulator.fault_rules(), added[1..]);
        emulator.clear_fault_rules();
        assert_eq!(emulator.fault_rules(), []);
        emulator.stop().await.unwrap();
    });
}
