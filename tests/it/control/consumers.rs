//! The registry of consumers.

mod listing;

use super::{
    ACCOUNT, START_S, arn_of, no_consumer, not_found, ok, ok_cbor, refused, restart, summary,
};
use crate::lab::{Lab, kinesis_test, ms, seconds, wire_test};
use serde_json::{Value, json};

fn by_name(name: &str) -> Value {
    json!({"StreamARN": arn_of("s"), "ConsumerName": name})
}

fn consumer_arn(name: &str, created_s: u64) -> String {
    format!("{}/consumer/{name}:{created_s}", arn_of("s"))
}

async fn register(lab: &Lab, name: &str) -> String {
    let got = ok(lab, "RegisterStreamConsumer", by_name(name)).await;
    got["Consumer"]["ConsumerARN"].as_str().unwrap().to_owned()
}

async fn describe(lab: &Lab, body: Value) -> Value {
    let got = ok(lab, "DescribeStreamConsumer", body.clone()).await;
    assert_eq!(ok_cbor(lab, "DescribeStreamConsumer", body).await, got);
    got["ConsumerDescription"].clone()
}

async fn names(lab: &Lab) -> Vec<String> {
    let got = ok(
        lab,
        "ListStreamConsumers",
        json!({"StreamARN": arn_of("s")}),
    )
    .await;
    let name = |consumer: &Value| consumer["ConsumerName"].as_str().unwrap().to_owned();
    got["Consumers"]
        .as_array()
        .unwrap()
        .iter()
        .map(name)
        .collect()
}

kinesis_test!(
    a_consumer_is_created_used_and_deleted_in_its_own_time,
    ["--transition-ms", "500"],
    |lab| async move {
        lab.stream("s").create().await;
        lab.clock.advance(ms(1_700)).await;
        let arn = consumer_arn("c", START_S + 1);
        let got = ok_cbor(&lab, "RegisterStreamConsumer", by_name("c")).await;
        let consumer = |status: &str| {
            json!({
                "ConsumerName": "c",
                "ConsumerARN": arn,
                "ConsumerStatus": status,
                "ConsumerCreationTimestamp": (START_S + 1) as f64,
            })
        };
        let described = |status: &str| {
            let mut expected = consumer(status);
            expected["StreamARN"] = arn_of("s").into();
            expected
        };
        assert!(same(&got["Consumer"], &consumer("CREATING")), "{got}");
        assert!(same(
            &describe(&lab, by_name("c")).await,
            &described("CREATING")
        ));
        let got = ok(
            &lab,
            "ListStreamConsumers",
            json!({"StreamARN": arn_of("s")}),
        )
        .await;
        assert!(same(&got["Consumers"][0], &consumer("CREATING")), "{got}");
        assert!(got.get("NextToken").is_none());
        lab.clock.advance(ms(500)).await;
        let by_arn = json!({"ConsumerARN": arn});
        assert!(same(
            &describe(&lab, by_arn.clone()).await,
            &described("ACTIVE")
        ));
        assert_eq!(summary(&lab, "s").await["ConsumerCount"], 1);
        let left = ok_cbor(&lab, "DeregisterStreamConsumer", by_arn.clone()).await;
        assert_eq!(left, Value::Null);
        assert!(same(
            &describe(&lab, by_arn.clone()).await,
            &described("DELETING")
        ));
        let got = refused(&lab, "DeregisterStreamConsumer", by_arn.clone()).await;
        assert!(
            got.starts_with("ResourceInUseException: Consumer c with creation"),
            "{got}"
        );
        let got = refused(&lab, "RegisterStreamConsumer", by_name("c")).await;
        assert!(got.contains("already exists"), "{got}");
        lab.clock.advance(ms(500)).await;
        assert_eq!(
            refused(&lab, "DescribeStreamConsumer", by_arn).await,
            no_consumer(&arn)
        );
        assert_eq!(names(&lab).await, Vec::<String>::new());
        assert_eq!(summary(&lab, "s").await["ConsumerCount"], 0);
    }
);

/// Compares two consumers. A time may be a whole number in one of them and a decimal number in the
/// other.
fn same(one: &Value, other: &Value) -> bool {
    let plain = |value: &Value| {
        let mut value = value.clone();
        let created = value["ConsumerCreationTimestamp"].as_f64().unwrap();
        value["ConsumerCreationTimestamp"] = created.into();
        value
    };
    plain(one) == plain(other)
}

