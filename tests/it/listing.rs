//! Listings: pages, tokens, filters.

use crate::lab::{Lab, Rounds, SHARD_0, kinesis_test, ms, wire_test};
use serde_json::{Value, json};

fn ids(answer: &Value) -> Vec<u64> {
    let id = |shard: &Value| {
        let id = shard["ShardId"].as_str().unwrap();
        id.strip_prefix("shardId-").unwrap().parse().unwrap()
    };
    answer["Shards"]
        .as_array()
        .unwrap()
        .iter()
        .map(id)
        .collect()
}

/// All pages of a listing of shards.
async fn pages(lab: &Lab, first: Value, size: u32) -> Vec<Vec<u64>> {
    let mut body = first;
    let mut pages = Vec::new();
    let mut rounds = Rounds::of(10_000, "the last page of shards");
    loop {
        rounds.next();
        body["MaxResults"] = json!(size);
        let answer = lab.ok("ListShards", &body.to_string()).await;
        pages.push(ids(&answer));
        match answer.get("NextToken") {
            Some(token) => body = json!({ "NextToken": token }),
            None => return pages,
        }
    }
}

kinesis_test!(shards_are_listed_page_by_page, |lab| async move {
    lab.stream("s").shards(7).create().await;
    let named = json!({"StreamName": "s"});
    assert_eq!(
        pages(&lab, named.clone(), 3).await,
        [vec![0, 1, 2], vec![3, 4, 5], vec![6]]
    );
    assert_eq!(pages(&lab, named.clone(), 7).await, [[0, 1, 2, 3, 4, 5, 6]]);
    assert_eq!(pages(&lab, named.clone(), 1).await.len(), 7);
    let after = json!({"StreamName": "s", "ExclusiveStartShardId": "shardId-000000000004"});
    assert_eq!(pages(&lab, after, 1).await, [[5], [6]]);
    let arn = json!({"StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s"});
    assert_eq!(pages(&lab, arn, 4).await, [vec![0, 1, 2, 3], vec![4, 5, 6]]);
});

