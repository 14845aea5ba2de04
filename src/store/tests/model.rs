//! Compares the store with a simple model. The settings give the store little memory and small
//! generations, so that the store often drops segments from memory and begins new generations.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

fn tiny(directory: Option<&Path>, durability: Durability) -> Settings {
    Settings {
        memory_bytes: 20_000,
        generation_bytes: 100_000,
        segment_bytes: 4 << 10,
        unflushed_bytes: 30_000,
        ..settings(directory, durability)
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// Puts records. The fields are the number of records, the size of the first record in bytes,
    /// and the difference between the indexes of two neighbouring records.
    Put(usize, usize, u64),
    /// Trims the oldest records. The field is the horizon, as a percentage of the time that has
    /// passed.
    Trim(i64),
    /// Reads records. The fields are the first index, as a percentage of the indexes so far, and
    /// the maximum number and the maximum bytes of the records.
    Read(u64, usize, u64),
    /// Finds the first record that arrived at a certain time or later. The field is this time, as a
    /// percentage of the time that has passed.
    Find(i64),
    Delete,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<(u32, Step)>> {
    let step = prop_oneof![
        8 => (1..60_usize, 0..3000_usize, 1..4_u64).prop_map(|(n, size, by)| Step::Put(n, size, by)),
        2 => (0..110_i64).prop_map(Step::Trim),
        4 => (0..110_u64, 1..100_usize, 0..50_000_u64).prop_map(|(at, n, b)| Step::Read(at, n, b)),
        1 => (0..110_i64).prop_map(Step::Find),
        1 => Just(Step::Delete),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec((0..3_u32, step), 1..60)
}

/// The expected content of a log. It has the records by their indexes, and the horizon of the last
/// trim.
#[derive(Debug, Default)]
struct Model {
    records: BTreeMap<u64, Vec<u8>>,
    next: u64,
    horizon: i64,
    /// Incarnation number of the stream. The number changes when the log is deleted, because a
    /// deleted log is never used again.
    stream: u64,
}

impl Model {
    fn id(&self, shard: u32) -> LogId {
        LogId {
            stream: self.stream,
            shard,
        }
    }

    fn due(&self, from: u64) -> impl Iterator<Item = (u64, Vec<u8>)> {
        let from = from.max(self.horizon.unsigned_abs());
        let records = self.records.range(from..);
        records.map(|(index, data)| (*index, data.clone()))
    }
}

async fn take(store: &Store, shard: u32, model: &mut Model, step: &Step) {
    let log = store.log(model.id(shard));
    match *step {
        Step::Put(count, size, by) => {
            let new = (0..count).map(|at| {
                let index = model.next + at as u64 * by;
                (index, payload(index, (size + at * 37) % 3000))
            });
            let new: Vec<_> = new.collect();
            let bytes = new.iter().map(|(_, data)| data.len() as u64 + 40).sum();
            let reservation = store.reserve(bytes).await.unwrap();
            let records = new.iter().map(|(index, data)| record(*index, data));
            log.append(reservation, records).durable().await.unwrap();
            model.next += count as u64 * by;
            model.records.extend(new);
        }
        Step::Trim(percent) => {
            let horizon = model.next.cast_signed() * percent / 100;
            model.horizon = model.horizon.max(horizon);
            log.trim(at(model.horizon));
        }
        Step::Read(percent, records, bytes) => {
            let from = model.next * percent / 100;
            let limit = ReadLimit { records, bytes };
            let batch = log.read(from, at(model.horizon), limit).await.unwrap();
            let found = batch.iter().map(|found| (found.index, found.data.to_vec()));
            let found: Vec<_> = found.collect();
            assert!(found.len() <= records && batch.len() == found.len());
            assert!(model.due(from).take(found.len()).eq(found));
            assert_eq!(batch.is_empty(), model.due(from).next().is_none());
            assert!(!batch.reached_end() || model.due(batch.next_index()).next().is_none());
        }
        Step::Find(percent) => {
            let time = (model.next.cast_signed() * percent / 100).max(model.horizon);
            let due = model.records.range(time.unsigned_abs()..).next();
            let found = log.index_at_time(at(time)).await.unwrap();
            assert_eq!(found, due.map_or(log.end(), |(index, _)| *index));
        }
        Step::Delete => {
            store.delete(log.id());
            *model = Model {
                stream: model.stream + 1,
                ..Model::default()
            };
        }
        Step::Reopen => {}
    }
}

async fn run(
    durability: Durability,
    on_disk: bool,
    databases: Option<usize>,
    steps: &[(u32, Step)],
) {
    let home = tempfile::tempdir().unwrap();
    let settings = Settings {
        databases,
        ..tiny(on_disk.then_some(home.path()), durability)
    };
    let mut store = open(&settings);
    let mut models: [Model; 3] = Default::default();
    for (shard, step) in steps {
        if matches!(step, Step::Reopen) && on_disk {
            store.close().unwrap();
            store = open(&settings);
            // Delete each recovered log that no model uses. The store may have been closed before
            // the deletion of the log was durable.
            for (shard, model) in (0..).zip(&models) {
                drop(store.log(model.id(shard)));
            }
            store.forget_unclaimed();
        }
        let taken = take(&store, *shard, &mut models[*shard as usize], step);
        within("the end of a step", taken).await;
    }
    for (shard, model) in (0..).zip(&models) {
        let all = read_all(&store.log(model.id(shard)), 0, model.horizon).await;
        assert!(model.due(0).eq(all));
    }
    store.close().unwrap();
}

fn check(durability: Durability, on_disk: bool) {
    check_cases(12, durability, on_disk, None);
}

fn check_cases(cases: u32, durability: Durability, on_disk: bool, databases: Option<usize>) {
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    proptest!(config, |(steps in steps())| {
        runtime.block_on(run(durability, on_disk, databases, &steps));
    });
}

// The tests below use the same numbers as times and as indexes, because `record` gives each record
// an arrival time that equals its index.
#[test]
fn a_store_that_is_always_durable_is_like_its_model() {
    check(Durability::Always, true);
}

#[test]
fn a_store_that_is_durable_some_time_is_like_its_model() {
    check(Durability::None, true);
}

#[test]
fn a_store_with_two_open_databases_is_like_its_model() {
    // Only a few cases run, because with these settings the store often opens databases, and sled
    // opens a database slowly.
    check_cases(4, Durability::Always, true, Some(2));
}

#[test]
fn a_store_without_a_directory_is_like_its_model() {
    check(Durability::None, false);
}

async fn many_writers_and_a_follower(settings: Settings) {
    let store = open(&settings);
    let log = store.log(LOG);
    let numbering = Arc::new(Lock::new(0));
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..16_u64 {
        let (store, log, numbering) = (store.clone(), log.clone(), numbering.clone());
        writers.spawn(async move {
            for number in 0..40 {
                let size = payload(writer << 32 | number, 1)[0];
                let data = payload(number, usize::from(size) * 16);
                let reservation = store.reserve(data.len() as u64 + 40).await.unwrap();
                let ticket = {
                    let mut next = numbering.lock();
                    let index = *next;
                    *next += 3;
                    log.append(reservation, [record(index, &data)])
                };
                ticket.durable().await.unwrap();
            }
        });
    }
    let mut seen = Vec::new();
    let mut end = log.follow();
    while seen.len() < 640 {
        let from = seen.last().map_or(0, |last| last + 1);
        let limit = ReadLimit {
            records: 50,
            bytes: 20_000,
        };
        let batch = log.read(from, at(0), limit).await.unwrap();
        seen.extend(batch.iter().map(|record| record.index));
        // Trims the records that are more than 100 indexes before the reader.
        log.trim(at(from.cast_signed() - 100));
        if batch.is_empty() {
            let more = within("a published record", end.changed());
            more.await.unwrap();
        }
    }
    assert!(seen.into_iter().eq((0..640).map(|number| number * 3)));
    within("the end of the writers", writers.join_all()).await;
    store.close().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_follower_sees_every_record_while_they_are_evicted_rotated_and_trimmed() {
    for durability in [Durability::Always, Durability::None] {
        let home = tempfile::tempdir().unwrap();
        many_writers_and_a_follower(tiny(Some(home.path()), durability)).await;
    }
    many_writers_and_a_follower(tiny(None, Durability::None)).await;
}

/// Reads records while sweeps move these records to other generations. The sweeps occur because the
/// test deletes neighbouring records.
async fn a_reader_beside_moves(settings: Settings) {
    let store = open(&settings);
    let (kept, other) = (store.log(LOG), store.log(LogId { stream: 2, ..LOG }));
    let ticket = put(&store, &kept, 0..20, 1000).await;
    within("a commit", ticket.durable()).await.unwrap();
    let done = AtomicBool::new(false);
    let moving = async {
        for round in 0..40_u64 {
            let indexes = round * 40..round * 40 + 40;
            let end = at(indexes.end.cast_signed());
            let ticket = put(&store, &other, indexes, 3000).await;
            within("a commit", ticket.durable()).await.unwrap();
            other.trim(end);
        }
        done.store(true, Ordering::Relaxed);
    };
    let readers = (0..4).map(|_| {
        let kept = kept.clone();
        async move {
            assert_eq!(read_all(&kept, 0, 0).await.len(), 20);
            assert_eq!(kept.index_at_time(at(7)).await.unwrap(), 7);
        }
    });
    let reading = async {
        while !done.load(Ordering::Relaxed) {
            let readers: tokio::task::JoinSet<()> = readers.clone().collect();
            readers.join_all().await;
        }
    };
    tokio::join!(moving, reading);
    store.close().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_misses_nothing_that_is_moved_while_it_reads() {
    let home = tempfile::tempdir().unwrap();
    let on_disk = tiny(Some(home.path()), Durability::Always);
    a_reader_beside_moves(on_disk).await;
    let home = tempfile::tempdir().unwrap();
    a_reader_beside_moves(Settings {
        databases: Some(2),
        ..tiny(Some(home.path()), Durability::Always)
    })
    .await;
    a_reader_beside_moves(tiny(None, Durability::None)).await;
}