disk_test!(
    a_restart_goes_on_with_consumers_where_they_stood,
    ["--transition-ms", "500"],
    |lab| async move {
        lab.stream("s").create().await;
        lab.clock.advance(ms(500)).await;
        let leaving = register(&lab, "leaving").await;
        lab.clock.advance(ms(500)).await;
        let coming = register(&lab, "coming").await;
        ok(
            &lab,
            "DeregisterStreamConsumer",
            json!({"ConsumerARN": leaving}),
        )
        .await;
        lab.clock.advance(ms(200)).await;
        restart(&lab).await;
        for (arn, expected) in [(&coming, "CREATING"), (&leaving, "DELETING")] {
            let got = describe(&lab, json!({"ConsumerARN": arn})).await;
            assert_eq!(got["ConsumerStatus"], expected);
        }
        lab.clock.advance(ms(300)).await;
        assert_eq!(names(&lab).await, ["coming"]);
        let got = describe(&lab, json!({"ConsumerARN": coming})).await;
        assert_eq!(got["ConsumerStatus"], "ACTIVE");
    }
);

kinesis_test!(a_name_registered_again_has_another_arn, |lab| async move {
    lab.stream("s").create().await;
    let first = register(&lab, "c").await;
    assert_eq!(first, consumer_arn("c", START_S));
    let expected = format!(
        "ResourceInUseException: Consumer c under stream s already exists for account {ACCOUNT}."
    );
    assert_eq!(
        refused(&lab, "RegisterStreamConsumer", by_name("c")).await,
        expected
    );
    ok(&lab, "DeregisterStreamConsumer", by_name("c")).await;
    lab.clock.advance(seconds(1)).await;
    let second = register(&lab, "c").await;
    assert_eq!(second, consumer_arn("c", START_S + 1));
    for operation in ["DescribeStreamConsumer", "DeregisterStreamConsumer"] {
        let got = refused(&lab, operation, json!({"ConsumerARN": first})).await;
        assert_eq!(got, no_consumer(&first), "{operation}");
    }
    let got = refused(&lab, "ListTagsForResource", json!({"ResourceARN": first})).await;
    assert_eq!(got, no_consumer(&first));
    assert_eq!(describe(&lab, by_name("c")).await["ConsumerARN"], second);
    if restart(&lab).await {
        assert_eq!(describe(&lab, by_name("c")).await["ConsumerARN"], second);
    }
});

wire_test!(
    a_consumer_is_named_by_its_arn_or_by_stream_and_name,
    |lab| async move {
        lab.stream("s").create().await;
        lab.stream("t").create().await;
        let arn = register(&lab, "c").await;
        register(&lab, "d").await;
        for body in [
            json!({"ConsumerARN": arn}),
            json!({"ConsumerARN": arn, "StreamARN": arn_of("s")}),
            json!({"ConsumerARN": arn, "ConsumerName": "c"}),
            json!({"ConsumerARN": arn, "StreamARN": arn_of("s"), "ConsumerName": "c"}),
            by_name("c"),
        ] {
            assert_eq!(describe(&lab, body).await["ConsumerARN"], arn);
        }
        let none = "InvalidArgumentException: Must specify either ConsumerARN or both StreamARN and \
                ConsumerName.";
        let differ = "InvalidArgumentException: ConsumerARN, StreamARN and ConsumerName do not \
                  identify the same consumer.";
        for operation in ["DescribeStreamConsumer", "DeregisterStreamConsumer"] {
            for (body, expected) in [
                (json!({}), none),
                (json!({"ConsumerName": "c"}), none),
                (json!({"StreamARN": arn_of("s")}), none),
                (json!({"ConsumerARN": arn, "ConsumerName": "d"}), differ),
                (
                    json!({"ConsumerARN": arn, "StreamARN": arn_of("t")}),
                    differ,
                ),
                (
                    json!({"StreamARN": arn_of("gone"), "ConsumerName": "c"}),
                    &not_found("gone"),
                ),
                (by_name("unknown"), &no_consumer("unknown")),
                (
                    json!({"ConsumerARN": consumer_arn("c", 1)}),
                    &no_consumer(&consumer_arn("c", 1)),
                ),
            ] {
                assert_eq!(
                    refused(&lab, operation, body).await,
                    expected,
                    "{operation}"
                );
            }
        }
        assert_eq!(names(&lab).await, ["c", "d"]);
    }
);

