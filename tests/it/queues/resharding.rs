//! Queues whose stream is resharded at the same time.

use super::*;
use crate::lab::{hours, kinesis_test, wire_test};

/// Splits the open shards of a stream until it has `count`. Uses warm throughput, because a stream
/// with a queue cannot be provisioned.
async fn scale(lab: &Lab, stream: &str, count: u32) {
    let commitment = json!({"MinimumThroughputBillingCommitment": {"Status": "ENABLED"}});
    ok(lab, "UpdateAccountSettings", commitment).await;
    let body = json!({"StreamARN": arn_of(stream), "WarmThroughputMiBps": count});
    ok(lab, "UpdateStreamWarmThroughput", body).await;
}

async fn open_shards(lab: &Lab, stream: &str) -> u64 {
    let summary = ok(lab, "DescribeStreamSummary", json!({"StreamName": stream})).await;
    summary["StreamDescriptionSummary"]["OpenShardCount"]
        .as_u64()
        .unwrap()
}

kinesis_test!(children_are_read_after_their_parents, |lab| async move {
    create_stream(&lab, "s").await;
    let arn = create_queue(&lab, "q", "s").await;
    let late = created(&lab, queue_at("late", "s", "LATEST")).await;
    put_many(&lab, "s", 0..40).await;
    scale(&lab, "s", 8).await;
    assert_eq!(open_shards(&lab, "s").await, 8);
    put_many(&lab, "s", 40..80).await;
    for arn in [&arn, &late] {
        let mut seen = BTreeSet::new();
        while seen.len() < 80 {
            let records = receive(&lab, arn).await;
            assert!(!records.is_empty());
            acknowledge(&lab, Kind::Normal, arn, &records).await;
            seen.extend(texts(&records));
        }
        assert_eq!(seen, numbers(0..80));
        nothing(&lab, Kind::Normal, arn).await;
    }
    let latest = created(&lab, queue_at("latest", "s", "LATEST")).await;
    nothing(&lab, Kind::Normal, &latest).await;
    put(&lab, "s", "new").await;
    assert_eq!(drain(&lab, &latest, 1).await, ["new".to_owned()].into());
});

wire_test!(
    shards_whose_records_have_expired_leave_the_queue,
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        put_many(&lab, "s", 0..9).await;
        let held = receive(&lab, &arn).await;
        scale(&lab, "s", 8).await;
        lab.clock.advance(hours(25)).await;
        put_many(&lab, "s", 9..20).await;
        assert_eq!(drain(&lab, &arn, 11).await, numbers(9..20));
        nothing(&lab, Kind::Normal, &arn).await;
        let gone = try_acknowledge(&lab, Kind::Normal, &arn, &held[0].handle).await;
        assert_eq!(gone.as_deref(), Some("ResourceNotFoundException"));
    }
);

kinesis_test!(
    workers_acknowledge_each_record_once_while_shards_are_split,
    ["--limit", "shard-write-records=off"],
    |lab| async move {
        create_stream(&lab, "s").await;
        work_through(&lab, 0..2_000).await;
    }
);

wire_test!(
    eight_workers_acknowledge_each_record_once_past_splits_and_merges,
    [
        "--limit",
        "shard-write-records=off",
        "--limit",
        "shard-write-bytes=off"
    ],
    |lab| async move {
        let records = std::env::var("QUEUE_RECORDS");
        let records = records.map_or(20_000, |text| text.parse().unwrap());
        // A queue needs an on-demand stream, whose shards cannot be merged. Therefore the merges
        // come first.
        lab.stream("s").shards(4).create().await;
        put_many(&lab, "s", 0..records / 4).await;
        let shard = |number: usize| format!("shardId-{number:012}");
        let eighth = ((1_u128 << 125) - 1).to_string();
        let split = json!({
            "StreamName": "s", "ShardToSplit": shard(0), "NewStartingHashKey": eighth,
        });
        ok(&lab, "SplitShard", split).await;
        let merge = json!({
            "StreamName": "s", "ShardToMerge": shard(1), "AdjacentShardToMerge": shard(2),
        });
        ok(&lab, "MergeShards", merge).await;
        put_many(&lab, "s", records / 4..records / 2).await;
        let mode = json!({
            "StreamARN": arn_of("s"), "StreamModeDetails": {"StreamMode": "ON_DEMAND"},
        });
        ok(&lab, "UpdateStreamMode", mode).await;
        work_through(&lab, records / 2..records).await;
    }
);

/// Puts records while shards are split, and while eight workers acknowledge these and all earlier
/// records. Checks that each record is acknowledged once.
async fn work_through(lab: &Lab, new: std::ops::Range<usize>) {
    let arn = create_queue(lab, "q", "s").await;
    let acknowledged = std::cell::RefCell::new(Vec::new());
    let work = || async {
        while acknowledged.borrow().len() < new.end {
            // The clock may advance a lot between a receive and its acknowledgement.
            let wanted = json!({"WaitTimeSeconds": 1, "VisibilityTimeoutSeconds": 43_200});
            let records = receive_with(lab, Kind::Normal, &arn, wanted).await;
            if !records.is_empty() {
                acknowledge(lab, Kind::Normal, &arn, &records).await;
                let texts = records.into_iter().map(|record| record.text);
                acknowledged.borrow_mut().extend(texts);
            }
        }
    };
    let write = async {
        let quarter = new.len() / 4;
        for (part, shards) in (0..4).zip([4, 8, 16, 32]) {
            scale(lab, "s", shards).await;
            let from = new.start + part * quarter;
            let end = if part == 3 { new.end } else { from + quarter };
            put_many(lab, "s", from..end).await;
        }
        // Receives that still wait after the last acknowledgement wait for the clock to advance.
        loop {
            lab.clock.advance(crate::lab::ms(10)).await;
            tokio::task::yield_now().await;
        }
    };
    let workers: [_; 8] = std::array::from_fn(|_| work());
    tokio::select! {
        _ = side_by_side(workers) => {}
        () = write => {}
    }
    let acknowledged = acknowledged.into_inner();
    assert_eq!(acknowledged.len(), new.end, "none twice");
    let distinct: BTreeSet<_> = acknowledged.into_iter().collect();
    assert_eq!(distinct, numbers(0..new.end));
}
