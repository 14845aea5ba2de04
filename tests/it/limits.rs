//! Rates of a shard, by the emulator's clock.

use crate::lab::{Lab, SHARD_0, Stream, kinesis_test, ms, seconds, wire_test};
use aws_sdk_kinesis::operation::put_records::PutRecordsOutput;
use aws_sdk_kinesis::types::ShardIteratorType;

const MIB: usize = 1 << 20;

const REFUSED: &str = "ProvisionedThroughputExceededException: Rate exceeded for shard \
                       shardId-000000000000 in stream orders under account 000000000000.";

/// Puts a record of this size. The size includes the key of one byte. Returns the refusal if there
/// is one.
async fn put(stream: &Stream, bytes: usize) -> Result<(), String> {
    let body = serde_json::json!({
        "StreamName": stream.name, "PartitionKey": "k", "ExplicitHashKey": "0",
        "Data": base64(bytes - 1),
    });
    let answer = stream.lab.json("PutRecord", &body.to_string()).await;
    if answer.status == 200 {
        Ok(())
    } else {
        Err(answer.refusal().to_string())
    }
}

fn base64(bytes: usize) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(vec![0; bytes])
}

/// Marks the records of a request that were accepted. The other records have the service's refusal.
fn taken(put: &PutRecordsOutput) -> Vec<bool> {
    let failed = put
        .records
        .iter()
        .filter(|entry| entry.error_code.is_some())
        .count();
    assert_eq!(
        put.failed_record_count,
        Some(i32::try_from(failed).unwrap())
    );
    let taken = |entry: &aws_sdk_kinesis::types::PutRecordsResultEntry| {
        if let Some(code) = entry.error_code() {
            assert_eq!(code, "ProvisionedThroughputExceededException");
            let text = "Rate exceeded for shard shardId-000000000000 in stream orders under \
                        account 000000000000.";
            assert_eq!(entry.error_message(), Some(text));
            assert_eq!((entry.sequence_number(), entry.shard_id()), (None, None));
            return false;
        }
        assert_eq!(
            (entry.error_message(), entry.shard_id()),
            (None, Some(SHARD_0))
        );
        assert!(entry.sequence_number().is_some());
        true
    };
    put.records.iter().map(taken).collect()
}

kinesis_test!(
    a_shard_takes_a_thousand_records_a_second,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        for _ in 0..2 {
            assert_eq!(
                taken(&stream.put_records(&[("k", b""); 500]).await),
                [true; 500]
            );
        }
        assert_eq!(put(&stream, 1).await, Err(REFUSED.to_owned()));
        assert_eq!(
            taken(&stream.put_records(&[("k", b""); 3]).await),
            [false; 3]
        );
        lab.clock.advance(ms(1)).await;
        assert_eq!(
            taken(&stream.put_records(&[("k", b""); 3]).await),
            [true, false, false]
        );
        lab.clock.advance(ms(500)).await;
        assert_eq!(
            taken(&stream.put_records(&[("k", b""); 500]).await),
            [true; 500]
        );
        assert_eq!(put(&stream, 1).await, Err(REFUSED.to_owned()));
        // The budget never holds more than the amount of one second.
        lab.clock.advance(seconds(3600)).await;
        for _ in 0..2 {
            assert_eq!(
                taken(&stream.put_records(&[("k", b""); 500]).await),
                [true; 500]
            );
        }
        assert_eq!(
            taken(&stream.put_records(&[("k", b""); 2]).await),
            [false; 2]
        );
        assert_eq!(stream.read_all().await.len(), 2501);
    }
);

kinesis_test!(
    a_shard_takes_a_mebibyte_a_second_keys_counted,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        assert_eq!(put(&stream, MIB - 10).await, Ok(()));
        assert_eq!(put(&stream, 11).await, Err(REFUSED.to_owned()));
        assert_eq!(put(&stream, 10).await, Ok(()));
        assert_eq!(put(&stream, 1).await, Err(REFUSED.to_owned()));
        lab.clock.advance(ms(250)).await;
        assert_eq!(put(&stream, MIB / 4 + 1).await, Err(REFUSED.to_owned()));
        assert_eq!(put(&stream, MIB / 4).await, Ok(()));
        assert_eq!(put(&stream, 1).await, Err(REFUSED.to_owned()));
    }
);

kinesis_test!(
    records_of_one_request_are_judged_in_order,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        let large = vec![0; MIB - 100];
        let ten = [("k", large.as_slice()); 9];
        let mut expected = [false; 9];
        expected[0] = true;
        assert_eq!(taken(&stream.put_records(&ten).await), expected);
        lab.clock.advance(seconds(1)).await;
        // The second record does not fit and is refused. Later records that fit are accepted.
        let half = vec![0; MIB / 2 - 1];
        let small = b"small".as_slice();
        let records: [(&str, &[u8]); 5] = [
            ("k", &half),
            ("k", &large),
            ("k", small),
            ("k", &half),
            ("k", small),
        ];
        assert_eq!(
            taken(&stream.put_records(&records).await),
            [true, false, true, false, true]
        );
        let read = stream.read_all().await;
        let sizes: Vec<_> = read
            .iter()
            .map(|record| record.data.as_ref().len())
            .collect();
        assert_eq!(sizes, [MIB - 100, MIB / 2 - 1, 5, 5]);
    }
);

