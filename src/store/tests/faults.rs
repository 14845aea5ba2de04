//! Tests with disks that are slow, full or not writable.

use super::*;
use crate::limits;
use crate::store::disk::seam::Claim;
use crate::store::disk::temp_files::TempFiles;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};

/// The faults of a disk. A fault is active while its number is not zero.
#[derive(Default)]
struct Faults {
    /// While this fault is active, databases cannot be opened or flushed, as on a full disk.
    full: AtomicU64,
    /// While this fault is active, segments and commit frames cannot be appended.
    inserts_fail: AtomicU64,
    /// While this fault is active, a scan of a generation fails. The error reports a missing
    /// permission, not damage.
    reads_fail: AtomicU64,
    /// Number of openings of generations that will fail for lack of file descriptors.
    without_descriptors: AtomicU64,
    /// While this fault is active, the closing of a generation blocks.
    closing_hangs: AtomicU64,
    /// The gate of flushes. While the gate is set, a flush of records sends a message to the sender
    /// when it starts, and then waits for a message from the receiver.
    gate: Lock<Option<(Sender<()>, Receiver<()>)>>,
}

impl Faults {
    fn check(fault: &AtomicU64) -> io::Result<()> {
        if fault.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::StorageFull, "no space left"))
    }
}

/// A disk that adds faults to another disk.
struct FaultyDisk {
    inner: Box<dyn Disk>,
    faults: Arc<Faults>,
}

struct FaultyGeneration {
    inner: Box<dyn GenerationHandle>,
    faults: Arc<Faults>,
}

struct FaultyMetadata {
    inner: Box<dyn MetadataHandle>,
    faults: Arc<Faults>,
}