disk_test!(
    a_stream_has_twenty_consumers_at_most,
    [],
    |lab| async move {
        lab.stream("s").create().await;
        lab.stream("t").create().await;
        for at in 0..20 {
            register(&lab, &format!("c{at:02}")).await;
        }
        restart(&lab).await;
        let got = refused(&lab, "RegisterStreamConsumer", by_name("more")).await;
        let expected = format!(
            "LimitExceededException: This request would exceed the limit on the number of consumers \
         for stream s under account {ACCOUNT}. Limit: 20."
        );
        assert_eq!(got, expected);
        let got = refused(&lab, "RegisterStreamConsumer", by_name("c00")).await;
        assert!(
            got.starts_with("ResourceInUseException: "),
            "the name is got first: {got}"
        );
        let other = json!({"StreamARN": arn_of("t"), "ConsumerName": "more"});
        ok(&lab, "RegisterStreamConsumer", other).await;
        ok(&lab, "DeregisterStreamConsumer", by_name("c07")).await;
        register(&lab, "more").await;
    }
);

wire_test!(
    a_committed_accounts_on_demand_stream_has_fifty_consumers_at_most,
    |lab| async move {
        ok(&lab, "CreateStream", json!({"StreamName": "s"})).await;
        let commit = json!({"MinimumThroughputBillingCommitment": {"Status": "ENABLED"}});
        ok(&lab, "UpdateAccountSettings", commit).await;
        for at in 0..50 {
            register(&lab, &format!("c{at:02}")).await;
        }
        let got = refused(&lab, "RegisterStreamConsumer", by_name("more")).await;
        assert!(got.ends_with("Limit: 50."), "{got}");
    }
);

wire_test!(
    five_consumers_of_a_stream_may_be_in_creating_at_once,
    ["--transition-ms", "500"],
    |lab| async move {
        lab.stream("s").create().await;
        lab.clock.advance(ms(500)).await;
        for name in ["a", "b", "c", "d", "e"] {
            register(&lab, name).await;
        }
        let expected = format!(
            "LimitExceededException: This request would exceed the limit on the number of \
             consumers that can simultaneously be in CREATING for stream s under account \
             {ACCOUNT}. Limit: 5."
        );
        assert_eq!(
            refused(&lab, "RegisterStreamConsumer", by_name("f")).await,
            expected
        );
        lab.clock.advance(ms(500)).await;
        register(&lab, "f").await;
        assert_eq!(names(&lab).await.len(), 6);
    }
);

kinesis_test!(
    a_stream_with_consumers_is_not_deleted_unless_enforced,
    |lab| async move {
        lab.stream("s").create().await;
        let arn = register(&lab, "c").await;
        let expected = format!(
            "ResourceInUseException: DeleteStream can't delete {ACCOUNT}:s because there are \
             consumers associated with this data stream. To delete s anyway, set the \
             EnforceConsumerDeletion parameter to true to force the deletion of all the consumers \
             that are associated with it."
        );
        for body in [
            json!({"StreamName": "s"}),
            json!({"StreamName": "s", "EnforceConsumerDeletion": false}),
        ] {
            assert_eq!(refused(&lab, "DeleteStream", body).await, expected);
        }
        ok(
            &lab,
            "DeleteStream",
            json!({"StreamName": "s", "EnforceConsumerDeletion": true}),
        )
        .await;
        for operation in ["DescribeStreamConsumer", "DeregisterStreamConsumer"] {
            let got = refused(&lab, operation, json!({"ConsumerARN": arn})).await;
            assert_eq!(got, not_found("s"), "{operation}");
        }
        lab.stream("s").create().await;
        assert_eq!(names(&lab).await, Vec::<String>::new());
        let got = refused(&lab, "DescribeStreamConsumer", json!({"ConsumerARN": arn})).await;
        assert_eq!(got, no_consumer(&arn));
    }
);

wire_test!(
    a_consumer_needs_a_stream_and_tags_that_are_allowed,
    |lab| async move {
        let got = refused(&lab, "RegisterStreamConsumer", by_name("c")).await;
        assert_eq!(got, not_found("s"));
        let got = refused(
            &lab,
            "ListStreamConsumers",
            json!({"StreamARN": arn_of("s")}),
        )
        .await;
        assert_eq!(got, not_found("s"));
        lab.stream("s").create().await;
        let mut body = by_name("c");
        body["Tags"] = json!({"a;": "b"});
        let got = refused(&lab, "RegisterStreamConsumer", body).await;
        assert!(
            got.starts_with("InvalidArgumentException: Some tags contain"),
            "{got}"
        );
        assert_eq!(names(&lab).await, Vec::<String>::new());
    }
);
