//! Record sizes, the distribution of records over shards, and shards that split by themselves.

use super::{
    arn_of, key_of, not_found, ok, ok_cbor, open_indexes, refused, restart, shard_id, shards,
    summary,
};
use crate::lab::{Lab, Stream, kinesis_test, ms, seconds, wire_test};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn size(kib: u32) -> Value {
    json!({"StreamARN": arn_of("s"), "MaxRecordSizeInKiB": kib})
}

fn record(bytes: usize) -> Value {
    let data = STANDARD.encode(vec![b'x'; bytes]);
    json!({"StreamName": "s", "PartitionKey": "k", "Data": data})
}

fn too_long(path: &str, limit: usize) -> String {
    format!(
        "ValidationException: 1 validation error detected: Value at '{path}' failed to satisfy \
         constraint: Member must have length less than or equal to {limit}"
    )
}

const MIB: usize = 1 << 20;

kinesis_test!(
    ten_mebibytes_go_in_and_come_out_in_both_formats,
    ["--limit", "shard-write-bytes=off"],
    |lab| async move {
        let stream = lab.stream("s").create().await;
        ok(&lab, "UpdateMaxRecordSize", size(10_240)).await;
        assert_eq!(summary(&lab, "s").await["MaxRecordSizeInKiB"], 10_240);
        let largest = record(10 * MIB - 1);
        ok(&lab, "PutRecord", largest.clone()).await;
        ok_cbor(&lab, "PutRecord", largest.clone()).await;
        let iterator = stream.horizon(&shard_id(0)).await;
        let first = ok(&lab, "GetRecords", json!({"ShardIterator": iterator})).await;
        assert_eq!(
            first["Records"].as_array().unwrap().len(),
            1,
            "an answer's 10 MiB"
        );
        let next = json!({"ShardIterator": first["NextShardIterator"]});
        let second = ok_cbor(&lab, "GetRecords", next).await;
        for got in [first, second] {
            assert!(
                got["Records"][0]["Data"] == largest["Data"],
                "the same bytes"
            );
        }
    }
);

kinesis_test!(
    a_lower_maximum_binds_writers_and_leaves_what_is_stored,
    ["--limit", "shard-write-bytes=off"],
    |lab| async move {
        let stream = lab.stream("s").record_kib(3072).create().await;
        assert_eq!(
            refused(&lab, "PutRecord", record(3 * MIB)).await,
            too_long("data", 3 * MIB)
        );
        ok(&lab, "PutRecord", record(3 * MIB - 1)).await;
        assert_eq!(
            ok_cbor(&lab, "UpdateMaxRecordSize", size(1024)).await,
            Value::Null
        );
        assert_eq!(
            refused(&lab, "PutRecord", record(MIB)).await,
            too_long("data", MIB)
        );
        let mut puts = json!({"StreamName": "s", "Records": [record(1), record(MIB)]});
        for entry in puts["Records"].as_array_mut().unwrap() {
            entry.as_object_mut().unwrap().remove("StreamName");
        }
        let got = refused(&lab, "PutRecords", puts).await;
        assert_eq!(got, too_long("records.2.member.data", MIB));
        assert_eq!(stream.read_all().await.len(), 1);
    }
);

wire_test!(
    a_record_size_has_bounds_and_a_stream,
    ["--transition-ms", "500"],
    |lab| async move {
        for (kib, rule) in [
            (1023, "greater than or equal to 1024"),
            (10_241, "less than or equal to 10240"),
        ] {
            let got = refused(&lab, "UpdateMaxRecordSize", size(kib)).await;
            let expected = format!(
                "ValidationException: 1 validation error detected: Value '{kib}' at \
                 'maxRecordSizeInKiB' failed to satisfy constraint: Member must have value {rule}"
            );
            assert_eq!(got, expected);
        }
        let got = refused(
            &lab,
            "UpdateMaxRecordSize",
            json!({"MaxRecordSizeInKiB": 1024}),
        )
        .await;
        let expected =
            "InvalidArgumentException: Stream arn and stream name can't be empty at the same time";
        assert_eq!(got, expected);
        assert_eq!(
            refused(&lab, "UpdateMaxRecordSize", size(1024)).await,
            not_found("s")
        );
        lab.stream("s").create().await;
        lab.clock.advance(ms(500)).await;
        ok(&lab, "UpdateMaxRecordSize", size(1024)).await;
        assert_eq!(
            summary(&lab, "s").await["StreamStatus"],
            "ACTIVE",
            "the same changes nothing"
        );
        ok(&lab, "UpdateMaxRecordSize", size(2048)).await;
        assert_eq!(
            refused(&lab, "PutRecord", record(MIB)).await,
            too_long("data", MIB)
        );
        lab.clock.advance(ms(500)).await;
    }
);

fn strategy(strategy: &str) -> Value {
    json!({"StreamARN": arn_of("s"), "RecordDistributionStrategy": strategy})
}

const STRATEGY: &str = "UpdateStreamRecordDistributionStrategy";

/// The shards of forty records with the same key.
async fn spread(lab: &Lab, entry: &Value) -> BTreeSet<String> {
    let entries = vec![entry.clone(); 39];
    let got = ok(
        lab,
        "PutRecords",
        json!({"StreamName": "s", "Records": entries}),
    )
    .await;
    assert_eq!(got["FailedRecordCount"], 0);
    let mut one = entry.clone();
    one["StreamName"] = "s".into();
    let last = ok_cbor(lab, "PutRecord", one).await;
    let all = got["Records"].as_array().unwrap().iter().chain([&last]);
    all.map(|put| put["ShardId"].as_str().unwrap().to_owned())
        .collect()
}

