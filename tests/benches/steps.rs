//! Steps of every record: base64, hash, sequence numbers, iterators, frames.

use crate::bed;
use bytes::Bytes;
use criterion::{Criterion, Throughput};
use minikin::Timestamp;
use minikin::internals::model::{HashKey, SALT_BYTES, SequenceNumber, ShardId, ShardIterator};
use minikin::internals::wire::{self, Blob, Format};
use std::hint::black_box;

const BLOB_BYTES: [usize; 3] = [64, 1024, 64 * 1024];
const NOW_S: u64 = 1_800_000_000;

pub(crate) fn measure(criterion: &mut Criterion) {
    blobs(criterion);
    numbers(criterion);
    iterators(criterion);
    frames(criterion);
}

/// A blob as the whole of a document, which is base64 and the document's quotes.
fn blobs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("blob");
    for size in BLOB_BYTES {
        let blob = Blob(Bytes::from(bed::noise(size)));
        let text = Bytes::from(wire::encode(Format::Json, &blob));
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("write json {size}"), |bencher| {
            bencher.iter(|| wire::encode(Format::Json, black_box(&blob)));
        });
        group.bench_function(format!("read json {size}"), |bencher| {
            bencher.iter(|| wire::decode::<Blob>(Format::Json, black_box(&text)).unwrap());
        });
    }
    group.finish();
}

fn numbers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("number");
    let number = SequenceNumber {
        index: 0x1234_5678,
        ..SequenceNumber::first_of(NOW_S, 7)
    };
    let text = number.to_string();
    group.bench_function("partition key to hash key", |bencher| {
        bencher.iter(|| HashKey::of_partition_key(black_box("0123456789abcdef")));
    });
    group.bench_function("write sequence number", |bencher| {
        let mut out = [0; minikin::internals::model::SEQUENCE_NUMBER_DIGITS];
        bencher.iter(|| {
            black_box(number).write_decimal(&mut out);
            out
        });
    });
    group.bench_function("read sequence number", |bencher| {
        bencher.iter(|| SequenceNumber::parse(black_box(&text)).unwrap());
    });
    group.finish();
}

fn iterators(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("iterator");
    let iterator = ShardIterator {
        issued: Timestamp::from_millis(1_800_000_000_000),
        identity: 1,
        stream: "orders".to_owned(),
        shard: ShardId::new(7),
        position: SequenceNumber::first_of(NOW_S, 7),
    };
    let text = iterator.encode([7; SALT_BYTES]);
    group.bench_function("seal", |bencher| {
        bencher.iter(|| black_box(&iterator).encode([7; SALT_BYTES]));
    });
    group.bench_function("open", |bencher| {
        bencher.iter(|| ShardIterator::decode(black_box(&text)).unwrap());
    });
    group.finish();
}

fn frames(criterion: &mut Criterion) {
    let headers = [
        (":event-type", "SubscribeToShardEvent"),
        (":content-type", "application/x-amz-json-1.1"),
        (":message-type", "event"),
    ];
    let mut group = criterion.benchmark_group("event frame");
    for size in BLOB_BYTES {
        let payload = bed::noise(size);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("{size}"), |bencher| {
            let copy = |body: &mut Vec<u8>| body.extend_from_slice(black_box(&payload));
            bencher.iter(|| wire::frame(&headers, copy));
        });
    }
    group.finish();
}
