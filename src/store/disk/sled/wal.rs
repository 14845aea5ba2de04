//! The write-ahead log of a generation: a file that makes small commits durable with one write and
//! one sync.
//!
//! A flush of sled writes whole leaves and syncs three files. Therefore a commit is written to the
//! write-ahead log, and sled holds the values of the commit only in memory. The file has two
//! halves. When one half is full, the flusher makes sled flush these values (`flusher.rs`), while
//! the next commits are written to the other half. A commit with more than `WAL_COMMIT_BYTES` bytes
//! is not written to the file. Instead, sled flushes such a commit immediately.
//!
//! The opening of a generation inserts the values from the file in sled again. This does not change
//! values that sled already has, because a generation never gets a second value for a key.

use crate::limits::{WAL_COMMIT_BYTES, WAL_HALF_BYTES};
use crate::store::disk::directory::sync_names;
use crate::store::format::wal::{WalCommit, WalValue, commits};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Name of the write-ahead log in the folder of its generation.
const WAL: &str = "wal";

/// The write-ahead log of an open generation.
pub(super) struct Wal {
    /// The folder of the generation.
    folder: PathBuf,
    /// The file of the write-ahead log. `None` before the first commit, which creates the file.
    file: Option<File>,
    /// Offset in bytes of the half to which commits are written.
    half: u64,
    /// Number of bytes that commits occupy in the half to which commits are written.
    used: u64,
    /// Number of the next commit.
    next: u64,
    /// The values that were appended since the last commit. Empty if these values are too large for
    /// the file.
    commit: WalCommit,
    is_too_large: bool,
}

impl Wal {
    /// Creates the write-ahead log of the generation in `folder`, which has no write-ahead log yet.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            file: None,
            half: 0,
            used: 0,
            next: 0,
            commit: WalCommit::default(),
            is_too_large: false,
        }
    }

    /// Adds `value` to the next commit.
    pub(super) fn append(&mut self, value: &WalValue<'_>) {
        if self.is_too_large || self.commit.size() + value.size() > WAL_COMMIT_BYTES {
            self.is_too_large = true;
            self.commit.clear();
        } else {
            self.commit.push(value);
        }
    }

    /// Returns true if the next commit is too large for a write-ahead log.
    pub(super) fn is_too_large(&self) -> bool {
        self.is_too_large
    }

    /// Returns true if the half to which commits are written has no space for the next commit.
    pub(super) fn is_half_full(&self) -> bool {
        self.used + self.commit.size() as u64 > WAL_HALF_BYTES
    }

    /// Makes the next commit begin at the start of the other half. Must be called only after sled
    /// has flushed the values in the other half.
    pub(super) fn begin_other_half(&mut self) {
        self.half = WAL_HALF_BYTES - self.half;
        self.used = 0;
    }

    /// Makes the values that were appended since the last commit durable. The half to which commits
    /// are written must have space for these values.
    pub(super) fn commit(&mut self) -> io::Result<()> {
        if self.commit.is_empty() {
            return Ok(());
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => create(&self.folder)?,
        };
        let file = self.file.insert(file);
        let bytes = self.commit.finish(self.next);
        file.write_all_at(bytes, self.half + self.used)?;
        file.sync_data()?;
        self.used += bytes.len() as u64;
        self.next += 1;
        self.commit.clear();
        Ok(())
    }

    /// Makes the next commit begin at the start of the same half again. Must be called only after
    /// sled has flushed all values.
    pub(super) fn restart(&mut self) {
        self.commit.clear();
        self.is_too_large = false;
        self.used = 0;
    }

    /// Removes the file of the write-ahead log. Must be called only after sled has flushed all
    /// values. Returns an error if the file cannot be removed.
    pub(super) fn remove(&mut self) -> io::Result<()> {
        match self.file.take() {
            Some(_) => std::fs::remove_file(self.folder.join(WAL)),
            None => Ok(()),
        }
    }

    pub(super) fn has_file(&self) -> bool {
        self.file.is_some()
    }
}

/// Creates the file and writes zeros to both halves. The blocks of the file are then allocated, and
/// the sync of a commit writes only the bytes of the commit. Without the zeros, each sync would
/// also wait for the journal of the file system. Moreover, ext4 reports success for such a sync if
/// the file system is shut down during the sync (Linux 6.18, `EXT4_IOC_SHUTDOWN`).
fn create(folder: &Path) -> io::Result<File> {
    let file = File::create_new(folder.join(WAL))?;
    let zeros = [0; WAL_COMMIT_BYTES];
    for offset in (0..2 * WAL_HALF_BYTES).step_by(zeros.len()) {
        file.write_all_at(&zeros, offset)?;
    }
    file.sync_all()?;
    sync_names(folder)?;
    Ok(file)
}

