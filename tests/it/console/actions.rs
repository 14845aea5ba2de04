//! The forms, with and without the script.

use super::{page, part, send};
use crate::lab::{Request, kinesis_test, seconds, wire_test, within};
use crate::looking::own;

wire_test!(
    a_form_without_the_script_leads_to_the_next_page,
    |lab| async move {
        let form = |body: &str| {
            Request::bare("POST", "/_minikin/console/do/call/CreateStream").body(body.as_bytes())
        };
        let made = lab
            .send(&form(
                "StreamName=orders&ShardCount:int=2&back=/_minikin/?filter=o",
            ))
            .await;
        assert_eq!(made.status, 303);
        assert_eq!(made.header("location"), Some("/_minikin/?filter=o"));
        let again = lab.send(&form("StreamName=orders&ShardCount:int=2")).await;
        assert_eq!(again.status, 400);
        assert!(
            again.text().contains("ResourceInUseException"),
            "{}",
            again.text()
        );
        // After an action, the browser gets a page of the console and never a page of another site.
        let elsewhere = lab
            .send(&form("StreamName=other&back=https://example.com/"))
            .await;
        assert_eq!(elsewhere.header("location"), Some("/_minikin/"));
        let text = page(&lab, "").await;
        assert!(text.contains("stream-orders") && text.contains("stream-other"));
        assert!(!page(&lab, "?filter=oth").await.contains("stream-orders"));
    }
);

wire_test!(
    the_script_gets_the_refusal_of_the_service,
    |lab| async move {
        let refused = send(&lab, "call/DeleteStream", "StreamName=nothing").await;
        assert_eq!(refused.status, 400);
        let message = refused.value()["message"].as_str().unwrap().to_owned();
        assert!(
            message.starts_with("ResourceNotFoundException: Stream nothing"),
            "{message}"
        );
        let unknown = send(&lab, "call/Unknown", "").await;
        assert_eq!(unknown.status, 400);
        let mistyped = send(
            &lab,
            "call/CreateStream",
            "StreamName=a&ShardCount:int=many",
        )
        .await;
        assert_eq!(mistyped.value()["message"], "ShardCount is a whole number");
    }
);

kinesis_test!(records_are_put_by_line_and_found_again, |lab| async move {
    lab.stream("orders").shards(2).create().await;
    let lines = "lines=first%0A%7B%22PartitionKey%22%3A%22b%22%2C%22Json%22%3A%7B%22n%22%3A2%7D%7D%0A%0A&key=a";
    let put = send(&lab, "put/orders", lines).await;
    assert_eq!(put.value()["message"], "2 records are put.");
    let shown = part(&lab, "records").await;
    assert!(shown.contains("first") && shown.contains("JSON"), "{shown}");
    let found = part(&lab, "records?key=b").await;
    assert!(found.contains("1 record found among 2 records."), "{found}");
    let found = part(&lab, "records?text=irst").await;
    assert!(found.contains("1 record found among 2 records."), "{found}");
    let malformed = send(&lab, "put/orders", "lines=%7B%22PartitionKey%22%3A1%7D").await;
    assert_eq!(malformed.status, 400);
    lab.clock.advance(seconds(25 * 3600)).await;
    assert!(part(&lab, "records").await.contains("There are no records"));
});

wire_test!(a_split_is_drawn, |lab| async move {
    lab.stream("orders").create().await;
    let middle = "170141183460469231731687303715884105728";
    let form =
        format!("StreamName=orders&ShardToSplit=shardId-000000000000&NewStartingHashKey={middle}");
    let split = send(&lab, "call/SplitShard", &form).await;
    assert_eq!(split.status, 200, "{}", split.text());
    let drawn = part(&lab, "shards").await;
    for label in [
        "shardId-000000000000, closed, 100 % of the hash keys",
        "shardId-000000000001, open, 50 % of the hash keys",
        "shardId-000000000002, open, 50 % of the hash keys",
    ] {
        assert!(drawn.contains(label), "{label}");
    }
});

