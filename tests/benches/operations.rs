//! Operations from the request's body to the answer's, without HTTP.
//!
//! A dry run stops after the checks, so the rest costs the difference.

use crate::bed::{Bed, RECORD_BYTES, put_record, put_records};
use bytes::Bytes;
use criterion::{Criterion, Throughput};
use minikin::internals::operation::Entry;
use minikin::internals::wire::Format;
use minikin::internals::world::Stopwatch;
use serde_json::json;
use std::time::Duration;

const FORMATS: [(Format, &str); 2] = [(Format::Json, "json"), (Format::Cbor, "cbor")];
const BATCH: usize = 500;
/// Number of records after which a new stream begins, so that the store never has to spill.
const RECORDS_A_STREAM: u64 = 20_000;

pub(crate) fn measure(criterion: &mut Criterion) {
    let bed = Bed::new();
    puts(criterion, &bed);
    batches(criterion, &bed);
    reads(criterion, &bed);
}

fn puts(criterion: &mut Criterion, bed: &Bed) {
    let mut group = criterion.benchmark_group("PutRecord");
    let entry = Entry::find("PutRecord").unwrap();
    for (format, name) in FORMATS {
        for (dry_run, what) in [(true, "dry run"), (false, "whole")] {
            let body = put_record(format, "orders", dry_run);
            group.bench_function(format!("{what} {name}"), |bencher| {
                bencher.iter_custom(|calls| repeat(bed, entry, &body, format, calls, 1, 4));
            });
        }
    }
    let body = put_record(Format::Json, "orders", false);
    group.bench_function("whole json, 1,000 shards", |bencher| {
        bencher.iter_custom(|calls| repeat(bed, entry, &body, Format::Json, calls, 1, 1_000));
    });
    group.finish();
}

fn batches(criterion: &mut Criterion, bed: &Bed) {
    let mut group = criterion.benchmark_group("PutRecords 500");
    group.throughput(Throughput::Elements(BATCH as u64));
    let entry = Entry::find("PutRecords").unwrap();
    for (format, name) in FORMATS {
        for (dry_run, what) in [(true, "dry run"), (false, "whole")] {
            let body = put_records(format, "orders", BATCH, dry_run);
            let records = BATCH as u64;
            group.bench_function(format!("{what} {name}"), |bencher| {
                bencher.iter_custom(|calls| repeat(bed, entry, &body, format, calls, records, 4));
            });
        }
    }
    group.finish();
}

/// Measures calls that each put `records` into a stream of `shards`.
fn repeat(
    bed: &Bed,
    entry: &'static Entry,
    body: &Bytes,
    format: Format,
    calls: u64,
    records: u64,
    shards: u32,
) -> Duration {
    let mut took = Duration::ZERO;
    let mut left = calls;
    bed.runtime.block_on(async {
        while left > 0 {
            bed.create("orders", shards).await;
            let now = left.min(RECORDS_A_STREAM / records);
            let watch = Stopwatch::start();
            for _ in 0..now {
                bed.answer(entry, body.clone(), format).await;
            }
            took += watch.elapsed();
            left -= now;
            bed.delete("orders").await;
        }
    });
    took
}

fn reads(criterion: &mut Criterion, bed: &Bed) {
    const RECORDS: usize = 1_000;
    let iterator = bed.runtime.block_on(async {
        bed.create("orders", 1).await;
        let entry = Entry::find("PutRecords").unwrap();
        for _ in 0..RECORDS / BATCH {
            let body = put_records(Format::Json, "orders", BATCH, false);
            bed.answer(entry, body, Format::Json).await;
        }
        let start = json!({
            "StreamName": "orders", "ShardId": "0", "ShardIteratorType": "TRIM_HORIZON"
        });
        bed.call("GetShardIterator", start).await["ShardIterator"].clone()
    });
    let mut group = criterion.benchmark_group("GetRecords");
    let entry = Entry::find("GetRecords").unwrap();
    for limit in [1, RECORDS] {
        for (format, name) in FORMATS {
            let input = json!({ "ShardIterator": iterator, "Limit": limit });
            let body = Bytes::from(minikin::internals::wire::encode(format, &input));
            group.throughput(Throughput::Elements(limit as u64));
            group.bench_function(format!("{limit} {name}"), |bencher| {
                bencher.iter(|| {
                    let answer = bed.answer(entry, body.clone(), format);
                    let answer = bed.runtime.block_on(answer).unwrap();
                    assert!(answer.len() > limit * RECORD_BYTES);
                });
            });
        }
    }
    group.finish();
    bed.runtime.block_on(bed.delete("orders"));
}