wire_test!(shards_have_rates_of_their_own, |lab| async move {
    let stream = lab.stream("orders").shards(2).create().await;
    assert_eq!(put(&stream, MIB).await, Ok(()));
    assert_eq!(put(&stream, 1).await, Err(REFUSED.to_owned()));
    let other = stream
        .put_at("340282366920938463463374607431768211455", "v")
        .await;
    assert_eq!(other.shard, "shardId-000000000001");
});

wire_test!(
    a_record_beyond_a_seconds_worth_waits_for_a_full_bucket_and_leaves_a_debt,
    |lab| async move {
        let stream = lab.stream("orders").record_kib(4096).create().await;
        assert_eq!(put(&stream, 4 * MIB).await, Ok(()));
        // Three seconds pay off the debt of three mebibytes. After that the bucket fills up.
        lab.clock.advance(seconds(3)).await;
        assert_eq!(put(&stream, 1).await, Err(REFUSED.to_owned()));
        lab.clock.advance(ms(1)).await;
        assert_eq!(put(&stream, 1000).await, Ok(()));
        assert_eq!(put(&stream, 2 * MIB).await, Err(REFUSED.to_owned()));
        lab.clock.advance(seconds(1)).await;
        assert_eq!(put(&stream, 2 * MIB).await, Ok(()));
    }
);

wire_test!(
    a_refused_record_and_a_dry_run_cost_nothing,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        let dry = serde_json::json!({
            "StreamName": "orders", "PartitionKey": "k", "Data": base64(MIB - 1), "DryRun": true,
        });
        for _ in 0..3 {
            let message = lab.refusal("PutRecord", &dry.to_string()).await;
            assert!(
                message.starts_with("DryRunOperationException: "),
                "{message}"
            );
        }
        assert_eq!(put(&stream, MIB).await, Ok(()));
        for _ in 0..3 {
            assert_eq!(put(&stream, MIB).await, Err(REFUSED.to_owned()));
            // The rates do not apply to a dry run either.
            let message = lab.refusal("PutRecord", &dry.to_string()).await;
            assert!(
                message.starts_with("DryRunOperationException: "),
                "{message}"
            );
        }
        lab.clock.advance(seconds(1)).await;
        assert_eq!(put(&stream, MIB).await, Ok(()));
        assert_eq!(stream.read_all().await.len(), 2);
    }
);

wire_test!(
    limits_can_be_set_alone,
    ["--limit", "shard-write-records=2"],
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        let put = stream.put_records(&[("k", b"v"); 4]).await;
        assert_eq!(taken(&put), [true, true, false, false]);
    }
);

wire_test!(
    the_fast_profile_has_no_rates,
    ["--profile", "fast"],
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        for _ in 0..3 {
            assert_eq!(put(&stream, MIB).await, Ok(()));
            assert_eq!(
                taken(&stream.put_records(&[("k", b""); 500]).await),
                [true; 500]
            );
        }
    }
);

const READ_REFUSED: &str = "ProvisionedThroughputExceededException: Rate exceeded for Shard - \
                            000000000000/orders/shardId-000000000000";

/// The number of records in one GetRecords answer, or the refusal.
async fn get(stream: &Stream, iterator: &str) -> Result<usize, String> {
    let body = serde_json::json!({ "ShardIterator": iterator }).to_string();
    let answer = stream.lab.json("GetRecords", &body).await;
    if answer.status != 200 {
        return Err(answer.refusal().to_string());
    }
    Ok(answer.value()["Records"].as_array().unwrap().len())
}

wire_test!(
    the_strict_profile_reads_five_times_a_second,
    ["--profile", "strict"],
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        lab.clock.advance(ms(500)).await;
        let iterator = stream.horizon(SHARD_0).await;
        for _ in 0..5 {
            assert_eq!(get(&stream, &iterator).await, Ok(0));
        }
        assert_eq!(get(&stream, &iterator).await, Err(READ_REFUSED.to_owned()));
        lab.clock.advance(ms(200)).await;
        assert_eq!(get(&stream, &iterator).await, Ok(0));
        assert_eq!(get(&stream, &iterator).await, Err(READ_REFUSED.to_owned()));
        // A call that is refused for another reason is not counted.
        lab.clock.advance(seconds(1)).await;
        let dry = serde_json::json!({"ShardIterator": iterator, "DryRun": true}).to_string();
        for _ in 0..6 {
            let message = lab.refusal("GetRecords", &dry).await;
            assert!(
                message.starts_with("DryRunOperationException: "),
                "{message}"
            );
        }
        assert_eq!(get(&stream, &iterator).await, Ok(0));
    }
);