/// Calls `insert` for each value in the write-ahead log of the generation in `folder`. Then calls
/// `flush`, and removes the file. Does nothing if the generation has no write-ahead log.
pub(super) fn replay(
    folder: &Path,
    insert: impl Fn(&WalValue<'_>) -> io::Result<()>,
    flush: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let path = folder.join(WAL);
    let mut bytes = Vec::new();
    match File::open(&path) {
        Ok(file) => file.take(2 * WAL_HALF_BYTES).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let (first, second) = bytes.split_at(bytes.len().min(WAL_HALF_BYTES as usize));
    for value in commits(first).chain(commits(second)).flatten() {
        insert(&value)?;
    }
    flush()?;
    std::fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::disk::seam::{GenerationHandle as _, Stored};
    use crate::store::disk::sled::database::{SledDatabase, copy_folder};
    use crate::store::format::key;
    use crate::store::format::wal::TreeName;

    fn open(path: &Path) -> SledDatabase {
        SledDatabase::open(path).expect("it opens")
    }

    /// Returns a copy of the files, which have the state after a kill at this moment.
    fn killed(path: &Path) -> tempfile::TempDir {
        let left = tempfile::tempdir().expect("space");
        copy_folder(path, left.path()).expect("space");
        left
    }

    /// Commits a segment and a commit frame of `size` bytes each.
    fn commit(database: &SledDatabase, number: u32, size: usize) {
        let fill = number.to_le_bytes()[0];
        let value = vec![fill; size];
        database.append(number, &value).expect("space");
        let frame = database.append_frame(number.into(), 0, &value);
        frame.and_then(|()| database.commit()).expect("space");
    }

    /// Returns the numbers of the segments, and the numbers of the commits with frames, in the
    /// database.
    fn numbers(path: &Path) -> (Vec<u32>, Vec<u64>) {
        let (mut segments, mut frames) = (Vec::new(), Vec::new());
        let mut visit = |stored| match stored {
            Stored::Segment(number, bytes) => {
                assert!(bytes.iter().all(|byte| *byte == number.to_le_bytes()[0]));
                segments.push(number);
            }
            Stored::Frame(commit, _) => frames.push(commit),
        };
        open(path).scan(&mut visit).expect("readable");
        (segments, frames)
    }

    fn wal(path: &Path) -> PathBuf {
        path.join(WAL)
    }

    #[test]
    fn a_kill_loses_no_commit_and_the_next_opening_ends_the_log() {
        let home = tempfile::tempdir().expect("space");
        let database = open(home.path());
        // The commits fill the file twice, and some commits are too large for the file.
        for number in 0..60 {
            let large = number % 20 == 19;
            commit(&database, number, if large { 300_000 } else { 99_000 });
            if number % 7 == 0 || large {
                let left = killed(home.path());
                let all = ((0..=number).collect(), (0..=number.into()).collect());
                assert_eq!(numbers(left.path()), all);
                assert!(!wal(left.path()).exists());
            }
        }
    }

    #[test]
    fn a_commit_of_which_the_file_lacks_a_byte_is_not_there() {
        let home = tempfile::tempdir().expect("space");
        let database = open(home.path());
        (0..4).for_each(|number| commit(&database, number, 500));
        let mut one = WalCommit::default();
        for (tree, key) in [
            (TreeName::Main, &key::segment(0)[..]),
            (TreeName::Commits, &key::commit(0, 0)),
        ] {
            let value = &[0; 500];
            one.push(&WalValue { tree, key, value });
        }
        let size = one.size() as u64;
        let length = 4 * size;
        for cut in [0, 1, size - 1, size, size + 1, 3 * size, length - 1, length] {
            let left = killed(home.path());
            let file = File::options().write(true).open(wal(left.path()));
            file.and_then(|file| file.set_len(cut)).expect("a file");
            let complete = u32::try_from(cut / size).expect("four");
            let expected = ((0..complete).collect(), (0..complete.into()).collect());
            assert_eq!(numbers(left.path()), expected, "{cut}");
        }
    }

    #[test]
    fn a_large_commit_writes_no_log_and_a_closed_database_has_none() {
        let home = tempfile::tempdir().expect("space");
        let database = open(home.path());
        commit(&database, 0, WAL_COMMIT_BYTES);
        assert!(!wal(home.path()).exists());
        commit(&database, 1, 1);
        assert!(wal(home.path()).exists());
        drop(database);
        assert!(!wal(home.path()).exists());
        assert_eq!(numbers(home.path()), (vec![0, 1], vec![0, 1]));
    }

    #[test]
    fn a_commit_that_cannot_be_written_fails_and_so_does_the_next() {
        let home = tempfile::tempdir().expect("space");
        let database = open(home.path());
        std::fs::create_dir(wal(home.path())).expect("space");
        database.append(0, b"value").expect("memory");
        assert!(database.commit().is_err());
        assert!(database.append(1, b"value").is_err());
        drop(database);
        std::fs::remove_dir(wal(home.path())).expect("a folder");
        assert_eq!(numbers(killed(home.path()).path()), (vec![], vec![]));
    }
}
