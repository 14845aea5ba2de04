//! Queues from their creation to their deletion.

use super::*;
use crate::lab::{START_MS, hours, kinesis_test, ms, seconds, wire_test};
use crate::readers::check_filters;

fn is_id(id: &str) -> bool {
    id.len() == 17
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

async fn update(lab: &Lab, arn: &str, attributes: Value) -> Value {
    let body = json!({"QueueARN": arn, "QueueAttributes": attributes});
    let mut answer = ok(lab, "UpdateQueue", body).await;
    answer["QueueDescription"].take()
}

async fn queue_count(lab: &Lab, stream: &str) -> Value {
    let summary = ok(lab, "DescribeStreamSummary", json!({"StreamName": stream})).await;
    assert_eq!(summary["StreamDescriptionSummary"]["ConsumerCount"], 0);
    summary["StreamDescriptionSummary"]["QueueCount"].clone()
}

async fn names(lab: &Lab, body: Value) -> Vec<String> {
    let answer = ok(lab, "ListQueues", body).await;
    let queues = answer["QueueSummaries"].as_array().unwrap();
    let name = |queue: &Value| queue["QueueName"].as_str().unwrap().to_owned();
    queues.iter().map(name).collect()
}

/// Checks that a queue in transition refuses receives.
async fn check_no_receive(lab: &Lab, arn: &str) {
    let refusal = refused(lab, "ReceiveQueueRecords", json!({"QueueARN": arn})).await;
    assert!(
        refusal.starts_with("ResourceNotFoundException: "),
        "{refusal}"
    );
}

kinesis_test!(
    a_queue_is_created_updated_and_deleted_in_its_own_time,
    ["--transition-ms", "500"],
    |lab| async move {
        create_stream(&lab, "s").await;
        lab.clock.advance(ms(1_500)).await;
        let answer = ok_cbor(&lab, "CreateQueue", queue_at("q", "s", "LATEST")).await;
        let mut queue = answer["QueueDescription"].clone();
        let arn = queue["QueueARN"].as_str().unwrap().to_owned();
        let prefix = format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:queue/");
        assert!(is_id(arn.strip_prefix(&prefix).unwrap()), "{arn}");
        let created_s = (START_MS + 1_500) / 1000;
        assert_eq!(
            queue["QueueCreationTimestamp"].as_f64(),
            Some(created_s as f64)
        );
        queue
            .as_object_mut()
            .unwrap()
            .remove("QueueCreationTimestamp");
        let stream = json!({"StreamARN": arn_of("s"), "StartingPosition": {"Type": "LATEST"}});
        let attributes = json!({
            "VisibilityTimeoutSeconds": 30,
            "DeadLetterConfiguration": {"TargetType": "BUILT_IN", "MaxReceiveCount": 6},
        });
        let expected = json!({
            "QueueName": "q", "QueueARN": arn, "QueueStatus": "CREATING",
            "StreamConfigurationList": [stream], "QueueAttributes": attributes,
        });
        assert_eq!(queue, expected);
        assert_eq!(describe(&lab, &arn).await["QueueStatus"], "CREATING");
        assert_eq!(queue_count(&lab, "s").await, 1);
        check_no_receive(&lab, &arn).await;
        lab.clock.advance(ms(500)).await;
        let described = describe(&lab, &arn).await;
        assert_eq!(described["QueueStatus"], "ACTIVE");
        let position = &described["StreamConfigurationList"][0]["StartingPosition"];
        assert_eq!(
            position["Timestamp"].as_f64(),
            Some((START_MS + 1_500) as f64 / 1000.0)
        );

        let updated = update(&lab, &arn, json!({"VisibilityTimeoutSeconds": 7})).await;
        assert_eq!(updated["QueueStatus"], "UPDATING");
        assert_eq!(updated["QueueAttributes"]["VisibilityTimeoutSeconds"], 7);
        let body = json!({"QueueARN": arn, "QueueAttributes": {}});
        let refusal = refused(&lab, "UpdateQueue", body).await;
        assert_eq!(
            refusal,
            format!(
                "ResourceInUseException: Queue q under account {ACCOUNT} not ACTIVE, instead in \
                 state UPDATING"
            )
        );
        put(&lab, "s", "meanwhile").await;
        let records = receive(&lab, &arn).await;
        assert_eq!(texts(&records), ["meanwhile".to_owned()].into());
        acknowledge(&lab, Kind::Normal, &arn, &records).await;
        lab.clock.advance(ms(500)).await;
        assert_eq!(describe(&lab, &arn).await["QueueStatus"], "ACTIVE");

        let deleted = ok_cbor(&lab, "DeleteQueue", json!({"QueueARN": arn})).await;
        assert_eq!(deleted, Value::Null);
        assert_eq!(describe(&lab, &arn).await["QueueStatus"], "DELETING");
        ok(&lab, "DeleteQueue", json!({"QueueARN": arn})).await;
        assert_eq!(queue_count(&lab, "s").await, 1);
        check_no_receive(&lab, &arn).await;
        lab.clock.advance(ms(500)).await;
        let refusal = refused(&lab, "DescribeQueue", json!({"QueueARN": arn})).await;
        assert_eq!(
            refusal,
            format!("ResourceNotFoundException: Queue {arn} not found.")
        );
        assert_eq!(queue_count(&lab, "s").await, 0);
    }
);

wire_test!(
    a_queue_is_active_at_once_and_its_name_is_free_again,
    |lab| async move {
        create_stream(&lab, "s").await;
        create_stream(&lab, "t").await;
        let first = create_queue(&lab, "q", "s").await;
        assert_eq!(describe(&lab, &first).await["QueueStatus"], "ACTIVE");
        let refusal = refused(&lab, "CreateQueue", queue_at("q", "t", "LATEST")).await;
        let taken =
            format!("ResourceInUseException: Queue q under account {ACCOUNT} already exists.");
        assert_eq!(refusal, taken);
        ok(&lab, "DeleteQueue", json!({"QueueARN": first})).await;
        let second = create_queue(&lab, "q", "t").await;
        assert_ne!(first, second);
    }
);

wire_test!(
    starting_positions_are_described_with_their_moment,
    |lab| async move {
        create_stream(&lab, "s").await;
        lab.clock.advance(seconds(10)).await;
        let moment = |queue: &Value| {
            let position = &queue["StreamConfigurationList"][0]["StartingPosition"];
            (position["Timestamp"].as_f64().unwrap() * 1000.0).round() as i64 - START_MS
        };
        let empty = create_queue(&lab, "empty", "s").await;
        let a_day = 24 * 3_600_000;
        assert_eq!(moment(&describe(&lab, &empty).await), 10_001 - a_day);
        put(&lab, "s", "a").await;
        lab.clock.advance(seconds(5)).await;
        let oldest = create_queue(&lab, "oldest", "s").await;
        assert_eq!(moment(&describe(&lab, &oldest).await), 10_000);
        for (name, at_ms, expected) in [
            ("between", START_MS + 12_345, 12_345),
            ("long-ago", 1_000, 15_001 - a_day),
        ] {
            let mut body = queue_at(name, "s", "AT_TIMESTAMP");
            let at_s = at_ms as f64 / 1000.0;
            body["StreamConfigurationList"][0]["StartingPosition"]["Timestamp"] = json!(at_s);
            let answer = ok(&lab, "CreateQueue", body).await;
            let position =
                &answer["QueueDescription"]["StreamConfigurationList"][0]["StartingPosition"];
            assert_eq!(
                position["Timestamp"].as_f64(),
                Some(at_s),
                "what was given, while CREATING"
            );
            let arn = answer["QueueDescription"]["QueueARN"].as_str().unwrap();
            assert_eq!(moment(&describe(&lab, arn).await), expected, "{name}");
        }
    }
);

wire_test!(attributes_that_are_not_given_stay, |lab| async move {
    create_stream(&lab, "s").await;
    let mut body = queue_at("q", "s", "LATEST");
    body["QueueAttributes"] = json!({
        "VisibilityTimeoutSeconds": 0,
        "DeadLetterConfiguration": {"TargetType": "NONE", "MaxReceiveCount": 5},
    });
    let arn = created(&lab, body).await;
    let none = json!({"TargetType": "NONE"});
    let attributes = describe(&lab, &arn).await["QueueAttributes"].take();
    let expected = json!({"VisibilityTimeoutSeconds": 0, "DeadLetterConfiguration": none});
    assert_eq!(attributes, expected);
    for (given, timeout, dead_letter) in [
        (json!({}), 0, none.clone()),
        (
            json!({"VisibilityTimeoutSeconds": 43_200}),
            43_200,
            none.clone(),
        ),
        (
            json!({"DeadLetterConfiguration": {"TargetType": "BUILT_IN", "MaxReceiveCount": 1000}}),
            43_200,
            json!({"TargetType": "BUILT_IN", "MaxReceiveCount": 1000}),
        ),
        (
            json!({"DeadLetterConfiguration": none}),
            43_200,
            none.clone(),
        ),
    ] {
        let expected = json!({
            "VisibilityTimeoutSeconds": timeout, "DeadLetterConfiguration": dead_letter,
        });
        assert_eq!(update(&lab, &arn, given).await["QueueAttributes"], expected);
        assert_eq!(describe(&lab, &arn).await["QueueAttributes"], expected);
    }
});

wire_test!(queues_are_listed_by_name_page_by_page, |lab| async move {
    for stream in ["s", "t"] {
        create_stream(&lab, stream).await;
    }
    for (name, stream) in [("b", "s"), ("a", "t"), ("d", "s"), ("c", "s")] {
        create_queue(&lab, name, stream).await;
    }
    assert_eq!(names(&lab, json!({})).await, ["a", "b", "c", "d"]);
    let of_s = json!([{"StreamARN": arn_of("s")}]);
    let filtered = json!({"MaxResults": 2, "StreamFilter": of_s});
    let page = ok(&lab, "ListQueues", filtered.clone()).await;
    assert_eq!(
        ok_cbor(&lab, "ListQueues", json!({"MaxResults": 4}))
            .await
            .get("NextToken"),
        None
    );
    let queue = &page["QueueSummaries"][0];
    assert_eq!(queue["QueueName"], "b");
    assert_eq!(queue["QueueStatus"], "ACTIVE");
    let stream = json!([{
        "StreamARN": arn_of("s"), "StreamCreationTimestamp": (START_MS / 1000) as f64,
    }]);
    assert_eq!(queue["Streams"], stream);
    let mut next = filtered;
    next["NextToken"] = page["NextToken"].clone();
    assert_eq!(names(&lab, next.clone()).await, ["d"]);
    let mut other = next.clone();
    other["StreamFilter"] = json!([{"StreamARN": arn_of("t")}]);
    let refusal = refused(&lab, "ListQueues", other).await;
    assert_eq!(refusal, "InvalidArgumentException: Invalid NextToken.");
    lab.clock.advance(ms(300_001)).await;
    let refusal = refused(&lab, "ListQueues", next).await;
    assert!(
        refusal.starts_with("ExpiredNextTokenException: "),
        "{refusal}"
    );
    check_filters(async |body| names(&lab, body).await, 3).await;
});

kinesis_test!(
    a_stream_with_a_queue_stays_and_stays_on_demand,
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        let has_queues = format!(
            "ResourceInUseException: Stream s under account {ACCOUNT} has queues. Delete them first."
        );
        ok(
            &lab,
            "RegisterStreamConsumer",
            json!({"StreamARN": arn_of("s"), "ConsumerName": "c"}),
        )
        .await;
        for enforce in [false, true] {
            let body = json!({"StreamName": "s", "EnforceConsumerDeletion": enforce});
            assert_eq!(refused(&lab, "DeleteStream", body).await, has_queues);
        }
        let consumers = ok(
            &lab,
            "ListStreamConsumers",
            json!({"StreamARN": arn_of("s")}),
        )
        .await;
        assert_eq!(
            consumers["Consumers"].as_array().unwrap().len(),
            1,
            "not by a refused call"
        );
        let mode = json!({
            "StreamARN": arn_of("s"), "StreamModeDetails": {"StreamMode": "PROVISIONED"},
        });
        assert_eq!(
            refused(&lab, "UpdateStreamMode", mode.clone()).await,
            has_queues
        );
        ok(&lab, "DeleteQueue", json!({"QueueARN": arn})).await;
        ok(&lab, "UpdateStreamMode", mode).await;
        ok(
            &lab,
            "DeleteStream",
            json!({"StreamName": "s", "EnforceConsumerDeletion": true}),
        )
        .await;
    }
);