wire_test!(
    the_strict_profile_gives_five_iterators_a_second,
    ["--profile", "strict"],
    |lab| {
        async move {
            let stream = lab.stream("orders").create().await;
            lab.clock.advance(ms(500)).await;
            let body = r#"{"StreamName":"orders","ShardId":"0","ShardIteratorType":"LATEST"}"#;
            for _ in 0..5 {
                lab.ok("GetShardIterator", body).await;
            }
            assert_eq!(lab.refusal("GetShardIterator", body).await, READ_REFUSED);
            let again = stream
                .client
                .get_shard_iterator()
                .stream_name("orders")
                .shard_id(SHARD_0);
            let again = again
                .shard_iterator_type(ShardIteratorType::TrimHorizon)
                .send()
                .await;
            let error = again.unwrap_err().into_service_error();
            assert!(error.is_provisioned_throughput_exceeded_exception());
            lab.clock.advance(ms(200)).await;
            lab.ok("GetShardIterator", body).await;
            assert_eq!(lab.refusal("GetShardIterator", body).await, READ_REFUSED);
        }
    }
);

wire_test!(
    a_large_answer_is_paid_off_in_the_seconds_after_it,
    ["--profile", "strict"],
    |lab| {
        async move {
            let stream = lab.stream("orders").create().await;
            lab.clock.advance(ms(500)).await;
            for _ in 0..10 {
                assert_eq!(put(&stream, MIB).await, Ok(()));
                lab.clock.advance(seconds(1)).await;
            }
            let iterator = stream.horizon(SHARD_0).await;
            assert_eq!(get(&stream, &iterator).await, Ok(10));
            // The answer costs ten mebibytes at two mebibytes a second. The budget of one second
            // was full before the call, so four seconds remain.
            assert_eq!(get(&stream, &iterator).await, Err(READ_REFUSED.to_owned()));
            lab.clock.advance(ms(3999)).await;
            assert_eq!(get(&stream, &iterator).await, Err(READ_REFUSED.to_owned()));
            lab.clock.advance(ms(1)).await;
            assert_eq!(get(&stream, &iterator).await, Ok(10));
        }
    }
);

wire_test!(the_standard_profile_limits_no_reads, |lab| async move {
    let stream = lab.stream("orders").create().await;
    assert_eq!(put(&stream, MIB).await, Ok(()));
    for _ in 0..30 {
        let iterator = stream.horizon(SHARD_0).await;
        assert_eq!(get(&stream, &iterator).await, Ok(1));
    }
});

wire_test!(
    on_demand_streams_have_a_limit_of_their_own,
    ["--limit", "on-demand-streams=1"],
    |lab| {
        async move {
            lab.ok("CreateStream", r#"{"StreamName":"a"}"#).await;
            lab.ok("CreateStream", r#"{"StreamName":"b","ShardCount":1}"#)
                .await;
            assert_eq!(
                lab.refusal("CreateStream", r#"{"StreamName":"c"}"#).await,
                "LimitExceededException: This request would exceed the limit on the number of On-Demand \
             streams for the account 000000000000 in us-east-1. Current On-Demand streams count: 1. \
             Limit: 1."
            );
            lab.ok("DeleteStream", r#"{"StreamName":"a"}"#).await;
            lab.ok("CreateStream", r#"{"StreamName":"c"}"#).await;
        }
    }
);

wire_test!(
    the_strict_profile_counts_calls,
    ["--profile", "strict"],
    |lab| async move {
        let of_stream = "LimitExceededException: Rate exceeded for stream orders under account \
                     000000000000.";
        let of_account = "LimitExceededException: Rate exceeded for account 000000000000.";
        let named = r#"{"StreamName":"orders"}"#;
        for (operation, body, calls, refusal) in [
            ("DescribeStream", named, 10, of_stream),
            ("DescribeStreamSummary", named, 20, of_stream),
            ("DeleteStream", named, 5, of_stream),
            (
                "CreateStream",
                r#"{"StreamName":"orders","ShardCount":1}"#,
                5,
                of_stream,
            ),
            ("ListStreams", "{}", 5, of_account),
        ] {
            for call in 0..calls {
                let answer = lab.json(operation, body).await;
                let message = answer.text();
                assert!(
                    !message.contains("Rate exceeded"),
                    "{operation} {call}: {message}"
                );
            }
            assert_eq!(lab.refusal(operation, body).await, refusal, "{operation}");
            lab.clock.advance(ms(1000)).await;
            let message = lab.json(operation, body).await.text();
            assert!(!message.contains("Rate exceeded"), "{operation}: {message}");
        }
    }
);

wire_test!(
    no_call_makes_more_shards_of_a_stream_than_the_limit_by_name,
    ["--profile", "fast"],
    |lab: Lab| async move {
        lab.ok("CreateStream", r#"{"StreamName":"wide","ShardCount":5001}"#)
            .await;
        let scale = |count: u32| {
            format!(
                r#"{{"StreamName":"wide","TargetShardCount":{count},"ScalingType":"UNIFORM_SCALING"}}"#
            )
        };
        let message = lab.refusal("UpdateShardCount", &scale(10_001)).await;
        assert!(message.starts_with("LimitExceededException: "), "{message}");
        lab.ok("UpdateShardCount", &scale(10_000)).await;
    }
);
