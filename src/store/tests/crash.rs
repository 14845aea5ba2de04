//! The simulated disk keeps the contract that the engine in use keeps.

use super::*;
use crate::store::disk::{Disk, Tree};
use crate::world::Random;
use std::path::PathBuf;

fn pairs(disk: &dyn Disk, path: &Path) -> Vec<(Tree, Vec<u8>, Vec<u8>)> {
    let database = disk.open(path, 1 << 20).unwrap();
    let mut found = Vec::new();
    for tree in [Tree::Main, Tree::Commits] {
        let mut visit =
            |key: &[u8], value: bytes::Bytes| found.push((tree, key.to_vec(), value.to_vec()));
        database.each(tree, &mut visit).unwrap();
    }
    found
}

/// Does what a seed says to a database: what every read saw, and what is there at the end.
fn lived(disk: &dyn Disk, path: &Path, seed: u64) -> Vec<String> {
    let chance = Random::seeded(seed);
    let mut seen = Vec::new();
    for _ in 0..4 {
        let first = disk.open(path, 1 << 20).unwrap();
        let second = first.another();
        for _ in 0..30 {
            let number = chance.number();
            let database = if number & 1 == 0 { &first } else { &second };
            let tree = [Tree::Main, Tree::Commits][(number >> 1 & 1) as usize];
            let key = [(number >> 2) as u8 % 16];
            match number >> 10 & 7 {
                0 => database.remove(tree, &key).unwrap(),
                1 => database.flush().unwrap(),
                2..5 => seen.push(format!("{:?}", database.get(tree, &key).unwrap())),
                _ => {
                    let value = number.to_be_bytes().repeat(30);
                    database.insert(tree, &key, &value).unwrap();
                }
            }
        }
        drop((first, second));
        seen.push(format!("{:?}", pairs(disk, path)));
    }
    seen
}

#[test]
fn both_disks_show_the_same_to_whoever_uses_them_the_same_way() {
    for seed in 0..5 {
        let home = tempfile::tempdir().unwrap();
        let (real, simulated) = (sled::SledDisk, SimulatedDisk::new());
        let path = home.path().join("meta");
        assert_eq!(lived(&real, &path, seed), lived(&simulated, &path, seed));
    }
}

/// The keys that are there after a crash with ten keys flushed and ten not.
fn left(name: &str, flushes: bool, seed: u64) -> Vec<u8> {
    let disk = SimulatedDisk::new();
    let path = PathBuf::from(name);
    let database = disk.open(&path, 1 << 20).unwrap();
    disk.sync(Path::new("/")).unwrap();
    for key in 0..20 {
        database.insert(Tree::Main, &[key], b"value").unwrap();
        if key == 9 {
            database.flush().unwrap();
        }
    }
    if flushes {
        disk.cut_power_after(0);
        assert!(database.flush().is_err());
    }
    disk.crash(&Random::seeded(seed));
    assert!(database.flush().is_err(), "a handle outlived its power");
    drop(database);
    pairs(&disk, &path)
        .into_iter()
        .map(|(_, key, _)| key[0])
        .collect()
}

#[test]
fn a_crash_keeps_what_was_flushed_and_of_the_rest_any_part() {
    let (mut torn, mut whole) = (0, 0);
    for seed in 0..100 {
        let kept = left("gen-000001", seed % 2 == 0, seed);
        assert!(
            kept.starts_with(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
            "{kept:?}"
        );
        torn += u64::from(!matches!(kept.len(), 10 | 20));
        assert_eq!(left("meta", false, seed).len(), 10);
        let metadata = left("meta", true, seed);
        assert!(matches!(metadata.len(), 10 | 20), "{metadata:?}");
        whole += u64::from(metadata.len() == 20);
    }
    assert!(torn > 20, "{torn}");
    assert!((20..80).contains(&whole), "{whole}");
}

#[test]
fn without_power_everything_fails_from_that_write_on() {
    let disk = SimulatedDisk::new();
    let path = PathBuf::from("meta");
    let database = disk.open(&path, 1 << 20).unwrap();
    disk.cut_power_after(2);
    database.insert(Tree::Main, b"a", b"1").unwrap();
    database.insert(Tree::Main, b"b", b"2").unwrap();
    assert!(!disk.is_dark());
    assert!(database.flush().is_err());
    assert!(disk.is_dark());
    assert!(database.get(Tree::Main, b"a").is_err());
    assert!(disk.sync(Path::new("/")).is_err());
}

#[test]
fn names_are_kept_when_they_were_synced_and_else_up_to_some_change() {
    let mut counts = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let disk = SimulatedDisk::new();
        let home = Path::new("/home");
        drop(disk.open(&home.join("meta"), 1).unwrap());
        disk.sync(home).unwrap();
        drop(disk.open(&home.join("gen-000000"), 1).unwrap());
        disk.rename(&home.join("gen-000000"), &home.join("gen-000000.dead"))
            .unwrap();
        disk.remove(&home.join("gen-000000.dead")).unwrap();
        disk.crash(&Random::seeded(seed));
        let names = disk.names(home).unwrap();
        assert!(names.contains(&"meta".to_owned()), "{names:?}");
        counts.insert(names);
    }
    assert_eq!(counts.len(), 3, "{counts:?}");
}

#[tokio::test]
async fn what_was_saved_before_there_was_a_record_survives_the_power() {
    for seed in 0..20 {
        let disk = SimulatedDisk::new();
        let settings = Settings {
            on_runtime: true,
            ..settings(Some(Path::new("/home")), Durability::Always)
        };
        let (store, _) = Store::open_simulated(settings.clone(), &disk).unwrap();
        let committing = store.committing().unwrap();
        let saving = store.save(vec![(b"stream".into(), Some(b"1".into()))]);
        tokio::select! {
            saved = saving.durable() => saved.unwrap(),
            () = committing => unreachable!("the store is open"),
        }
        disk.crash(&Random::seeded(seed));
        drop(store);
        let (_store, recovered) = Store::open_simulated(settings, &disk).unwrap();
        assert_eq!(recovered.metadata, [(b"stream".to_vec(), b"1".to_vec())]);
    }
}
