//! Tests of the store with a limit of two open databases.

use super::*;
use crate::store::disk::few_databases::FewDatabases;
use crate::world::{Random, Stopwatch};
use std::collections::BTreeSet;
use std::thread::scope;

const PERMITTED: usize = 2;

/// Returns settings with so little memory and such small generations that old records are only on
/// disk.
fn tiny(directory: &Path) -> Settings {
    Settings {
        memory_bytes: 10_000,
        generation_bytes: 30_000,
        segment_bytes: 4 << 10,
        unflushed_bytes: 30_000,
        databases: Some(PERMITTED),
        ..settings(Some(directory), Durability::Always)
    }
}

/// Creates a simulated disk that fails to open a third database.
fn limited_disk() -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    disk.permit_databases(PERMITTED);
    disk
}

/// Appends records, reads records and changes the catalog until the power is cut. `chance`
/// determines the order of these calls. Adds the indexes of the acknowledged records to `kept`.
async fn use_until_power_cut(
    store: &Store,
    log: &Arc<Log>,
    chance: &Random,
    kept: &mut BTreeSet<u64>,
) -> Result<(), StoreError> {
    loop {
        let (start, end) = (log.end(), log.end() + 1 + chance.number() % 20);
        let data = expected(start..end, 700);
        let reservation = store.reserve(800 * (end - start)).await?;
        let records = data.iter().map(|(index, data)| record(*index, data));
        log.append(reservation, records).durable().await?;
        kept.extend(start..end);
        if chance.number().is_multiple_of(4) {
            let saving = store.save(vec![account("a", Some(end.cast_signed()))]);
            saving.durable().await?;
        }
        let from = chance.number() % end;
        let limit = ReadLimit {
            records: 30,
            bytes: 1 << 20,
        };
        let batch = log.read(from, at(0), limit).await?;
        let due = kept.range(from..).take(batch.len());
        for (record, index) in batch.iter().zip(due) {
            assert_eq!(record.index, *index);
            assert!(record.data == payload(*index, 700));
        }
        assert!(!batch.is_empty());
    }
}

#[tokio::test]
async fn every_acknowledged_record_is_read_back_after_power_cuts() {
    for seed in 0..12 {
        let chance = Random::seeded(seed);
        let disk = limited_disk();
        let mut kept = BTreeSet::new();
        for _ in 0..5 {
            let opened = Store::open_simulated(tiny(Path::new("/home")), &disk).unwrap();
            let Opened {
                store, committer, ..
            } = opened;
            let log = store.log(LOG);
            let all = read_all(&log, 0, 0).await;
            let is_whole = |(index, data): &(u64, Vec<u8>)| *data == payload(*index, 700);
            assert!(all.iter().all(is_whole), "seed {seed}");
            let found: BTreeSet<u64> = all.into_iter().map(|(index, _)| index).collect();
            assert!(found.is_superset(&kept), "seed {seed}");
            // Recovery also found some records that were not acknowledged. From now on, these
            // records must not be lost, either.
            kept = found;
            disk.cut_power_after(chance.number() % 600);
            let ended = tokio::select! {
                ended = use_until_power_cut(&store, &log, &chance, &mut kept) => ended,
                () = committer.run_as_task() => unreachable!("the store is open"),
            };
            assert!(disk.is_dark(), "seed {seed}: {ended:?}");
            disk.crash(&chance);
        }
        assert!(kept.len() > 60, "seed {seed}: {}", kept.len());
    }
}

#[tokio::test]
async fn without_its_limit_the_store_opens_more_databases() {
    let settings = Settings {
        databases: None,
        ..tiny(Path::new("/home"))
    };
    let opened = Store::open_simulated(settings, &limited_disk()).unwrap();
    let log = opened.store.log(LOG);
    let writing = async {
        for start in (0..200).step_by(20) {
            let ticket = put(&opened.store, &log, start..start + 20, 700).await;
            ticket.durable().await?;
        }
        log.read(0, at(0), ALL).await.map(drop)
    };
    tokio::select! {
        result = writing => assert!(result.is_err()),
        () = opened.committer.run_as_task() => unreachable!("the store is open"),
    }
}

#[test]
fn a_low_limit_of_open_files_permits_few_databases() {
    let limits = [
        None,
        Some(16_384),
        Some(400),
        Some(399),
        Some(256),
        Some(64),
    ];
    let databases = limits.map(databases_within);
    assert_eq!(databases, [None, None, None, Some(3), Some(2), Some(2)]);
}

/// Appends a segment without a commit, uses other databases, and simulates a crash. Returns true if
/// the segment survives the crash.
fn is_kept(seed: u64) -> bool {
    let disk = limited_disk();
    let few = FewDatabases::new(Arc::new(disk.clone()), PERMITTED);
    let [current, old, older] = [1, 2, 3].map(|number| few.open(number).unwrap());
    let metadata = few.open_metadata().unwrap();
    few.sync().unwrap();
    current.append(0, b"value").unwrap();
    for handle in [&old, &older, &old] {
        assert_eq!(handle.read(0).unwrap(), None);
        metadata.save(&[]).unwrap();
    }
    assert_eq!(current.read(0).unwrap().as_deref(), Some(&b"value"[..]));
    disk.crash(&Random::seeded(seed));
    disk.open(1).unwrap().read(0).unwrap().is_some()
}

#[test]
fn appends_stay_uncommitted_while_other_databases_are_used() {
    // The simulated disk keeps a random part of the unflushed values. After a flush it would keep
    // the appended segment in every crash.
    let kept = (0..20).filter(|seed| is_kept(*seed)).count();
    assert!((1..20).contains(&kept), "{kept}");
}

/// Runs readers of four generations, a writer of a fifth generation and a writer of the database
/// `meta` at the same time. Returns the number of openings of databases, and the total time.
fn use_at_once(lease: Duration) -> (usize, Duration) {
    const ROUNDS: u32 = 2000;
    let disk = limited_disk();
    let few = FewDatabases::leasing(Arc::new(disk.clone()), PERMITTED, lease);
    let began = Stopwatch::start();
    scope(|threads| {
        for number in 0..4 {
            let handle = few.open(number).unwrap();
            handle.append(0, b"value").unwrap();
            handle.commit().unwrap();
            threads.spawn(move || {
                for _ in 0..ROUNDS {
                    assert!(handle.read(0).unwrap().is_some());
                }
            });
        }
        let (current, metadata) = (few.open(4).unwrap(), few.open_metadata().unwrap());
        threads.spawn(move || {
            for round in 0..ROUNDS {
                current.append(round, b"value").unwrap();
                current.commit().unwrap();
            }
        });
        threads.spawn(move || {
            for round in 1..=20 {
                assert_eq!(metadata.save(&[]).unwrap(), round);
            }
        });
    });
    let current = disk.open(4).unwrap();
    assert!((0..ROUNDS).all(|round| current.read(round).unwrap().is_some()));
    (disk.openings(), began.elapsed())
}

#[test]
fn readers_and_writers_all_make_progress() {
    use_at_once(Duration::ZERO);
}

#[test]
fn a_database_stays_open_for_its_lease() {
    let lease = Duration::from_millis(20);
    let (openings, time) = use_at_once(lease);
    // A slot changes its database at most once in each lease. Each of the six threads closes its
    // database when the thread ends. Each closing may cause one further opening. The check at the
    // end opens one database.
    let leases = usize::try_from(time.as_micros() / lease.as_micros()).unwrap();
    assert!(openings <= 2 * (leases + 1) + 7, "{openings} in {time:?}");
}