wire_test!(consumers_and_queues_share_one_limit, |lab| async move {
    create_stream(&lab, "s").await;
    let consumer = |name: String| json!({"StreamARN": arn_of("s"), "ConsumerName": name});
    for at in 0..15 {
        ok(&lab, "RegisterStreamConsumer", consumer(format!("c{at}"))).await;
    }
    for at in 0..5 {
        create_queue(&lab, &format!("q{at}"), "s").await;
    }
    let full = format!(
        "LimitExceededException: This request would exceed the limit on the number of consumers \
         for stream s under account {ACCOUNT}. Limit: 20."
    );
    let (queue, more) = (queue_at("q", "s", "LATEST"), consumer("c".to_owned()));
    assert_eq!(refused(&lab, "CreateQueue", queue.clone()).await, full);
    assert_eq!(
        refused(&lab, "RegisterStreamConsumer", more.clone()).await,
        full
    );
    let commitment = json!({"MinimumThroughputBillingCommitment": {"Status": "ENABLED"}});
    ok(&lab, "UpdateAccountSettings", commitment).await;
    ok(&lab, "CreateQueue", queue).await;
    ok(&lab, "RegisterStreamConsumer", more).await;
    for at in 22..50 {
        create_queue(&lab, &format!("q{at}"), "s").await;
    }
    let refusal = refused(&lab, "CreateQueue", queue_at("r", "s", "LATEST")).await;
    assert_eq!(refusal, full.replace("20", "50"));
});