wire_test!(rates_and_loads_lie_between_two_visits, |lab| async move {
    let stream = lab.stream("orders").create().await;
    let before = part(&lab, "shards").await;
    assert!(before.contains("no put rate yet"), "{before}");
    stream.put("k", "v").await;
    // The readings are a second of real time apart.
    let shown = within("the second reading of the counters", async {
        loop {
            let shown = part(&lab, "shards").await;
            if shown.contains("Fullest: ") {
                return shown;
            }
            tokio::task::yield_now().await;
        }
    });
    let shown = shown.await;
    assert!(shown.contains("<b>shard 0</b>"), "{shown}");
});

wire_test!(fault_rules_are_added_and_removed, |lab| async move {
    let added = send(
        &lab,
        "faults/add",
        "kind=delay&operations=PutRecord,+PutRecords&delay_ms=5",
    )
    .await;
    assert_eq!(added.status, 200, "{}", added.text());
    let (_, rules) = own(&lab, "GET", "faults", "").await;
    assert_eq!(rules["faults"][0]["operations"][1], "PutRecords");
    assert!(
        page(&lab, "console/faults")
            .await
            .contains("operations=PutRecord+PutRecords")
    );
    let wrong = send(&lab, "faults/add", "kind=delay&percent=many").await;
    assert_eq!(wrong.value()["message"], "percent is a number");
    let id = &rules["faults"][0]["id"];
    assert_eq!(
        send(&lab, &format!("faults/remove/{id}"), "").await.status,
        200
    );
    assert_eq!(
        send(&lab, &format!("faults/remove/{id}"), "").await.status,
        400
    );
});

wire_test!(the_clock_moves_forward_only, |lab| async move {
    let moved = send(&lab, "clock", "hours=1.5").await;
    assert_eq!(
        moved.value()["message"],
        "It is 2023-11-14 23:43:20.000 now."
    );
    for (form, message) in [
        ("set=2001-01-01T00:00:00Z", "the clock never goes back"),
        ("set=tomorrow", "a time is written 2026-01-31T12:00:00Z"),
        ("hours=-1", "the clock never goes back"),
        ("hours=1e300", "the clock ends where the year 2400 begins"),
    ] {
        assert_eq!(
            send(&lab, "clock", form).await.value()["message"],
            message,
            "{form}"
        );
    }
});

wire_test!(requests_are_shown_with_advice, |lab| async move {
    let silent = lab.json("ListStreams", "{}").await;
    assert_eq!(silent.status, 200);
    lab.json("DescribeStream", r#"{"StreamName": "nothing"}"#)
        .await;
    let shown = page(&lab, "console/requests").await;
    assert!(
        shown.contains("DescribeStream") && shown.contains("nothing"),
        "{shown}"
    );
    assert!(shown.contains("The service requires a stream"), "{shown}");
    assert!(!shown.contains("<td>ListStreams</td>"), "no page was open");
    lab.json("ListStreams", "{}").await;
    let shown = page(&lab, "console/requests").await;
    assert!(shown.contains("<td>ListStreams</td>"), "{shown}");
    let failed = page(&lab, "console/requests?show=failed").await;
    assert!(!failed.contains("<td>ListStreams</td>"));
});

wire_test!(
    streams_of_another_region_are_shown_there,
    |lab| async move {
        let create = "StreamName=far&ShardCount:int=1";
        let made = send(&lab, "call/CreateStream?region=eu-west-1", create).await;
        assert_eq!(made.status, 200);
        assert!(!page(&lab, "").await.contains("stream-far"));
        let there = page(&lab, "?region=eu-west-1").await;
        assert!(there.contains("stream-far"));
        let link = "/_minikin/console/streams/far/shards?account=000000000000&amp;region=eu-west-1";
        assert!(there.contains(link), "{there}");
        let home = page(&lab, "").await;
        assert!(
            home.contains("/_minikin/?account=000000000000&amp;region=eu-west-1"),
            "{home}"
        );
    }
);