disk_test!(
    an_auto_stream_spreads_records_itself,
    [],
    |lab| async move {
        ok(&lab, "CreateStream", json!({"StreamName": "s"})).await;
        let keyed = json!({"Data": "", "PartitionKey": "k", "ExplicitHashKey": "5"});
        let keyless = json!({"Data": ""});
        assert_eq!(spread(&lab, &keyed).await.len(), 1);
        assert_eq!(ok(&lab, STRATEGY, strategy("AUTO")).await, Value::Null);
        restart(&lab).await;
        assert_eq!(spread(&lab, &keyed).await.len(), 4, "the keys are ignored");
        assert_eq!(spread(&lab, &keyless).await.len(), 4);
        let stream = Stream::existing(&lab, "s");
        let mut kept = (0, 0);
        for shard in 0..4 {
            let iterator = stream.horizon(&shard_id(shard)).await;
            let got = ok(&lab, "GetRecords", json!({"ShardIterator": iterator})).await;
            let records = got["Records"].as_array().unwrap();
            let keyed = records
                .iter()
                .filter(|record| record.get("PartitionKey") == Some(&json!("k")));
            kept = (kept.0 + keyed.count(), kept.1 + records.len());
        }
        assert_eq!(kept, (80, 120));
    }
);

wire_test!(an_auto_stream_takes_no_ordering_number, |lab| async move {
    let create = json!({"StreamName": "s", "RecordDistributionStrategy": "AUTO"});
    ok_cbor(&lab, "CreateStream", create).await;
    assert_eq!(
        summary(&lab, "s").await["RecordDistributionStrategy"],
        "AUTO"
    );
    let first = ok(&lab, "PutRecord", json!({"StreamName": "s", "Data": ""})).await;
    let ordered = json!({
        "StreamName": "s", "Data": "", "SequenceNumberForOrdering": first["SequenceNumber"]
    });
    let got = refused(&lab, "PutRecord", ordered.clone()).await;
    let expected = "InvalidArgumentException: SequenceNumberForOrdering is not supported for \
                    streams with record distribution strategy AUTO.";
    assert_eq!(got, expected);
    ok(&lab, STRATEGY, strategy("USER_PARTITION_KEY")).await;
    let got = refused(&lab, "PutRecord", ordered).await;
    let expected = "ValidationException: 1 validation error detected: Value null at \
        'partitionKey' failed to satisfy constraint: Member must not be null";
    assert_eq!(got, expected);
});

wire_test!(strategies_are_for_on_demand_streams, |lab| async move {
    assert_eq!(
        refused(&lab, STRATEGY, strategy("AUTO")).await,
        not_found("s")
    );
    let got = refused(&lab, STRATEGY, strategy("RANDOM")).await;
    assert!(
        got.ends_with("enum value set: [AUTO, USER_PARTITION_KEY]"),
        "{got}"
    );
    lab.stream("s").create().await;
    let only = "InvalidArgumentException: Record distribution strategy AUTO is only supported for \
                streams in On-Demand mode.";
    for name in ["AUTO", "USER_PARTITION_KEY"] {
        assert_eq!(refused(&lab, STRATEGY, strategy(name)).await, only);
    }
    let mode =
        |mode: &str| json!({"StreamARN": arn_of("s"), "StreamModeDetails": {"StreamMode": mode}});
    ok(&lab, "UpdateStreamMode", mode("ON_DEMAND")).await;
    ok(&lab, STRATEGY, strategy("AUTO")).await;
    let got = refused(&lab, "UpdateStreamMode", mode("PROVISIONED")).await;
    let expected = "InvalidArgumentException: A stream with record distribution strategy AUTO \
                    cannot be switched to Provisioned mode.";
    assert_eq!(got, expected);
    ok(&lab, STRATEGY, strategy("USER_PARTITION_KEY")).await;
    ok(&lab, "UpdateStreamMode", mode("PROVISIONED")).await;
});

/// Puts half a mebibyte a second into the shard of hash key 0, for `count` seconds.
async fn write_steadily(lab: &Lab, stream: &Stream, count: u64) {
    let data = vec![0; 600_000];
    for _ in 0..count {
        stream.put_at("0", &data).await;
        lab.clock.advance(seconds(1)).await;
    }
}

kinesis_test!(
    a_busy_shard_of_an_on_demand_stream_is_split_in_the_middle,
    ["--on-demand-scaling", "on"],
    |lab| async move {
        ok(&lab, "CreateStream", json!({"StreamName": "s"})).await;
        let stream = Stream::existing(&lab, "s");
        write_steadily(&lab, &stream, 61).await;
        assert_eq!(open_indexes(&lab, "s").await, [4, 5, 1, 2, 3]);
        let split = shards(&lab, "s").await;
        let quarter = 1 << 126;
        assert_eq!(key_of(&split[0], "EndingHashKey"), quarter - 1);
        let middle = key_of(&split[5], "StartingHashKey");
        assert!(middle.abs_diff(quarter / 2) <= 1, "{middle}");
        lab.clock.advance(seconds(600)).await;
        assert_eq!(
            open_indexes(&lab, "s").await,
            [4, 5, 1, 2, 3],
            "it is idle now"
        );
    }
);

wire_test!(
    shards_stay_as_they_are_unless_scaling_is_on,
    |lab| async move {
        ok(&lab, "CreateStream", json!({"StreamName": "s"})).await;
        let stream = Stream::existing(&lab, "s");
        write_steadily(&lab, &stream, 61).await;
        assert_eq!(open_indexes(&lab, "s").await, [0, 1, 2, 3]);
    }
);