wire_test!(
    five_queues_may_be_in_transition,
    ["--transition-ms", "500"],
    |lab| async move {
        create_stream(&lab, "s").await;
        lab.clock.advance(ms(500)).await;
        let mut arns = Vec::new();
        for at in 0..6 {
            arns.push(create_queue(&lab, &format!("q{at}"), "s").await);
            lab.clock.advance(ms(if at < 1 { 500 } else { 0 })).await;
        }
        let refusal = refused(&lab, "CreateQueue", queue_at("q6", "s", "LATEST")).await;
        let full = format!(
            "LimitExceededException: This request would exceed the limit on the number of queues \
             that can simultaneously be in CREATING or DELETING for the account {ACCOUNT}. Limit: \
             5."
        );
        assert_eq!(refusal, full);
        let delete = |arn: &str| json!({"QueueARN": arn});
        assert_eq!(refused(&lab, "DeleteQueue", delete(&arns[0])).await, full);
        ok(&lab, "DeleteQueue", delete(&arns[1])).await;
        lab.clock.advance(ms(500)).await;
        assert_eq!(names(&lab, json!({})).await.len(), 5);
        for arn in [&arns[0], &arns[2]] {
            ok(&lab, "DeleteQueue", delete(arn)).await;
        }
        lab.clock.advance(hours(1)).await;
        assert_eq!(names(&lab, json!({})).await, ["q3", "q4", "q5"]);
    }
);
