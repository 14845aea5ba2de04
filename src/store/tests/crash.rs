//! Tests that the simulated disk behaves like sled, and that its power cuts lose only unflushed
//! writes.

use super::*;
use crate::store::disk::simulated_disk::DatabaseName;
use crate::world::Random;

fn contents(disk: &dyn Disk, number: u64) -> Vec<Stored> {
    let mut found = Vec::new();
    let mut visit = |stored| found.push(stored);
    disk.open(number).unwrap().scan(&mut visit).unwrap();
    found
}

/// Makes random calls on a generation. `seed` determines the calls. Returns the results of all
/// reads, and the contents of the generation after each opening.
fn use_generation(disk: &dyn Disk, seed: u64) -> Vec<String> {
    let chance = Random::seeded(seed);
    let mut seen = Vec::new();
    for _ in 0..4 {
        let first = disk.open(7).unwrap();
        let second = first.another();
        for _ in 0..30 {
            let number = chance.number();
            let handle = if number & 1 == 0 { &first } else { &second };
            let key = (number >> 2) as u32 % 16;
            let value = number.to_be_bytes().repeat(30);
            match number >> 10 & 7 {
                0 => handle.append_frame(key.into(), key % 3, &value).unwrap(),
                1 => handle.commit().unwrap(),
                2..5 => seen.push(format!("{:?}", handle.read(key).unwrap())),
                _ => handle.append(key, &value).unwrap(),
            }
        }
        drop((first, second));
        seen.push(format!("{:?}", contents(disk, 7)));
    }
    seen
}

/// Makes random calls on the database `meta`. `seed` determines the calls. Returns the results of
/// all scans.
fn use_metadata(disk: &dyn Disk, seed: u64) -> Vec<String> {
    let chance = Random::seeded(seed);
    let mut seen = Vec::new();
    for _ in 0..4 {
        let metadata = disk.open_metadata().unwrap();
        let mut visit = |key: &[u8], value| seen.push(format!("{key:?} {value:?}"));
        metadata.scan(&mut visit).unwrap();
        for _ in 0..10 {
            let changes = (0..chance.number() % 4).map(|_| {
                let number = chance.number();
                let value = (number & 3 > 0).then(|| number.to_be_bytes().to_vec());
                (vec![(number >> 2) as u8 % 16], value)
            });
            metadata.save(&changes.collect::<Vec<_>>()).unwrap();
        }
        seen.push(metadata.saves().unwrap().to_string());
    }
    seen
}

#[test]
fn sled_and_the_simulated_disk_show_the_same() {
    for seed in 0..5 {
        let home = tempfile::tempdir().unwrap();
        let (real, simulated) = (sled(home.path()), SimulatedDisk::new());
        assert_eq!(
            use_generation(&real, seed),
            use_generation(&simulated, seed)
        );
        assert_eq!(use_metadata(&real, seed), use_metadata(&simulated, seed));
    }
}

/// Writes ten segments, flushes them, writes ten further segments, and simulates a crash. Returns
/// the numbers of the segments that survive the crash. If `interrupts_flush` is true, the crash
/// comes during a second flush.
fn left_of_generation(interrupts_flush: bool, seed: u64) -> Vec<u32> {
    let disk = SimulatedDisk::new();
    let handle = disk.open(1).unwrap();
    disk.sync().unwrap();
    for number in 0..20 {
        handle.append(number, b"value").unwrap();
        if number == 9 {
            handle.commit().unwrap();
        }
    }
    if interrupts_flush {
        disk.cut_power_after(0);
        assert!(handle.commit().is_err());
    }
    disk.crash(&Random::seeded(seed));
    assert!(handle.commit().is_err(), "a handle outlived its power");
    drop(handle);
    let number = |stored| match stored {
        Stored::Segment(number, _) => number,
        Stored::Frame(..) => panic!("no frame was appended"),
    };
    contents(&disk, 1).into_iter().map(number).collect()
}

