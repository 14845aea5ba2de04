//! Tests of the store as a whole.

mod corpus;
mod crash;
mod damage;
mod faults;
mod few_databases;
mod model;

use super::disk::layout::Layout;
use super::disk::seam::{Disk, GenerationHandle, MetadataHandle, Stored};
use super::disk::sled::SledDisk;
use super::format::key;
use super::open::open_on;
use super::*;
use crate::lock::Lock;
use crate::world::{RealDeadline, Timestamp};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn settings(directory: Option<&Path>, durability: Durability) -> Settings {
    Settings {
        directory: directory.map(Path::to_path_buf),
        durability,
        ..Settings::default()
    }
}

fn open(settings: &Settings) -> Store {
    start(settings).0
}

/// Opens the store that `settings` describe, and runs its committer in a thread.
fn start(settings: &Settings) -> (Store, Recovered) {
    try_start(settings).unwrap()
}

fn try_start(settings: &Settings) -> Result<(Store, Recovered), OpenError> {
    Store::open(settings.clone())?.on_thread()
}

/// Creates a disk with the sled databases of the data directory `directory`.
fn sled(directory: &Path) -> SledDisk {
    SledDisk::new(Layout::new(directory.to_path_buf()))
}

/// Returns a change of the catalog that a test can recognise by `name` and `started_ms`.
fn account(name: &str, started_ms: Option<i64>) -> Change {
    let value = started_ms.map(|started_ms| AccountValue {
        started_ms: Some(started_ms),
        ended_ms: None,
    });
    Change::Account((name.to_owned(), "r".to_owned()), value)
}

/// Returns the names of the recovered accounts, each with its `started_ms`.
fn accounts(recovered: &Recovered) -> Vec<(&str, Option<i64>)> {
    let accounts = recovered.catalog.accounts.iter();
    accounts
        .map(|((name, _), value)| (name.as_str(), value.started_ms))
        .collect()
}

const LOG: LogId = LogId {
    stream: 1,
    shard: 0,
};
const ALL: ReadLimit = ReadLimit {
    records: usize::MAX,
    bytes: u64::MAX,
};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn payload(index: u64, size: usize) -> Vec<u8> {
    let mut state = index.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(size).collect()
}

/// Time limit for each wait of a test, in real time.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits for the end of `work`, and returns its result. Fails the test if `work` takes longer than
/// `LIMIT`.
async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let done = RealDeadline::lasting(LIMIT).with(work).await;
    done.unwrap_or_else(|| panic!("waited {LIMIT:?} in vain for {what}"))
}

async fn put(store: &Store, log: &Arc<Log>, indexes: std::ops::Range<u64>, size: usize) -> Ticket {
    let data: Vec<_> = indexes.map(|index| (index, payload(index, size))).collect();
    let reservation = store
        .reserve((data.len() * (size + 40)) as u64)
        .await
        .unwrap();
    log.append(
        reservation,
        data.iter().map(|(index, data)| record(*index, data)),
    )
}

fn record(index: u64, data: &[u8]) -> Record<'_> {
    let arrival = at(index.cast_signed());
    Record {
        index,
        arrival,
        partition_key: Some("key"),
        data,
        encrypted: index % 2 == 1,
    }
}

async fn read_all(log: &Arc<Log>, from: u64, horizon: i64) -> Vec<(u64, Vec<u8>)> {
    let (mut from, mut all) = (from, Vec::new());
    loop {
        let batch = log.read(
            from,
            at(horizon),
            ReadLimit {
                records: 1000,
                bytes: 1 << 20,
            },
        );
        let batch = batch.await.unwrap();
        for record in batch.iter() {
            assert_eq!(record.partition_key, Some("key"));
            assert_eq!(record.encrypted, record.index % 2 == 1);
            all.push((record.index, record.data.to_vec()));
        }
        from = batch.next_index();
        if batch.reached_end() {
            return all;
        }
        assert!(!batch.is_empty());
    }
}

fn expected(indexes: std::ops::Range<u64>, size: usize) -> Vec<(u64, Vec<u8>)> {
    indexes.map(|index| (index, payload(index, size))).collect()
}

/// The size in bytes of a file, and the time of its last change in seconds and nanoseconds.
type FileState = (u64, i64, i64);

/// Returns the path and the state of each file in the folder `directory` and its subfolders.
fn file_states(directory: &Path) -> std::io::Result<Vec<(PathBuf, FileState)>> {
    let mut states = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let metadata = std::fs::metadata(&path)?;
        if metadata.is_dir() {
            states.append(&mut file_states(&path)?);
        } else {
            let state = (metadata.len(), metadata.mtime(), metadata.mtime_nsec());
            states.push((path, state));
        }
    }
    states.sort();
    Ok(states)
}

