//! Many concurrent calls lose no change, and all of them end.

use super::{arn_of, ok, restart, summary};
use crate::lab::{Lab, kinesis_test};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Number of concurrent calls in one round.
const AT_ONCE: usize = 40;

async fn all_at_once(lab: &Lab, calls: Vec<(&'static str, Value)>) -> Vec<u16> {
    let mut statuses = Vec::new();
    let mut running = JoinSet::new();
    for (operation, body) in calls {
        if running.len() == AT_ONCE {
            statuses.push(running.join_next().await.unwrap().unwrap());
        }
        let lab = lab.clone();
        running.spawn(async move { lab.json(operation, &body.to_string()).await.status });
    }
    statuses.extend(running.join_all().await);
    statuses
}

kinesis_test!(
    without_a_transition_time_nothing_counts_as_in_transition,
    |lab| async move {
        let each = |call: fn(usize) -> (&'static str, Value)| (0..12).map(call).collect();
        let streams = each(|at| ("CreateStream", json!({"StreamName": format!("s{at}")})));
        assert_eq!(all_at_once(&lab, streams).await, [200; 12]);
        let queues = each(|at| {
            let stream = json!({"StreamARN": arn_of("s0")});
            let name = format!("q{at}");
            let body = json!({"QueueName": name, "StreamConfigurationList": [stream]});
            ("CreateQueue", body)
        });
        assert_eq!(all_at_once(&lab, queues).await, [200; 12]);
        let listed = ok(&lab, "ListQueues", json!({})).await;
        let listed = listed["QueueSummaries"].as_array().unwrap().iter();
        let deletions: Vec<_> = listed
            .map(|queue| ("DeleteQueue", json!({"QueueARN": queue["QueueARN"]})))
            .collect();
        assert_eq!(all_at_once(&lab, deletions).await, [200; 12]);
        let deletions = each(|at| ("DeleteStream", json!({"StreamName": format!("s{at}")})));
        assert_eq!(all_at_once(&lab, deletions).await, [200; 12]);
    }
);

kinesis_test!(
    a_thousand_parallel_calls_on_streams_lose_no_update,
    ["--limit", "tags=1000", "--limit", "shard-write-records=off"],
    |lab| async move {
        lab.stream("s").create().await;
        let mut calls = Vec::new();
        for at in 0..250 {
            let tags = json!({format!("k{at:03}"): at.to_string()});
            if at % 2 == 0 {
                calls.push(("AddTagsToStream", json!({"StreamName": "s", "Tags": tags})));
            } else {
                calls.push((
                    "TagResource",
                    json!({"ResourceARN": arn_of("s"), "Tags": tags}),
                ));
            }
            let key = at.to_string();
            let put = json!({"StreamName": "s", "PartitionKey": key, "Data": ""});
            calls.push(("PutRecord", put));
            calls.push(("DescribeStream", json!({"StreamName": "s"})));
            calls.push(("ListShards", json!({"StreamName": "s"})));
        }
        let statuses = all_at_once(&lab, calls).await;
        assert_eq!(statuses, vec![200; 1_000]);
        let got = ok(
            &lab,
            "ListTagsForResource",
            json!({"ResourceARN": arn_of("s")}),
        )
        .await;
        let expected: Vec<_> = (0..250)
            .map(|at| json!({"Key": format!("k{at:03}"), "Value": at.to_string()}))
            .collect();
        assert_eq!(got["Tags"], json!(expected));
        let stream = crate::lab::Stream::existing(&lab, "s");
        let mut keys: Vec<usize> = stream
            .read_all()
            .await
            .iter()
            .map(|record| record.partition_key.parse().unwrap())
            .collect();
        keys.sort_unstable();
        assert_eq!(keys, (0..250).collect::<Vec<_>>());
        if restart(&lab).await {
            let got = ok(
                &lab,
                "ListTagsForResource",
                json!({"ResourceARN": arn_of("s")}),
            )
            .await;
            assert_eq!(got["Tags"], json!(expected));
        }
    }
);

kinesis_test!(
    of_many_parallel_creations_of_a_name_one_wins,
    ["--limit", "streams-in-transition=off"],
    |lab| async move {
        let create = |name: String| ("CreateStream", json!({"StreamName": name, "ShardCount": 1}));
        let calls = (0..100)
            .map(|at| create(format!("s{:02}", at % 20)))
            .collect();
        let statuses = all_at_once(&lab, calls).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 20);
        assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 80);
        let got = ok(&lab, "DescribeLimits", json!({})).await;
        assert_eq!(got["OpenShardCount"], 20);
        let delete = |name: String| ("DeleteStream", json!({"StreamName": name}));
        let calls = (0..100)
            .map(|at| delete(format!("s{:02}", at % 20)))
            .collect();
        let statuses = all_at_once(&lab, calls).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 20);
        let got = ok(&lab, "DescribeLimits", json!({})).await;
        assert_eq!(got["OpenShardCount"], 0);
    }
);

kinesis_test!(
    parallel_registrations_fill_a_stream_and_no_more,
    |lab| async move {
        lab.stream("s").create().await;
        let register = |at: usize| {
            let body = json!({"StreamARN": arn_of("s"), "ConsumerName": format!("c{at}")});
            ("RegisterStreamConsumer", body)
        };
        let statuses = all_at_once(&lab, (0..60).map(register).collect()).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 20);
        assert_eq!(summary(&lab, "s").await["ConsumerCount"], 20);
        let split = |at: usize| {
            let body = json!({
                "StreamName": "s", "ShardToSplit": "0", "NewStartingHashKey": (at + 2).to_string()
            });
            ("SplitShard", body)
        };
        let statuses = all_at_once(&lab, (0..30).map(split).collect()).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
        assert_eq!(summary(&lab, "s").await["OpenShardCount"], 2);
    }
);
