//! A shard's log: records in, records out of memory, records out of the disk's segments.

use crate::bed::{RECORD_BYTES, noise};
use criterion::{Criterion, Throughput};
use minikin::Timestamp;
use minikin::internals::store::{Durability, Log, LogId, ReadLimit, Record, Settings, Store};
use minikin::internals::world::Stopwatch;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

const RECORDS: u64 = 500;
const ARRIVAL: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const ALL: ReadLimit = ReadLimit {
    records: RECORDS as usize,
    bytes: u64::MAX,
};

pub(crate) fn measure(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut group = criterion.benchmark_group("log, 500 records of 1 KB");
    group.throughput(Throughput::Elements(RECORDS));
    let (store, _) = Store::open(Settings::default())
        .unwrap()
        .on_thread()
        .unwrap();
    group.bench_function("append", |bencher| {
        bencher.iter_custom(|calls| appends(&runtime, &store, calls));
    });
    let log = filled(&runtime, &store);
    group.bench_function("read from memory", |bencher| {
        bencher.iter(|| read(&runtime, &log));
    });
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        directory: Some(folder.path().to_path_buf()),
        durability: Durability::Always,
        // Durable records do not stay in memory.
        memory_bytes: 0,
        ..Settings::default()
    };
    let (on_disk, _) = Store::open(settings).unwrap().on_thread().unwrap();
    let log = filled(&runtime, &on_disk);
    group.bench_function("read from disk", |bencher| {
        bencher.iter(|| read(&runtime, &log));
    });
    group.finish();
    store.close().unwrap();
    on_disk.close().unwrap();
}

fn appends(runtime: &Runtime, store: &Store, calls: u64) -> Duration {
    let data = noise(RECORD_BYTES);
    let mut took = Duration::ZERO;
    for call in 0..calls {
        // A log of its own, so that what is kept does not grow.
        let log = store.log(LogId {
            stream: call + 1,
            shard: 0,
        });
        let watch = Stopwatch::start();
        append(runtime, store, &log, &data);
        took += watch.elapsed();
        store.delete(log.id());
    }
    took
}

fn append(runtime: &Runtime, store: &Store, log: &Arc<Log>, data: &[u8]) {
    let record = |index| Record {
        index,
        arrival: ARRIVAL,
        partition_key: Some("0123456789abcdef"),
        data,
        encrypted: false,
    };
    runtime.block_on(async {
        let reservation = store.reserve(RECORDS * data.len() as u64).await.unwrap();
        let ticket = log.append(reservation, (1..=RECORDS).map(record));
        ticket.durable().await.unwrap();
    });
}

fn filled(runtime: &Runtime, store: &Store) -> Arc<Log> {
    let log = store.log(LogId {
        stream: 0,
        shard: 0,
    });
    append(runtime, store, &log, &noise(RECORD_BYTES));
    log
}

fn read(runtime: &Runtime, log: &Log) {
    let mut from = 0;
    let mut seen = 0;
    while seen < RECORDS {
        let batch = runtime.block_on(log.read(from, ARRIVAL, ALL)).unwrap();
        seen += batch.iter().count() as u64;
        from = batch.next_index();
    }
}
