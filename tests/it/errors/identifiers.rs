//! Errors about shards, iterators and tokens.

use super::refused_in_both;
use crate::channels::{to_bucket, to_table};
use crate::lab::{Lab, SHARD_0, arn_of, kinesis_test, ms, seconds, wire_test};
use minikin::internals::operation::OPERATIONS;
use serde_json::{Value, json};

fn iterate(shard: &str) -> String {
    json!({"StreamName": "orders", "ShardId": shard, "ShardIteratorType": "LATEST"}).to_string()
}

fn get(iterator: &str) -> String {
    json!({ "ShardIterator": iterator }).to_string()
}

const INVALID_ITERATOR: &str = "InvalidArgumentException: Invalid ShardIterator.";

wire_test!(
    a_shard_id_without_a_number_is_refused_before_the_stream_is_looked_up,
    |lab| async move {
        for raw in [
            "ABC",
            "2.14E4",
            "2147483648",
            "shardId-002147483648",
            "shardId-",
            "-",
            "a--1",
        ] {
            let got = refused_in_both(&lab, "GetShardIterator", &iterate(raw)).await;
            let expected = format!(
                "ResourceNotFoundException: Could not find shard {raw} in stream orders under account \
             000000000000."
            );
            assert_eq!(got, expected);
        }
    }
);

