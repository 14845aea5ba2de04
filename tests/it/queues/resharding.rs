//! Queues whose stream is resharded meanwhile.

use super::*;
use crate::lab::{hours, kinesis_test, wire_test};

/// Splits the open shards of a stream until it has `count`: by way of provisioned mode, which is
/// not possible while there is a queue, so by warm throughput.
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
        const RECORDS: usize = 2_000;
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        let acknowledged = std::cell::RefCell::new(Vec::new());
        let work = || async {
            while acknowledged.borrow().len() < RECORDS {
                // The clock may run for long between a receive and its acknowledgement.
                let wanted = json!({"WaitTimeSeconds": 1, "VisibilityTimeoutSeconds": 43_200});
                let records = receive_with(&lab, Kind::Normal, &arn, wanted).await;
                if !records.is_empty() {
                    acknowledge(&lab, Kind::Normal, &arn, &records).await;
                    let texts = records.into_iter().map(|record| record.text);
                    acknowledged.borrow_mut().extend(texts);
                }
            }
        };
        let write = async {
            for (part, shards) in (0..4).zip([4, 8, 16, 32]) {
                scale(&lab, "s", shards).await;
                put_many(&lab, "s", part * RECORDS / 4..(part + 1) * RECORDS / 4).await;
            }
            // Whoever still waits when all is acknowledged waits by the clock.
            while acknowledged.borrow().len() < RECORDS || lab.waiting_receives() > 0 {
                lab.clock.advance(crate::lab::ms(10)).await;
                tokio::task::yield_now().await;
            }
        };
        let workers: [_; 8] = std::array::from_fn(|_| work());
        tokio::join!(side_by_side(workers), write);
        let acknowledged = acknowledged.into_inner();
        assert_eq!(acknowledged.len(), RECORDS, "none twice");
        let distinct: BTreeSet<_> = acknowledged.into_iter().collect();
        assert_eq!(distinct, numbers(0..RECORDS));
    }
);