impl Disk for FaultyDisk {
    fn claim(&self) -> Result<Box<dyn Claim>, OpenError> {
        self.inner.claim()
    }
    fn open_metadata(&self) -> io::Result<Box<dyn MetadataHandle>> {
        Faults::check(&self.faults.full)?;
        let (inner, faults) = (self.inner.open_metadata()?, self.faults.clone());
        Ok(Box::new(FaultyMetadata { inner, faults }))
    }
    fn open(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>> {
        Faults::check(&self.faults.full)?;
        let left = &self.faults.without_descriptors;
        let one_less = |left: u64| left.checked_sub(1);
        if left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .is_ok()
        {
            // The error number is EMFILE: too many open files in the process.
            return Err(io::Error::from_raw_os_error(24));
        }
        let (inner, faults) = (self.inner.open(number)?, self.faults.clone());
        Ok(Box::new(FaultyGeneration { inner, faults }))
    }
    fn open_copy(&self, number: u64) -> io::Result<Box<dyn GenerationHandle>> {
        self.inner.open_copy(number)
    }
    fn generations(&self) -> io::Result<Vec<u64>> {
        self.inner.generations()
    }
    fn holds(&self, number: u64) -> bool {
        self.inner.holds(number)
    }
    fn set_aside(&self, number: u64) -> io::Result<String> {
        self.inner.set_aside(number)
    }
    fn bury(&self, number: u64) -> io::Result<()> {
        self.inner.bury(number)
    }
    fn remove_buried(&self, number: u64) -> io::Result<()> {
        self.inner.remove_buried(number)
    }
    fn remove(&self, number: u64) -> io::Result<()> {
        self.inner.remove(number)
    }
    fn sync(&self) -> io::Result<()> {
        self.inner.sync()
    }
    fn write_marks(&self, marks: &[u8]) -> io::Result<()> {
        self.inner.write_marks(marks)
    }
    fn marks(&self) -> io::Result<Vec<u8>> {
        self.inner.marks()
    }
    fn metadata_name(&self) -> String {
        self.inner.metadata_name()
    }
    fn name(&self, number: u64) -> String {
        self.inner.name(number)
    }
}

impl MetadataHandle for FaultyMetadata {
    fn save(&self, changes: &[key::Pair]) -> io::Result<u64> {
        Faults::check(&self.faults.full)?;
        self.inner.save(changes)
    }
    fn saves(&self) -> io::Result<u64> {
        self.inner.saves()
    }
    fn scan(&self, visit: &mut dyn FnMut(&[u8], bytes::Bytes)) -> io::Result<()> {
        self.inner.scan(visit)
    }
}

impl GenerationHandle for FaultyGeneration {
    fn append(&self, number: u32, segment: &[u8]) -> io::Result<()> {
        Faults::check(&self.faults.inserts_fail)?;
        self.inner.append(number, segment)
    }
    fn append_frame(&self, commit: u64, part: u32, frame: &[u8]) -> io::Result<()> {
        Faults::check(&self.faults.inserts_fail)?;
        self.inner.append_frame(commit, part, frame)
    }
    fn commit(&self) -> io::Result<()> {
        Faults::check(&self.faults.full)?;
        if let Some((began, go)) = &*self.faults.gate.lock() {
            let _unwatched = began.send(());
            let _let_go = go.recv();
        }
        self.inner.commit()
    }
    fn read(&self, number: u32) -> io::Result<Option<bytes::Bytes>> {
        self.inner.read(number)
    }
    fn scan(&self, visit: &mut dyn FnMut(Stored)) -> io::Result<()> {
        if self.faults.reads_fail.load(Ordering::Relaxed) > 0 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.inner.scan(visit)
    }
    fn another(&self) -> Box<dyn GenerationHandle> {
        let (inner, faults) = (self.inner.another(), self.faults.clone());
        Box::new(Self { inner, faults })
    }
}

impl Drop for FaultyGeneration {
    fn drop(&mut self) {
        while self.faults.closing_hangs.load(Ordering::Relaxed) > 0 {
            std::thread::park();
        }
    }
}

/// Creates the disk for `settings`, and adds `faults` to this disk.
fn faulty(settings: &Settings, faults: &Arc<Faults>) -> Arc<dyn Disk> {
    let inner: Box<dyn Disk> = match &settings.directory {
        Some(directory) => Box::new(sled(directory)),
        None => Box::new(TempFiles::default()),
    };
    let faults = faults.clone();
    Arc::new(FaultyDisk { inner, faults })
}

fn open_faulty(settings: Settings, faults: &Arc<Faults>) -> Store {
    let disk = faulty(&settings, faults);
    open_on(settings, disk).unwrap().on_thread().unwrap().0
}

/// Opens a store that has no data directory and cannot spill.
fn open_without_space(faults: &Arc<Faults>) -> Store {
    let settings = Settings {
        memory_bytes: 1 << 20,
        unflushed_bytes: 1 << 20,
        ..settings(None, Durability::None)
    };
    faults.full.store(1, Ordering::Relaxed);
    open_faulty(settings, faults)
}

/// Returns settings with which a few records fill a generation, and the records of older
/// generations do not stay in memory.
fn small_generations(home: &Path) -> Settings {
    Settings {
        memory_bytes: 10_000,
        generation_bytes: 100_000,
        segment_bytes: 8 << 10,
        ..settings(Some(home), Durability::Always)
    }
}

async fn refuses_writes_and_serves_reads(break_it: impl Fn(&Faults)) {
    let home = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let settings = settings(Some(home.path()), Durability::Always);
    let store = open_faulty(settings.clone(), &faults);
    let log = store.log(LOG);
    put(&store, &log, 0..10, 100).await.durable().await.unwrap();
    break_it(&faults);
    let ticket = put(&store, &log, 10..20, 100).await;
    let error = ticket.durable().await.unwrap_err();
    assert_eq!(error, StoreError::ReadOnly("no space left".into()));
    assert_eq!(store.reserve(1).await.unwrap_err(), error);
    let saving = store.save(vec![account("a", Some(1))]);
    assert_eq!(saving.durable().await.unwrap_err(), error);
    assert!(store.check().is_err());
    assert_eq!(log.end(), 10);
    assert_eq!(read_all(&log, 0, 0).await, expected(0..10, 100));
    assert_eq!(store.close().unwrap_err(), error);
    // Once the disk has space again, a restart is sufficient for the store to accept writes.
    let store = open(&settings);
    let log = store.log(LOG);
    let all = read_all(&log, 0, 0).await;
    assert!(all.starts_with(&expected(0..10, 100)));
    put(&store, &log, 30..40, 100)
        .await
        .durable()
        .await
        .unwrap();
    store.close().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_writes_and_serves_reads() {
    refuses_writes_and_serves_reads(|faults| faults.full.store(1, Ordering::Relaxed)).await;
    refuses_writes_and_serves_reads(|faults| faults.inserts_fail.store(1, Ordering::Relaxed)).await;
}

async fn serves_older_generations_from_a_full_disk(databases: Option<usize>) {
    let home = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let settings = Settings {
        databases,
        ..small_generations(home.path())
    };
    let store = open_faulty(settings, &faults);
    let log = store.log(LOG);
    for start in (0..600).step_by(30) {
        let ticket = put(&store, &log, start..start + 30, 500).await;
        ticket.durable().await.unwrap();
    }
    assert!(store.figures().generations >= 3, "{:?}", store.figures());
    faults.full.store(1, Ordering::Relaxed);
    let ticket = put(&store, &log, 600..610, 500).await;
    assert!(ticket.durable().await.is_err());
    for _ in 0..2 {
        assert_eq!(read_all(&log, 0, 0).await, expected(0..600, 500));
    }
    assert!(store.close().is_err());
    let names = std::fs::read_dir(home.path()).unwrap();
    let mut names = names.map(|entry| entry.unwrap().file_name());
    assert!(names.all(|name| !name.to_string_lossy().contains("corrupt")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_does_not_keep_older_generations_from_being_read() {
    serves_older_generations_from_a_full_disk(None).await;
    serves_older_generations_from_a_full_disk(Some(2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generation_that_the_machine_does_not_let_be_read_is_not_taken_for_damaged() {
    let home = tempfile::tempdir().unwrap();
    let settings = settings(Some(home.path()), Durability::Always);
    let store = open(&settings);
    let log = store.log(LOG);
    put(&store, &log, 0..10, 100).await.durable().await.unwrap();
    // The copy has the state of a data directory after a kill. The generation has no summary, so
    // recovery reads the generation.
    let killed = killed(home.path());
    store.close().unwrap();
    let settings = Settings {
        directory: Some(killed.path().to_path_buf()),
        ..settings
    };
    let faults = Arc::new(Faults::default());
    faults.reads_fail.store(1, Ordering::Relaxed);
    let refused = open_on(settings.clone(), faulty(&settings, &faults));
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("gen-000000 cannot be opened"), "{error}");
    let store = open(&settings);
    assert_eq!(read_all(&store.log(LOG), 0, 0).await, expected(0..10, 100));
    assert_eq!(store.figures().set_aside, 0);
    store.close().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_visible_before_it_is_durable() {
    let home = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let store = open_faulty(settings(Some(home.path()), Durability::Always), &faults);
    let log = store.log(LOG);
    put(&store, &log, 0..10, 100).await.durable().await.unwrap();
    let (began, flushing) = channel();
    let (go, gate) = channel();
    *faults.gate.lock() = Some((began, gate));
    let mut end = log.follow();
    end.mark_unchanged();
    let ticket = put(&store, &log, 10..2000, 100).await;
    tokio::task::spawn_blocking(move || flushing.recv().map(|()| flushing))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((log.end(), end.has_changed().unwrap()), (10, false));
    assert_eq!(read_all(&log, 0, 0).await, expected(0..10, 100));
    assert_eq!(log.index_at_time(at(15)).await, Ok(10));
    drop(go);
    ticket.durable().await.unwrap();
    assert_eq!((log.end(), *end.borrow_and_update()), (2000, 2000));
    assert_eq!(read_all(&log, 0, 0).await, expected(0..2000, 100));
    store.close().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_to_a_deleted_log_is_acknowledged_with_the_removal() {
    let home = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let store = open_faulty(settings(Some(home.path()), Durability::Always), &faults);
    let log = store.log(LOG);
    put(&store, &log, 0..10, 100).await.durable().await.unwrap();
    let (began, flushing) = channel();
    let (go, gate) = channel();
    *faults.gate.lock() = Some((began, gate));
    let committing = put(&store, &log, 10..20, 100).await;
    tokio::task::spawn_blocking(move || flushing.recv().map(|()| flushing))
        .await
        .unwrap()
        .unwrap();
    let waiting = put(&store, &log, 20..30, 100).await;
    let removal = store.save(vec![account("a", Some(1))]);
    store.delete(LOG);
    for ticket in [&committing, &waiting] {
        tokio::select! {
            biased;
            resolved = ticket.clone().durable() => panic!("{resolved:?}"),
            () = std::future::ready(()) => {}
        }
    }
    drop(go);
    removal.durable().await.unwrap();
    committing.durable().await.unwrap();
    waiting.durable().await.unwrap();
    // The removal of the log is durable now, so a further append to the deleted log does not wait.
    put(&store, &log, 30..40, 100)
        .await
        .durable()
        .await
        .unwrap();
    store.close().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_space_to_spill_only_what_fits_in_memory_is_taken() {
    let faults = Arc::new(Faults::default());
    let store = open_without_space(&faults);
    let log = store.log(LOG);
    let mut index = 0;
    let error = loop {
        match store.reserve(10_000).await {
            Ok(reservation) => {
                let data = payload(index, 10_000);
                let _ready = log.append(reservation, [record(index, &data)]);
            }
            Err(error) => break error,
        }
        index += 1;
    };
    assert_eq!(error, StoreError::Full);
    assert!(read_all(&log, 0, 0).await == expected(0..index, 10_000));
    log.trim(at(i64::MAX));
    assert!(store.reserve(10_000).await.is_ok());
    store.close().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spilled_records_are_removed_when_they_are_deleted() {
    let settings = Settings {
        memory_bytes: 100_000,
        unflushed_bytes: 100_000,
        generation_bytes: 1 << 20,
        ..settings(None, Durability::None)
    };
    let store = open(&settings);
    let log = store.log(LOG);
    for start in (0..5000).step_by(100) {
        let _ready = put(&store, &log, start..start + 100, 1000).await;
    }
    assert!(store.figures().generations >= 3, "{:?}", store.figures());
    assert!(read_all(&log, 0, 0).await == expected(0..5000, 1000));
    store.delete(log.id());
    let other = store.log(LogId {
        stream: 2,
        shard: 0,
    });
    for start in (0..1000).step_by(100) {
        let _ready = put(&store, &other, start..start + 100, 1000).await;
    }
    assert!(read_all(&other, 0, 0).await == expected(0..1000, 1000));
    // The removal must also work without further writes. The committer then ends the current
    // generation, and removes it.
    store.delete(other.id());
    let gone = async {
        while store.figures().generations > 0 {
            tokio::task::yield_now().await;
        }
    };
    let gone = RealDeadline::lasting(Duration::from_secs(60)).with(gone);
    assert!(gone.await.is_some(), "{:?}", store.figures());
    store.close().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spill_that_failed_is_tried_again_and_health_says_so() {
    let faults = Arc::new(Faults::default());
    let store = open_without_space(&faults);
    let log = store.log(LOG);
    let mut next = 0;
    let mut append = async || {
        let reservation = store.reserve(10_000).await?;
        let data = payload(next, 10_000);
        let _ready = log.append(reservation, [record(next, &data)]);
        next += 1;
        Ok::<u64, StoreError>(next)
    };
    while append().await.is_ok() {}
    assert!(store.check().is_err());
    faults.full.store(0, Ordering::Relaxed);
    // After each refused write, the committer tries again to spill.
    let written = async {
        loop {
            match append().await {
                Ok(next) if next > 500 => return next,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    let written = RealDeadline::lasting(Duration::from_secs(60)).with(written);
    let written = written.await.expect("writes are taken again");
    assert_eq!(store.check(), Ok(()));
    assert!(read_all(&log, 0, 0).await == expected(0..written, 10_000));
    store.close().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_open_files_are_not_a_dead_disk() {
    let home = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let store = open_faulty(small_generations(home.path()), &faults);
    let log = store.log(LOG);
    put(&store, &log, 0..30, 500).await.durable().await.unwrap();
    // The number of failures is greater than the number of attempts to open the next generation
    // ahead of time, so all these attempts fail.
    let tries = u64::from(limits::DESCRIPTOR_TRIES) + 10;
    faults.without_descriptors.store(tries, Ordering::Relaxed);
    for start in (30..600).step_by(30) {
        let ticket = put(&store, &log, start..start + 30, 500).await;
        ticket.durable().await.unwrap();
    }
    faults.without_descriptors.store(5, Ordering::Relaxed);
    assert_eq!(read_all(&log, 0, 0).await, expected(0..600, 500));
    assert_eq!(faults.without_descriptors.load(Ordering::Relaxed), 0);
    assert_eq!(store.figures().set_aside, 0);
    store.close().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_ends_though_a_database_cannot_be_closed() {
    let home = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let store = open_faulty(settings(Some(home.path()), Durability::Always), &faults);
    let log = store.log(LOG);
    put(&store, &log, 0..10, 100).await.durable().await.unwrap();
    faults.full.store(1, Ordering::Relaxed);
    faults.closing_hangs.store(1, Ordering::Relaxed);
    let ticket = put(&store, &log, 10..20, 100).await;
    assert!(ticket.durable().await.is_err());
    let error = store.close().unwrap_err().to_string();
    assert!(error.contains("the disk does not answer"), "{error}");
    assert_eq!(read_all(&log, 0, 0).await, expected(0..10, 100));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_was_removed_takes_no_writes() {
    for replaced in [false, true] {
        let home = tempfile::tempdir().unwrap();
        let store = open(&settings(Some(home.path()), Durability::Always));
        let log = store.log(LOG);
        put(&store, &log, 0..10, 100).await.durable().await.unwrap();
        std::fs::remove_dir_all(home.path()).unwrap();
        if replaced {
            std::fs::create_dir(home.path()).unwrap();
            std::fs::write(home.path().join("lock"), "").unwrap();
        }
        let ticket = put(&store, &log, 10..20, 100).await;
        let error = ticket.durable().await.unwrap_err().to_string();
        assert!(error.contains("was removed or replaced"), "{error}");
        assert_eq!(read_all(&log, 0, 0).await, expected(0..10, 100));
        assert!(store.check().is_err());
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_an_error_with_its_name() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = try_start(&settings(Some(&file), Durability::Always)).unwrap_err();
    assert!(
        error.to_string().contains(file.to_str().unwrap()),
        "{error}"
    );
    // Not even root can create a directory at this path.
    let settings = settings(Some(Path::new("/proc/minikin")), Durability::Always);
    let error = try_start(&settings).unwrap_err().to_string();
    assert!(
        error.starts_with("/proc/minikin cannot be opened: "),
        "{error}"
    );
}