wire_test!(
    a_reader_of_an_unknown_shard_is_shown_its_canonical_id,
    |lab| async move {
        let gone = |shard: &str| {
            format!(
                "ResourceNotFoundException: Shard {shard} in stream orders under account 000000000000 \
             does not exist"
            )
        };
        // In the first round the stream does not exist. In the second round only the shard does not
        // exist. The message is the same.
        for _ in 0..2 {
            for (raw, shard) in [
                ("shardId-000000000001", "shardId-000000000001"),
                ("1", "shardId-000000000001"),
                ("anything-7-x", "shardId-000000000007"),
                ("2147483647", "shardId-002147483647"),
            ] {
                let got = refused_in_both(&lab, "GetShardIterator", &iterate(raw)).await;
                assert_eq!(got, gone(shard));
            }
            if lab
                .json("DescribeStream", r#"{"StreamName":"orders"}"#)
                .await
                .status
                != 200
            {
                lab.stream("orders").create().await;
            }
        }
    }
);

wire_test!(one_shard_has_many_spellings, |lab| async move {
    lab.stream("orders").shards(2).create().await;
    for raw in [
        "shardId-000000000001",
        "shardId-1",
        "anything-1",
        "-00001",
        "1",
        "x-1-y",
    ] {
        lab.ok("GetShardIterator", &iterate(raw)).await;
    }
});

kinesis_test!(a_text_that_is_no_iterator_is_refused, |lab| async move {
    lab.stream("orders").create().await;
    let iterator = lab.ok("GetShardIterator", &iterate(SHARD_0)).await["ShardIterator"].clone();
    let iterator = iterator.as_str().unwrap();
    let mut broken = vec![
        "AAAA".to_owned(),
        "not base64".to_owned(),
        "\"".to_owned(),
        format!("{iterator}A"),
        format!("{iterator}AAAA"),
        format!("{iterator} "),
        iterator[..iterator.len() - 4].to_owned(),
        iterator.replacen('A', "B", 1),
        iterator.to_lowercase(),
        format!("\"{iterator}"),
        "A".repeat(512),
    ];
    for at in [10, 50, 120, 190] {
        let other = if iterator.as_bytes()[at] == b'x' {
            "y"
        } else {
            "x"
        };
        broken.push([&iterator[..at], other, &iterator[at + 1..]].concat());
    }
    for text in broken {
        let got = refused_in_both(&lab, "GetRecords", &get(&text)).await;
        assert_eq!(got, INVALID_ITERATOR, "{text}");
    }
    lab.ok("GetRecords", &get(&format!("\"{iterator}\""))).await;
});

kinesis_test!(
    an_iterator_is_good_for_300_seconds,
    ["--clock", "virtual=2015-01-22T01:22:02Z"],
    |lab| {
        async move {
            lab.stream("orders").create().await;
            let iterator =
                lab.ok("GetShardIterator", &iterate(SHARD_0)).await["ShardIterator"].clone();
            let get = get(iterator.as_str().unwrap());
            lab.clock.advance(seconds(300)).await;
            lab.ok("GetRecords", &get).await;
            lab.clock.advance(ms(1)).await;
            let expected = "ExpiredIteratorException: Iterator expired. The iterator was created at \
             time Thu Jan 22 01:22:02 UTC 2015 while right now it is Thu Jan 22 01:27:02 UTC 2015 \
             which is further in the future than the tolerated delay of 300000 milliseconds.";
            assert_eq!(refused_in_both(&lab, "GetRecords", &get).await, expected);
        }
    }
);

wire_test!(
    an_expired_iterator_writes_days_in_two_digits,
    ["--clock", "virtual=1767312000"],
    |lab| {
        async move {
            lab.stream("orders").create().await;
            let iterator =
                lab.ok("GetShardIterator", &iterate(SHARD_0)).await["ShardIterator"].clone();
            lab.clock.advance(seconds(301)).await;
            let got = lab
                .refusal("GetRecords", &get(iterator.as_str().unwrap()))
                .await;
            assert!(got.contains("Fri Jan 02 00:00:00 UTC 2026 while"), "{got}");
        }
    }
);

kinesis_test!(
    iterators_of_a_deleted_stream_read_nothing_of_its_successor,
    |lab| async move {
        lab.stream("orders").shards(2).create().await;
        let iterator = async |shard: &str| {
            let got = lab.ok("GetShardIterator", &iterate(shard)).await;
            got["ShardIterator"].as_str().unwrap().to_owned()
        };
        let (first, second) = (iterator("0").await, iterator("1").await);
        lab.ok("DeleteStream", r#"{"StreamName":"orders"}"#).await;
        let gone = |shard: u8| {
            format!(
                "ResourceNotFoundException: Shard shardId-00000000000{shard} in stream orders under \
             account 000000000000 does not exist"
            )
        };
        assert_eq!(lab.refusal("GetRecords", &get(&first)).await, gone(0));
        lab.stream("orders").shards(1).create().await;
        assert_eq!(lab.refusal("GetRecords", &get(&second)).await, gone(1));
        assert_eq!(
            lab.refusal("GetRecords", &get(&first)).await,
            INVALID_ITERATOR
        );
    }
);

wire_test!(an_iterator_stays_with_its_stream, |lab| async move {
    lab.stream("orders").create().await;
    let iterator = lab.ok("GetShardIterator", &iterate(SHARD_0)).await["ShardIterator"].clone();
    let arn = |name: &str| format!("arn:aws:kinesis:us-east-1:000000000000:stream/{name}");
    let body = json!({"ShardIterator": iterator, "StreamARN": arn("other")}).to_string();
    assert_eq!(
        lab.refusal("GetRecords", &body).await,
        "InvalidArgumentException: Input stream name orders doesn't match the inferred name in \
         stream arn other"
    );
    let body = json!({"ShardIterator": iterator, "StreamARN": arn("orders")}).to_string();
    lab.ok("GetRecords", &body).await;
});

wire_test!(
    list_shards_wants_a_stream_or_a_token_and_never_both,
    |lab| async move {
        assert_eq!(
            refused_in_both(&lab, "ListShards", "{}").await,
            "InvalidArgumentException: Either NextToken or StreamName should be provided."
        );
        let token = token(&lab).await;
        for (member, named) in [
            ("StreamName", "StreamName"),
            ("StreamARN", "StreamARN"),
            ("ExclusiveStartShardId", "ExclusiveStartShardId"),
            ("StreamCreationTimestamp", "StreamCreationEpoch"),
            ("ShardFilter", "ShardFilter"),
        ] {
            let body = json!({"NextToken": token, member: sample(member)}).to_string();
            assert_eq!(
                refused_in_both(&lab, "ListShards", &body).await,
                format!(
                    "InvalidArgumentException: NextToken and {named} cannot be provided together."
                )
            );
        }
    }
);

/// The members of every paged operation, each with true if it may be given together with a token. A
/// StreamId is checked and then ignored.
const WITH_A_TOKEN: [(&str, &[(&str, bool)]); 5] = [
    (
        "ListShards",
        &[
            ("MaxResults", true),
            ("ExclusiveStartShardId", false),
            ("StreamName", false),
            ("StreamARN", false),
            ("StreamId", true),
            ("StreamCreationTimestamp", false),
            ("ShardFilter", false),
        ],
    ),
    (
        "ListStreamConsumers",
        &[
            ("StreamARN", true),
            ("MaxResults", true),
            ("StreamCreationTimestamp", false),
            ("StreamId", true),
        ],
    ),
    (
        "ListStreams",
        &[("Limit", true), ("ExclusiveStartStreamName", false)],
    ),
    (
        "ListChannels",
        &[("MaxResults", true), ("StreamFilter", true)],
    ),
    (
        "ListQueues",
        &[("MaxResults", true), ("StreamFilter", true)],
    ),
];

/// A value of a member that satisfies the constraints of its shape.
fn sample(member: &str) -> Value {
    match member {
        "MaxResults" | "Limit" => json!(1),
        "ExclusiveStartShardId" => json!(SHARD_0),
        "StreamName" | "ExclusiveStartStreamName" => json!("orders"),
        "StreamARN" => json!("arn:aws:kinesis:us-east-1:000000000000:stream/orders"),
        "StreamId" => json!("abcdefghij0123456789-abc"),
        "StreamCreationTimestamp" => json!(1_700_000_000),
        "ShardFilter" => json!({"Type": "AT_LATEST"}),
        "StreamFilter" => json!([{"StreamARN": arn_of("shared")}]),
        other => panic!("no sample of {other}"),
    }
}

wire_test!(
    every_member_of_a_paged_operation_is_checked_against_its_token,
    |lab| async move {
        let shards = token(&lab).await;
        lab.stream("more").create().await;
        let streams = lab.ok("ListStreams", r#"{"Limit":1}"#).await["NextToken"].clone();
        let arn = sample("StreamARN");
        for name in ["one", "two"] {
            let body = json!({"StreamARN": arn, "ConsumerName": name}).to_string();
            lab.ok("RegisterStreamConsumer", &body).await;
        }
        let page = json!({"StreamARN": arn, "MaxResults": 1}).to_string();
        let consumers = lab.ok("ListStreamConsumers", &page).await["NextToken"].clone();
        // A token of ListQueues or ListChannels is valid only with the filter of its listing.
        lab.ok("CreateStream", r#"{"StreamName":"shared"}"#).await;
        for name in ["one", "two"] {
            let stream = json!([{"StreamARN": arn_of("shared")}]);
            let body = json!({"QueueName": name, "StreamConfigurationList": stream}).to_string();
            lab.ok("CreateQueue", &body).await;
        }
        for body in [to_bucket("one", "shared"), to_table("two", "shared")] {
            lab.ok("CreateChannel", &body.to_string()).await;
        }
        let filter = sample("StreamFilter");
        let page = json!({"StreamFilter": filter, "MaxResults": 1}).to_string();
        let queues = lab.ok("ListQueues", &page).await["NextToken"].clone();
        let channels = lab.ok("ListChannels", &page).await["NextToken"].clone();
        let paged = OPERATIONS.iter().filter(|entry| {
            let mut members = entry.input.members().into_iter();
            members.any(|member| member.name == "NextToken")
        });
        for entry in paged {
            let (_, members) = WITH_A_TOKEN
                .iter()
                .find(|(operation, _)| *operation == entry.name)
                .unwrap_or_else(|| panic!("{} is not in the table", entry.name));
            for member in entry.input.members() {
                if member.name == "NextToken" {
                    continue;
                }
                let known = members.iter().find(|(name, _)| *name == member.name);
                let (name, allowed) =
                    known.unwrap_or_else(|| panic!("{} of {}", member.name, entry.name));
                let mut body = match entry.name {
                    "ListShards" => json!({"NextToken": shards}),
                    "ListStreams" => json!({"NextToken": streams}),
                    "ListChannels" => json!({"NextToken": channels, "StreamFilter": filter}),
                    "ListQueues" => json!({"NextToken": queues, "StreamFilter": filter}),
                    _ => json!({"NextToken": consumers, "StreamARN": arn}),
                };
                body[*name] = sample(name);
                if *allowed {
                    lab.ok(entry.name, &body.to_string()).await;
                } else {
                    // ListStreams names the two members in the reverse order, and ListShards calls
                    // one of them by another name (radkawar/stackd,
                    // testdata/aws/kinesis/controls.json and topology_raw.json).
                    let both = match (entry.name, *name) {
                        ("ListStreams", _) => format!("{name} and NextToken"),
                        ("ListShards", "StreamCreationTimestamp") => {
                            "NextToken and StreamCreationEpoch".to_owned()
                        }
                        _ => format!("NextToken and {name}"),
                    };
                    let expected =
                        format!("InvalidArgumentException: {both} cannot be provided together.");
                    let got = refused_in_both(&lab, entry.name, &body.to_string()).await;
                    assert_eq!(got, expected, "{}", entry.name);
                }
            }
        }
    }
);

async fn token(lab: &Lab) -> Value {
    lab.stream("orders").shards(2).create().await;
    let page = lab
        .ok("ListShards", r#"{"StreamName":"orders","MaxResults":1}"#)
        .await;
    page["NextToken"].clone()
}

kinesis_test!(tokens_are_good_for_300_seconds, |lab| async move {
    let shards = token(&lab).await;
    lab.stream("more").create().await;
    let streams = lab.ok("ListStreams", r#"{"Limit":1}"#).await["NextToken"].clone();
    lab.clock.advance(seconds(300)).await;
    for (operation, token) in [("ListShards", &shards), ("ListStreams", &streams)] {
        lab.ok(operation, &json!({ "NextToken": token }).to_string())
            .await;
    }
    lab.clock.advance(ms(1)).await;
    for (operation, token) in [("ListShards", &shards), ("ListStreams", &streams)] {
        let body = json!({ "NextToken": token }).to_string();
        assert_eq!(
            refused_in_both(&lab, operation, &body).await,
            "ExpiredNextTokenException: The provided next token has expired."
        );
    }
});

wire_test!(
    a_token_that_is_not_of_the_listing_is_refused,
    |lab| async move {
        let shards = token(&lab).await;
        lab.stream("more").create().await;
        let streams = lab.ok("ListStreams", r#"{"Limit":1}"#).await["NextToken"].clone();
        let iterator = lab.ok("GetShardIterator", &iterate(SHARD_0)).await["ShardIterator"].clone();
        let cut = json!(shards.as_str().unwrap()[4..]);
        for (operation, token) in [
            ("ListShards", json!("AAAA")),
            ("ListShards", json!("~")),
            ("ListShards", cut.clone()),
            ("ListShards", streams),
            ("ListShards", iterator.clone()),
            ("ListStreams", json!("AAAA")),
            ("ListStreams", cut),
            ("ListStreams", shards),
            ("ListStreams", iterator),
        ] {
            let body = json!({ "NextToken": token }).to_string();
            assert_eq!(
                refused_in_both(&lab, operation, &body).await,
                "InvalidArgumentException: Invalid NextToken."
            );
        }
    }
);

wire_test!(a_token_ends_with_its_stream, |lab| async move {
    let token = json!({"NextToken": token(&lab).await}).to_string();
    lab.ok("DeleteStream", r#"{"StreamName":"orders"}"#).await;
    let gone = "ResourceNotFoundException: Stream orders under account 000000000000 not found.";
    assert_eq!(lab.refusal("ListShards", &token).await, gone);
    lab.stream("orders").shards(2).create().await;
    assert_eq!(lab.refusal("ListShards", &token).await, gone);
});

wire_test!(a_filter_has_the_members_of_its_type, |lab| async move {
    lab.stream("orders").create().await;
    let list = |rest: Value| {
        let mut body = rest;
        body["StreamName"] = json!("orders");
        body.to_string()
    };
    for (rest, text) in [
        (
            json!({"ShardFilter": {"Type": "AFTER_SHARD_ID"}}),
            "ShardId must be provided when the ShardFilter Type is AFTER_SHARD_ID.",
        ),
        (
            json!({"ShardFilter": {"Type": "AT_TIMESTAMP"}}),
            "Timestamp must be provided when the ShardFilter Type is AT_TIMESTAMP.",
        ),
        (
            json!({"ShardFilter": {"Type": "FROM_TIMESTAMP"}}),
            "Timestamp must be provided when the ShardFilter Type is FROM_TIMESTAMP.",
        ),
        // The live service was recorded with these two messages (radkawar/stackd,
        // testdata/aws/kinesis/topology.json).
        (
            json!({"ShardFilter": {"Type": "AT_TIMESTAMP", "Timestamp": 1}}),
            "ShardFilter Timestamp cannot be older than TRIM_HORIZON of the stream.",
        ),
        (
            json!({"ShardFilter": {"Type": "FROM_TIMESTAMP", "Timestamp": 2_000_000_000}}),
            "ShardFilter Timestamp must not be greater than current time.",
        ),
        (
            json!({"ShardFilter": {"Type": "AT_LATEST"}, "ExclusiveStartShardId": "shardId-0"}),
            "ShardFilter and ExclusiveStartShardId cannot be provided together.",
        ),
    ] {
        let got = refused_in_both(&lab, "ListShards", &list(rest)).await;
        assert_eq!(got, format!("InvalidArgumentException: {text}"));
    }
});
