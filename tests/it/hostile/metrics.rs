//! The page of metrics: its format, its access for every client, and its values.

use super::{counter, until};
use crate::lab::{Lab, Request, SHARD_0, wire_test};
use minikin::internals::world::{Fault, Point, Rule};

fn page() -> Request {
    Request::bare("GET", "/_minikin/metrics")
}

wire_test!(the_page_is_what_prometheus_reads, |lab: Lab| async move {
    lab.stream("secret-name").create().await;
    lab.json("Nothing", "{}").await;
    let answer = lab.send(&page()).await;
    let kind = answer.header("content-type");
    assert_eq!(
        (answer.status, kind),
        (200, Some("text/plain; version=0.0.4; charset=utf-8"))
    );
    let text = answer.text();
    assert!(text.ends_with('\n'));
    assert!(
        !text.contains("secret-name") && !text.contains("AKIA"),
        "{text}"
    );
    let mut announced = "";
    let mut names = std::collections::HashSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            assert!(rest.ends_with('.'), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
            assert!(names.insert(name), "{name} is announced twice");
            announced = name;
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            assert_eq!(name, announced, "{line}");
            assert!(
                labels.ends_with('}') && value.parse::<f64>().unwrap() >= 0.0,
                "{line}"
            );
        }
    }
    assert!(names.len() > 20, "{}", names.len());
});

wire_test!(
    counters_move_with_what_they_count,
    ["--limit", "shard-write-records=2"],
    |lab: Lab| async move {
        let stream = lab.stream("s").create().await;
        stream.put("key", "one").await;
        stream.put("key", "three").await;
        let third = r#"{"StreamName":"s","PartitionKey":"key","Data":"AAAA"}"#;
        assert_eq!(lab.json("PutRecord", third).await.status, 400);
        lab.json("PutRecord", "{").await;
        assert_eq!(stream.read_all().await.len(), 2);
        let of_put = |outcome: &str| {
            format!("requests_total{{operation=\"PutRecord\",outcome=\"{outcome}\"}}")
        };
        for (name, value) in [
            (of_put("done").as_str(), 2),
            (of_put("throttled").as_str(), 1),
            (of_put("refused").as_str(), 1),
            (of_put("failed").as_str(), 0),
            ("records_written_total", 2),
            ("records_written_bytes_total", 2 * 3 + 3 + 5),
            ("records_throttled_total", 1),
            ("records_read_total", 2),
            ("store_shards", 1),
            ("store_writable", 1),
            ("subscriptions_open", 0),
        ] {
            assert_eq!(counter(&lab, name).await, value, "{name}");
        }
        let received = counter(&lab, "received_bytes_total").await;
        assert!(received >= third.len() as u64 * 3, "{received}");
        assert!(counter(&lab, "store_memory_bytes").await > 8);
        let mut cut = lab.connect().await;
        let bytes = Request::json("PutRecord", third).bytes();
        cut.send(&bytes[..bytes.len() - 1]).await;
        drop(cut);
        until(&lab, &of_put("cut_off"), 1).await;
    }
);

wire_test!(
    records_answered_with_a_failure_are_not_counted_as_written,
    |lab: Lab| async move {
        lab.stream("s").create().await;
        let torn = Rule::new(Point::Append, Fault::Tear).unwrap();
        lab.set_faults(vec![torn.at_most(2)]);
        let record = r#""PartitionKey":"key","Data":"AAAA""#;
        let one = format!(r#"{{"StreamName":"s",{record}}}"#);
        let several = format!(r#"{{"StreamName":"s","Records":[{{{record}}}]}}"#);
        assert_eq!(lab.json("PutRecord", &one).await.status, 500);
        let answer = lab.ok("PutRecords", &several).await;
        assert_eq!(answer["FailedRecordCount"], 1);
        assert_eq!(counter(&lab, "records_written_total").await, 0);
        let failed = "requests_total{operation=\"PutRecord\",outcome=\"failed\"}";
        assert_eq!(counter(&lab, failed).await, 1);
        lab.ok("PutRecord", &one).await;
        assert_eq!(counter(&lab, "records_written_total").await, 1);
    }
);

wire_test!(
    subscriptions_and_what_they_push_are_counted,
    |lab: Lab| async move {
        let stream = lab.stream("s").create().await;
        let consumer = crate::subscriptions::Consumer::of(&stream).await;
        let latest = crate::subscriptions::from(aws_sdk_kinesis::types::ShardIteratorType::Latest);
        let mut subscription = consumer.subscribe(SHARD_0, latest).await;
        assert_eq!(counter(&lab, "subscriptions_open").await, 1);
        stream.put("key", "value").await;
        assert_eq!(subscription.data(1).await, ["value"]);
        assert_eq!(counter(&lab, "records_pushed_total").await, 1);
        drop(subscription);
        until(&lab, "subscriptions_open", 0).await;
    }
);

wire_test!(
    connections_are_counted_while_they_are_open,
    |lab: Lab| async move {
        assert_eq!(
            counter(&lab, "connections_open").await,
            1,
            "the one that asks"
        );
        let held = [lab.connect().await, lab.connect().await];
        until(&lab, "connections_open", 3).await;
        drop(held);
        until(&lab, "connections_open", 1).await;
        assert_eq!(counter(&lab, "connections_total").await, 3);
    }
);