/// Copies the data directory `from` of an open store, and returns the copy. The copy has the state
/// of the directory after a kill. The function repeats a copy during which a thread of the store
/// has changed a file.
pub(super) fn killed(from: &Path) -> tempfile::TempDir {
    for _ in 0..10_000 {
        let copy = tempfile::tempdir().unwrap();
        let before = file_states(from);
        let copied = copy_directory(from, copy.path());
        if copied.is_ok() && before.is_ok_and(|before| file_states(from).ok() == Some(before)) {
            return copy;
        }
    }
    panic!("the files of the store never came to rest");
}

pub(super) fn copy_directory(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_come_back_as_they_went_in_and_in_order() {
    let store = open(&settings(None, Durability::None));
    let log = store.log(LOG);
    let _ready = put(&store, &log, 0..3000, 100).await;
    assert_eq!(log.end(), 3000);
    assert_eq!(read_all(&log, 0, 0).await, expected(0..3000, 100));
    assert_eq!(read_all(&log, 2990, 0).await, expected(2990..3000, 100));
    assert_eq!(read_all(&log, 0, 2995).await, expected(2995..3000, 100));
    assert_eq!(log.index_at_time(at(1234)).await, Ok(1234));
    assert_eq!(log.index_at_time(at(9999)).await, Ok(3000));
    let batch = log
        .read(
            10,
            at(0),
            ReadLimit {
                records: 10,
                bytes: 1,
            },
        )
        .await
        .unwrap();
    assert_eq!((batch.len(), batch.next_index()), (1, 11));
    let batch = log.read(0, at(0), ALL).await.unwrap();
    assert_eq!((batch.len(), batch.reached_end()), (3000, true));
    log.trim(at(2000));
    assert!(read_all(&log, 0, 2000).await == expected(2000..3000, 100));
    assert!(store.figures().memory_bytes < 200_000);
    store.delete(LOG);
    assert_eq!(store.figures().memory_bytes, 0);
    store.close().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_are_counted_from_an_index_in_memory_and_on_disk() {
    let home = tempfile::tempdir().unwrap();
    let settings = settings(Some(home.path()), Durability::Always);
    let mut store = open(&settings);
    let log = store.log(LOG);
    let put = put(&store, &log, 0..2000, 500).await;
    put.durable().await.unwrap();
    for is_on_disk in [false, true] {
        if is_on_disk {
            store.close().unwrap();
            store = open(&settings);
        }
        let log = store.log(LOG);
        let count = |from| log.amount_from(from, at(0)).records;
        for from in [0, 1, 499, 999, 1000, 1999, 2000] {
            assert_eq!(count(from), 2000 - from, "{is_on_disk}");
        }
        for (index, horizon, has) in [
            (0, 0, true),
            (999, 0, true),
            (2000, 0, false),
            (0, 1500, false),
            (1999, 1999, true),
        ] {
            assert_eq!(log.has(index, at(horizon)), has, "{index} {is_on_disk}");
        }
    }
    store.close().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reopened_store_has_everything() {
    let home = tempfile::tempdir().unwrap();
    let settings = settings(Some(home.path()), Durability::Always);
    let (store, recovered) = start(&settings);
    assert_eq!(recovered, Recovered::default());
    let log = store.log(LOG);
    for start in (0..1000).step_by(100) {
        put(&store, &log, start..start + 100, 500)
            .await
            .durable()
            .await
            .unwrap();
    }
    let _later = store.save(vec![account("a", Some(1)), account("b", Some(2))]);
    store
        .save(vec![account("a", None)])
        .durable()
        .await
        .unwrap();
    // The copy has the state of a data directory after a kill of the process. It lacks the last
    // flush of an orderly end.
    let copy = killed(home.path());
    store.close().unwrap();
    for directory in [home.path(), copy.path()] {
        let settings = Settings {
            directory: Some(directory.into()),
            ..settings.clone()
        };
        let (store, recovered) = start(&settings);
        assert_eq!(recovered.run, 1);
        assert_eq!(accounts(&recovered), [("b", Some(2))]);
        let log = store.log(LOG);
        assert_eq!(log.end(), 1000);
        assert_eq!(read_all(&log, 0, 0).await, expected(0..1000, 500));
        put(&store, &log, 1000..1100, 500)
            .await
            .durable()
            .await
            .unwrap();
        store.close().unwrap();
        let (store, recovered) = start(&settings);
        assert_eq!(recovered.run, 2);
        assert_eq!(
            read_all(&store.log(LOG), 0, 0).await,
            expected(0..1100, 500)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_has_one_user() {
    let home = tempfile::tempdir().unwrap();
    let settings = settings(Some(home.path()), Durability::Always);
    let store = open(&settings);
    let layout = Layout::new(home.path().to_path_buf());
    let disk = Arc::new(SledDisk::trying(layout.clone(), 1));
    let error = open_on(settings.clone(), disk).unwrap_err().to_string();
    assert!(error.contains("is in use by another process"), "{error}");
    // The opening of a data directory waits a short time until the previous process has released
    // the directory.
    let waiting = std::thread::spawn(move || SledDisk::trying(layout, u32::MAX).claim().map(drop));
    store.close().unwrap();
    waiting.join().unwrap().unwrap();
    open(&settings).close().unwrap();
    std::fs::write(home.path().join("version"), "minikin data 1\n").unwrap();
    let error = try_start(&settings).unwrap_err().to_string();
    assert!(
        error.contains("minikin data 1, this one writes minikin data 3"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generations_are_rotated_read_and_removed() {
    let home = tempfile::tempdir().unwrap();
    let settings = Settings {
        memory_bytes: 100_000,
        generation_bytes: 1 << 20,
        ..settings(Some(home.path()), Durability::Always)
    };
    let store = open(&settings);
    let logs = [0, 1].map(|shard| store.log(LogId { stream: 1, shard }));
    for start in (0..6000).step_by(200) {
        for log in &logs {
            put(&store, log, start..start + 200, 1000)
                .await
                .durable()
                .await
                .unwrap();
        }
    }
    assert!(store.figures().generations >= 8, "{:?}", store.figures());
    assert!(
        store.figures().memory_bytes < 300_000,
        "{:?}",
        store.figures()
    );
    for log in &logs {
        assert!(read_all(log, 0, 0).await == expected(0..6000, 1000));
        assert_eq!(log.index_at_time(at(777)).await, Ok(777));
    }
    store.close().unwrap();
    let store = open(&settings);
    let logs = [0, 1].map(|shard| store.log(LogId { stream: 1, shard }));
    assert!(read_all(&logs[1], 100, 0).await == expected(100..6000, 1000));
    store.delete(logs[0].id());
    logs[1].trim(at(5900));
    // The test makes two commits after the sweep.
    put(&store, &logs[1], 6000..6001, 1000)
        .await
        .durable()
        .await
        .unwrap();
    put(&store, &logs[1], 6001..6002, 1000)
        .await
        .durable()
        .await
        .unwrap();
    // The housekeeping thread closes the generation that was written last. A sweep can remove this
    // generation only after its closing.
    let few = async {
        while store.figures().generations > 2 {
            tokio::task::yield_now().await;
        }
    };
    let few = RealDeadline::lasting(Duration::from_secs(60)).with(few);
    assert!(few.await.is_some(), "{:?}", store.figures());
    assert!(read_all(&logs[1], 0, 5900).await == expected(5900..6002, 1000));
    store.close().unwrap();
    let left = std::fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert!(left.count() <= 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_in_memory_is_spilled_and_read_back() {
    let settings = Settings {
        memory_bytes: 1 << 20,
        generation_bytes: 4 << 20,
        unflushed_bytes: 1 << 20,
        ..settings(None, Durability::None)
    };
    let store = open(&settings);
    let log = store.log(LOG);
    for start in (0..20_000).step_by(100) {
        let _ready = put(&store, &log, start..start + 100, 1000).await;
    }
    assert!(
        store.figures().memory_bytes < 3 << 20,
        "{:?}",
        store.figures()
    );
    assert!(read_all(&log, 0, 0).await == expected(0..20_000, 1000));
    log.trim(at(19_000));
    assert!(read_all(&log, 0, 19_000).await == expected(19_000..20_000, 1000));
    store.close().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_follower_sees_every_record_of_many_writers_once_and_in_order() {
    let home = tempfile::tempdir().unwrap();
    let store = open(&settings(Some(home.path()), Durability::Always));
    let log = store.log(LOG);
    let numbering = Arc::new(Lock::new(0));
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (store, log, numbering) = (store.clone(), log.clone(), numbering.clone());
        writers.spawn(async move {
            for _ in 0..100 {
                let reservation = store.reserve(100).await.unwrap();
                let ticket = {
                    let mut next = numbering.lock();
                    let index = *next;
                    *next += 3;
                    log.append(reservation, [record(index, &payload(index, 50))])
                };
                let before = log.end();
                ticket.durable().await.unwrap();
                assert!(log.end() >= before);
            }
        });
    }
    let mut seen = Vec::new();
    let mut end = log.follow();
    while seen.len() < 1600 {
        let from = seen.last().map_or(0, |last| last + 1);
        let batch = log.read(from, at(0), ALL).await.unwrap();
        seen.extend(batch.iter().map(|record| record.index));
        if batch.is_empty() {
            end.changed().await.unwrap();
        }
    }
    assert_eq!(seen, (0..1600).map(|number| number * 3).collect::<Vec<_>>());
    writers.join_all().await;
    store.close().unwrap();
}