/// Returns true if a save to the database `meta` survives a crash after the first `after` writes of
/// this save.
fn is_saved(after: u64, seed: u64) -> bool {
    let disk = SimulatedDisk::new();
    let metadata = disk.open_metadata().unwrap();
    disk.sync().unwrap();
    let change = |key: u8| (vec![key], Some(vec![key]));
    metadata.save(&[change(1)]).unwrap();
    disk.cut_power_after(after);
    let changes: Vec<_> = (2..12).map(change).collect();
    assert!(metadata.save(&changes).is_err());
    disk.crash(&Random::seeded(seed));
    drop(metadata);
    let mut keys = Vec::new();
    let mut visit = |key: &[u8], _| keys.push(key[0]);
    disk.open_metadata().unwrap().scan(&mut visit).unwrap();
    match keys.len() {
        1 => false,
        11 => true,
        count => panic!("{count} of the keys of a save are there"),
    }
}

#[test]
fn a_crash_keeps_flushed_segments_and_any_part_of_the_others() {
    let mut torn = 0;
    for seed in 0..100 {
        let kept = left_of_generation(seed % 2 == 0, seed);
        assert!(
            kept.starts_with(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
            "{kept:?}"
        );
        torn += u64::from(!matches!(kept.len(), 10 | 20));
    }
    assert!(torn > 20, "{torn}");
}

#[test]
fn a_crash_keeps_a_save_of_metadata_whole_or_not_at_all() {
    assert!((0..100).all(|seed| !is_saved(5, seed)));
    // A save consists of ten changes, a write of the number of saves, and then a flush.
    let whole = (0..100).filter(|seed| is_saved(11, *seed)).count();
    assert!((20..80).contains(&whole), "{whole}");
}

#[test]
fn without_power_every_call_fails_from_that_write_on() {
    let disk = SimulatedDisk::new();
    let handle = disk.open(1).unwrap();
    disk.cut_power_after(2);
    handle.append(1, b"1").unwrap();
    handle.append(2, b"2").unwrap();
    assert!(!disk.is_dark());
    assert!(handle.commit().is_err());
    assert!(disk.is_dark());
    assert!(handle.read(1).is_err());
    assert!(disk.sync().is_err());
}

#[test]
fn a_crash_keeps_synced_names_and_the_first_of_the_later_changes() {
    let mut outcomes = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let disk = SimulatedDisk::new();
        drop(disk.open_metadata().unwrap());
        disk.sync().unwrap();
        drop(disk.open(0).unwrap());
        disk.bury(0).unwrap();
        disk.remove_buried(0).unwrap();
        disk.crash(&Random::seeded(seed));
        let names = disk.names();
        assert!(names.contains(&DatabaseName::Metadata), "{names:?}");
        outcomes.insert(names);
    }
    assert_eq!(outcomes.len(), 3, "{outcomes:?}");
}

#[tokio::test]
async fn changes_saved_before_the_first_record_survive_a_power_cut() {
    for seed in 0..20 {
        let disk = SimulatedDisk::new();
        let settings = settings(Some(Path::new("/home")), Durability::Always);
        let Opened {
            store, committer, ..
        } = Store::open_simulated(settings.clone(), &disk).unwrap();
        let saving = store.save(vec![account("a", Some(1))]);
        tokio::select! {
            saved = saving.durable() => saved.unwrap(),
            () = committer.run_as_task() => unreachable!("the store is open"),
        }
        disk.crash(&Random::seeded(seed));
        drop(store);
        let opened = Store::open_simulated(settings, &disk).unwrap();
        assert_eq!(accounts(&opened.recovered), [("a", Some(1))]);
    }
}

#[tokio::test]
async fn every_durable_write_is_flushed() {
    let disk = SimulatedDisk::new();
    let settings = settings(Some(Path::new("/home")), Durability::Always);
    let Opened {
        store, committer, ..
    } = Store::open_simulated(settings, &disk).unwrap();
    let log = store.log(LOG);
    let writing = async {
        for index in 0..20 {
            let before = disk.syncs();
            put(&store, &log, index..index + 1, 100)
                .await
                .durable()
                .await
                .unwrap();
            assert!(disk.syncs() > before, "record {index} was not flushed");
            let before = disk.syncs();
            let saving = store.save(vec![account("a", Some(1))]);
            saving.durable().await.unwrap();
            assert!(disk.syncs() > before, "change {index} was not flushed");
        }
    };
    tokio::select! {
        () = writing => {}
        () = committer.run_as_task() => unreachable!("the store is open"),
    }
}