wire_test!(
    the_size_of_a_page_is_that_of_the_new_request,
    |lab| async move {
        lab.stream("s").shards(7).create().await;
        let first = lab
            .ok("ListShards", r#"{"StreamName":"s","MaxResults":2}"#)
            .await;
        let token = first["NextToken"].clone();
        for (size, expected) in [
            (1, vec![2]),
            (3, vec![2, 3, 4]),
            (10_000, vec![2, 3, 4, 5, 6]),
        ] {
            let body = json!({"NextToken": token, "MaxResults": size}).to_string();
            assert_eq!(ids(&lab.ok("ListShards", &body).await), expected);
        }
        let rest = lab
            .ok("ListShards", &json!({ "NextToken": token }).to_string())
            .await;
        assert_eq!(ids(&rest).len(), 5);
    }
);

wire_test!(a_page_holds_a_thousand_shards_at_most, |lab| async move {
    lab.stream("s").shards(1005).create().await;
    for rest in [json!({}), json!({"MaxResults": 10_000})] {
        let mut body = rest;
        body["StreamName"] = json!("s");
        let answer = lab.ok("ListShards", &body.to_string()).await;
        assert_eq!(ids(&answer).len(), 1000);
        let rest = json!({"NextToken": answer["NextToken"]}).to_string();
        assert_eq!(
            ids(&lab.ok("ListShards", &rest).await),
            [1000, 1001, 1002, 1003, 1004]
        );
    }
    let described = lab
        .ok("DescribeStream", r#"{"StreamName":"s","Limit":10000}"#)
        .await;
    assert_eq!(ids(&described["StreamDescription"]).len(), 100);
    assert_eq!(described["StreamDescription"]["HasMoreShards"], true);
});

wire_test!(a_description_pages_by_shard_id, |lab| async move {
    lab.stream("s").shards(5).create().await;
    let describe = async |after: Option<&str>, limit: u32| {
        let body = json!({"StreamName": "s", "ExclusiveStartShardId": after, "Limit": limit});
        let answer = lab.ok("DescribeStream", &body.to_string()).await;
        let got = &answer["StreamDescription"];
        (ids(got), got["HasMoreShards"].as_bool().unwrap())
    };
    assert_eq!(describe(None, 2).await, (vec![0, 1], true));
    assert_eq!(
        describe(Some("shardId-000000000001"), 2).await,
        (vec![2, 3], true)
    );
    assert_eq!(
        describe(Some("shardId-000000000003"), 2).await,
        (vec![4], false)
    );
    assert_eq!(
        describe(Some("shardId-000000000002"), 2).await,
        (vec![3, 4], false)
    );
    // The id is compared as a text and need not exist.
    assert_eq!(
        describe(Some("shardId-0000000000015"), 9).await,
        (vec![2, 3, 4], false)
    );
    assert_eq!(describe(Some("a"), 9).await, (vec![0, 1, 2, 3, 4], false));
    assert_eq!(describe(Some("z"), 9).await, (vec![], false));
});

wire_test!(filters_choose_by_position_and_time, |lab| async move {
    lab.clock.advance(ms(10_000)).await;
    lab.stream("s").shards(4).create().await;
    lab.clock.advance(ms(1_000)).await;
    let list = async |filter: Value| {
        let body = json!({"StreamName": "s", "ShardFilter": filter}).to_string();
        ids(&lab.ok("ListShards", &body).await)
    };
    let all = [0, 1, 2, 3];
    for kind in ["AT_LATEST", "AT_TRIM_HORIZON", "FROM_TRIM_HORIZON"] {
        assert_eq!(list(json!({ "Type": kind })).await, all, "{kind}");
    }
    for kind in ["AT_TIMESTAMP", "FROM_TIMESTAMP"] {
        // Times before the creation of the stream, at its creation, and later.
        for moment in [
            json!(1_699_999_990),
            json!(1_700_000_010),
            json!(1_700_000_010.5),
        ] {
            let filter = json!({"Type": kind, "Timestamp": moment});
            assert_eq!(list(filter).await, all, "{kind} {moment}");
        }
    }
    let after = |id: &str| json!({"Type": "AFTER_SHARD_ID", "ShardId": id});
    assert_eq!(list(after("shardId-000000000001")).await, [2, 3]);
    assert!(list(after("shardId-000000000003")).await.is_empty());
    assert_eq!(list(after("a")).await, all);
    let body = json!({"StreamName": "s", "MaxResults": 1, "ShardFilter": after(SHARD_0)});
    let first = lab.ok("ListShards", &body.to_string()).await;
    let rest = lab
        .ok(
            "ListShards",
            &json!({"NextToken": first["NextToken"]}).to_string(),
        )
        .await;
    assert_eq!((ids(&first), ids(&rest)), (vec![1], vec![2, 3]));
});

wire_test!(a_creation_time_has_to_be_the_streams, |lab| async move {
    lab.clock.advance(ms(500)).await;
    lab.stream("s").create().await;
    let list =
        |moment: Value| json!({"StreamName": "s", "StreamCreationTimestamp": moment}).to_string();
    for moment in [json!(1_700_000_000), json!(1_700_000_000.999_f64)] {
        lab.ok("ListShards", &list(moment)).await;
    }
    for moment in [json!(1_699_999_999.999_f64), json!(1_700_000_001), json!(0)] {
        let got = lab.refusal("ListShards", &list(moment)).await;
        assert_eq!(
            got,
            "ResourceNotFoundException: Stream s under account 000000000000 not found."
        );
    }
});

/// All pages of the listing of streams. A page begins after a token or after a name.
async fn stream_pages(lab: &Lab, limit: u32, by_token: bool) -> Vec<Vec<String>> {
    let mut body = json!({ "Limit": limit });
    let mut pages = Vec::new();
    let mut rounds = Rounds::of(10_000, "the last page of streams");
    loop {
        rounds.next();
        let answer = lab.ok("ListStreams", &body.to_string()).await;
        let names: Vec<String> = serde_json::from_value(answer["StreamNames"].clone()).unwrap();
        let summaries = answer["StreamSummaries"].as_array().unwrap();
        assert!(
            summaries
                .iter()
                .map(|got| got["StreamName"].as_str().unwrap())
                .eq(&names)
        );
        let more = answer["HasMoreStreams"].as_bool().unwrap();
        assert_eq!(answer.get("NextToken").is_some(), more);
        body = if by_token {
            json!({"Limit": limit, "NextToken": answer["NextToken"]})
        } else {
            json!({"Limit": limit, "ExclusiveStartStreamName": names.last()})
        };
        pages.push(names);
        if !more {
            return pages;
        }
    }
}

kinesis_test!(
    streams_are_listed_by_code_unit_page_by_page,
    |lab| async move {
        for name in ["b", "B", "a", "_", "9", "a.b", "a-b", "aa"] {
            lab.stream(name).create().await;
        }
        for by_token in [true, false] {
            let pages = stream_pages(&lab, 3, by_token).await;
            assert_eq!(
                pages,
                [
                    vec!["9", "B", "_"],
                    vec!["a", "a-b", "a.b"],
                    vec!["aa", "b"]
                ],
                "by token: {by_token}"
            );
            assert_eq!(stream_pages(&lab, 8, by_token).await.len(), 1);
            assert_eq!(stream_pages(&lab, 1, by_token).await.len(), 8);
        }
        let between = lab
            .ok("ListStreams", r#"{"ExclusiveStartStreamName":"a.a"}"#)
            .await;
        assert_eq!(between["StreamNames"], json!(["a.b", "aa", "b"]));
        let page = lab.ok("ListStreams", r#"{"Limit":6}"#).await;
        let next = json!({"NextToken": page["NextToken"]}).to_string();
        let rest = lab.ok("ListStreams", &next).await;
        assert_eq!(rest["StreamNames"], json!(["aa", "b"]));
    }
);

wire_test!(
    a_hundred_streams_are_a_page,
    ["--profile", "fast"],
    |lab| async move {
        for at in 0..103 {
            lab.ok(
                "CreateStream",
                &format!(r#"{{"StreamName":"s{at:03}","ShardCount":1}}"#),
            )
            .await;
        }
        for body in ["{}", r#"{"Limit":10000}"#] {
            let page = lab.ok("ListStreams", body).await;
            assert_eq!(page["StreamNames"].as_array().unwrap().len(), 100);
            assert_eq!(page["HasMoreStreams"], true);
            let rest = json!({"NextToken": page["NextToken"]}).to_string();
            let rest = lab.ok("ListStreams", &rest).await;
            assert_eq!(rest["StreamNames"], json!(["s100", "s101", "s102"]));
        }
    }
);

kinesis_test!(
    a_page_goes_on_where_the_last_one_ended_whatever_happened,
    |lab| async move {
        for name in ["a", "c", "e"] {
            lab.stream(name).create().await;
        }
        let page = lab.ok("ListStreams", r#"{"Limit":2}"#).await;
        assert_eq!(page["StreamNames"], json!(["a", "c"]));
        lab.ok("DeleteStream", r#"{"StreamName":"c"}"#).await;
        lab.stream("b").create().await;
        lab.stream("d").create().await;
        let rest = lab
            .ok(
                "ListStreams",
                &json!({"NextToken": page["NextToken"]}).to_string(),
            )
            .await;
        assert_eq!(rest["StreamNames"], json!(["d", "e"]));
    }
);
