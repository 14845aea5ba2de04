//! Tests with damaged data directories, and with generations in which few segments are live.

use super::*;
use crate::store::format::frame::Frames;
use crate::store::format::segment::Tail;

const RECORDS: u64 = 1200;

fn small(directory: &Path) -> Settings {
    Settings {
        memory_bytes: 50_000,
        generation_bytes: 200_000,
        segment_bytes: 8 << 10,
        ..settings(Some(directory), Durability::Always)
    }
}

/// Creates a data directory with several generations, in the state after a kill. The last
/// generation is not complete.
async fn filled() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let store = open(&small(home.path()));
    let log = store.log(LOG);
    for start in (0..RECORDS).step_by(30) {
        put(&store, &log, start..start + 30, 500)
            .await
            .durable()
            .await
            .unwrap();
    }
    assert!(store.figures().generations >= 3, "{:?}", store.figures());
    let copy = killed(home.path());
    store.close().unwrap();
    copy
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Opens a damaged data directory and counts its readable records. Checks that these records are
/// correct and in order.
async fn survivors(directory: &Path) -> Result<usize, OpenError> {
    let (store, _) = try_start(&small(directory))?;
    let log = store.log(LOG);
    let found = read_all(&log, 0, 0).await;
    assert!(found.is_sorted_by(|before, after| before.0 < after.0));
    assert!(
        found
            .iter()
            .all(|(index, data)| *data == payload(*index, 500))
    );
    // The store must continue to work, and new records must survive a restart.
    let start = log.end().max(1 << 40);
    let new = start..start + 10;
    put(&store, &log, new.clone(), 500)
        .await
        .durable()
        .await
        .unwrap();
    drop(store);
    let (store, _) = try_start(&small(directory))?;
    let kept = read_all(&store.log(LOG), new.start, 0).await;
    assert_eq!(kept, expected(new, 500));
    Ok(found.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_costs_no_more_than_its_generation() {
    let whole = filled().await;
    let mut found = Vec::new();
    files(whole.path(), &mut found);
    // The test does not damage empty slabs, because all empty slabs are alike. Slabs are files of
    // sled. The test does not damage the files of sled's own metadata, because sled would search
    // for ever for the objects in these files. It does not damage the smallest slab, because this
    // slab holds the names of the trees, and without these names an opening never ends.
    found.retain(|path| {
        let own = path.components().any(|part| part.as_os_str() == "metadata");
        !own && !path.ends_with("slabs/96") && std::fs::metadata(path).unwrap().len() > 0
    });
    found.sort();
    let (mut untouched, mut damaged) = (0, 0);
    // Only every eleventh file is damaged, because each case takes some time. Even so, files of
    // every generation and of `meta` are damaged.
    for (path, round) in found.iter().step_by(11).zip(0..) {
        let name = path.strip_prefix(whole.path()).unwrap();
        if name.starts_with("lock") || name.starts_with("version") {
            continue;
        }
        let copy = tempfile::tempdir().unwrap();
        copy_directory(whole.path(), copy.path()).unwrap();
        let target = copy.path().join(name);
        let mut bytes = std::fs::read(&target).unwrap();
        match round % 3 {
            0 => bytes.iter_mut().step_by(97).for_each(|byte| *byte ^= 0x55),
            1 => bytes.truncate(bytes.len() / 2),
            _ => bytes.clear(),
        }
        if bytes.is_empty() {
            std::fs::remove_file(&target).unwrap();
        } else {
            std::fs::write(&target, bytes).unwrap();
        }
        match survivors(copy.path()).await {
            // At most one generation is lost. A generation of 200 kB has at most 700 records.
            Ok(left) if left as u64 >= RECORDS - 700 => {
                damaged += u64::from((left as u64) < RECORDS);
                untouched += u64::from(left as u64 == RECORDS);
            }
            Ok(left) => panic!("{} of {RECORDS} records after damage to {name:?}", left),
            Err(error) => {
                assert!(name.starts_with("meta"), "{name:?}: {error}");
                assert!(error.to_string().contains("meta"), "{error}");
            }
        }
    }
    assert!(damaged > 0, "{damaged} of {}", untouched + damaged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generation_that_is_gone_is_done_without() {
    let home = filled().await;
    std::fs::remove_dir_all(home.path().join("gen-000001")).unwrap();
    let left = survivors(home.path()).await.unwrap();
    assert!((500..1000).contains(&left), "{left}");
    // The start also removed the summary of the lost generation, so that `meta` has summaries of
    // existing generations only.
    assert!(!metadata_keys(home.path()).contains(&key::summary(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_generation_that_was_being_written_is_missed_when_it_is_gone() {
    let home = filled().await;
    let damage = || check(home.path()).unwrap().damage;
    assert!(damage().is_empty());
    let keys = metadata_keys(home.path());
    let is_begun = |number: &u64| keys.contains(&key::begun(*number));
    let begun: Vec<u64> = (0..100).filter(is_begun).collect();
    let [number] = begun[..] else {
        panic!("one is being written: {begun:?}")
    };
    let name = format!("gen-{number:06}");
    std::fs::remove_dir_all(home.path().join(&name)).unwrap();
    let found = damage();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].path, PathBuf::from(&name));
    // The next start does not report the loss again, and the remaining records can be read.
    let left = survivors(home.path()).await.unwrap() as u64;
    assert!((1..RECORDS).contains(&left), "{left}");
    assert!(damage().is_empty(), "{:?}", damage());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_metadata_a_directory_is_not_taken_for_a_new_one() {
    let home = filled().await;
    std::fs::remove_dir_all(home.path().join("meta")).unwrap();
    let error = try_start(&small(home.path())).unwrap_err().to_string();
    assert!(error.contains("meta cannot be opened"), "{error}");
    assert!(home.path().join("gen-000000").is_dir());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_summaries_the_generations_themselves_are_read() {
    let home = filled().await;
    let summaries = (0..10).map(|number| (key::summary(number), None));
    save(home.path(), &summaries.collect::<Vec<_>>());
    assert_eq!(survivors(home.path()).await.unwrap() as u64, RECORDS);
}

/// Returns the keys in the database `meta` of the data directory.
fn metadata_keys(directory: &Path) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let mut visit = |key: &[u8], _| keys.push(key.to_vec());
    let metadata = sled(directory).open_metadata().unwrap();
    metadata.scan(&mut visit).unwrap();
    keys
}

/// Saves `changes` in the database `meta` of the data directory.
fn save(directory: &Path, changes: &[key::Pair]) {
    let metadata = sled(directory).open_metadata().unwrap();
    metadata.save(changes).unwrap();
}

/// Creates the generation `number`, which has the records `records` in commit frames and in no
/// segment. If `broken` is the index of a record, the frame of this record is damaged.
fn frames(directory: &Path, number: u64, records: std::ops::Range<u64>, broken: Option<u64>) {
    let generation = sled(directory).open(number).unwrap();
    for index in records {
        let (mut tail, mut frames) = (Tail::default(), Frames::default());
        tail.push(
            &record(index, &payload(index, 500)),
            at(index.cast_signed()),
        );
        frames.push(LOG, tail.run(0), 1 << 16);
        let mut frame = frames.finish().remove(0);
        frame[30] ^= u8::from(broken == Some(index));
        generation.append_frame(index, 0, &frame).unwrap();
    }
    generation.commit().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_in_the_frames_of_two_generations_are_recovered_and_kept() {
    let home = tempfile::tempdir().unwrap();
    open(&small(home.path())).close().unwrap();
    frames(home.path(), 0, 0..10, None);
    frames(home.path(), 1, 10..20, None);
    for _ in 0..3 {
        assert!(survivors(home.path()).await.unwrap() >= 20);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_whose_segment_is_lost_are_taken_from_their_frames_though_later_ones_are_stored() {
    let home = tempfile::tempdir().unwrap();
    open(&small(home.path())).close().unwrap();
    frames(home.path(), 0, 0..10, None);
    // The test simulates a commit that stored the records 0 to 14 in two segments, of which the
    // disk kept only the second segment.
    let mut tail = Tail::default();
    for index in 10..15 {
        let data = payload(index, 500);
        tail.push(&record(index, &data), at(index.cast_signed()));
    }
    let generation = sled(home.path()).open(0).unwrap();
    generation.append(1, tail.seal(LOG).bytes()).unwrap();
    generation.commit().unwrap();
    drop(generation);
    // A check gives the same report before and after recovery has repaired the damage.
    let known = check(home.path()).unwrap();
    assert_eq!((known.nameless_records, known.damage), (15, Vec::new()));
    for round in 1..3 {
        assert!(survivors(home.path()).await.unwrap() >= 15);
        let known = check(home.path()).unwrap();
        assert_eq!(
            (known.nameless_records, known.damage),
            (15 + round * 10, Vec::new())
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_set_aside_is_counted_by_the_store_that_met_it() {
    let home = filled().await;
    let other = open(&settings(None, Durability::None));
    let mut found = Vec::new();
    files(&home.path().join("gen-000000").join("slabs"), &mut found);
    for path in found {
        std::fs::remove_file(path).unwrap();
    }
    let store = open(&small(home.path()));
    read_all(&store.log(LOG), 0, 0).await;
    assert_eq!(
        (store.figures().set_aside, other.figures().set_aside),
        (1, 0)
    );
    store.close().unwrap();
    let newest = *sled(home.path()).generations().unwrap().last().unwrap();
    let path = home.path().join(format!("gen-{newest:06}"));
    std::fs::write(path.join("durability_cookie"), [0; 64]).unwrap();
    save(home.path(), &[(key::summary(newest), None)]);
    let store = open(&small(home.path()));
    assert_eq!(store.figures().set_aside, 1, "at the start");
    store.close().unwrap();
    other.close().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_commit_costs_its_own_records_only() {
    let home = tempfile::tempdir().unwrap();
    open(&small(home.path())).close().unwrap();
    frames(home.path(), 0, 0..10, Some(4));
    assert_eq!(survivors(home.path()).await.unwrap(), 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_without_a_next_one_are_ignored() {
    let home = tempfile::tempdir().unwrap();
    open(&small(home.path())).close().unwrap();
    frames(home.path(), 0, 0..10, None);
    let generation = sled(home.path()).open(0).unwrap();
    generation.append(u32::MAX, b"none").unwrap();
    generation
        .append_frame(u64::MAX, u32::MAX, b"none")
        .unwrap();
    generation.commit().unwrap();
    drop(generation);
    let last = home.path().join(format!("gen-{}", u64::MAX));
    std::fs::create_dir(last).unwrap();
    assert_eq!(survivors(home.path()).await.unwrap(), 10);
}

fn disk_bytes(directory: &Path) -> u64 {
    let mut found = Vec::new();
    files(directory, &mut found);
    found
        .iter()
        // A file that sled has removed in the meantime is skipped.
        .filter_map(|path| Some(std::fs::metadata(path).ok()?.len()))
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generations_with_little_left_are_rewritten_and_removed() {
    let home = tempfile::tempdir().unwrap();
    let store = open(&small(home.path()));
    let logs = [0, 1].map(|shard| store.log(LogId { stream: 1, shard }));
    for start in (0..4000).step_by(50) {
        let few = put(&store, &logs[0], start..start + 10, 500).await;
        let many = put(&store, &logs[1], start..start + 50, 500).await;
        few.durable().await.unwrap();
        many.durable().await.unwrap();
    }
    let before = (disk_bytes(home.path()), store.figures().generations);
    store.delete(logs[1].id());
    for index in 4000..4003 {
        let ticket = put(&store, &logs[0], index..index + 1, 500).await;
        ticket.durable().await.unwrap();
    }
    let few = || {
        let starts = (0..4000).step_by(50);
        starts.flat_map(|start| start..start + 10).chain(4000..4003)
    };
    let kept = || few().map(|index| (index, payload(index, 500)));
    assert!(read_all(&logs[0], 0, 0).await.into_iter().eq(kept()));
    assert!(store.figures().generations < before.1 / 2, "{before:?}");
    store.close().unwrap();
    let after = disk_bytes(home.path());
    assert!(after < before.0 / 2, "{} to {after} bytes", before.0);
    let store = open(&small(home.path()));
    assert!(read_all(&store.log(LOG), 0, 0).await.into_iter().eq(kept()));
    store.close().unwrap();
}
