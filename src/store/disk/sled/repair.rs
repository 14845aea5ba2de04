//! Repairs damage in sled's own metadata. A kill of the process leaves such damage if sled was
//! opening a database.
//!
//! sled's metadata is a snapshot with the locations of its objects, and logs of the later changes.
//! An opening of a database writes a new snapshot, removes the logs and the old snapshot, and
//! starts a new log. A kill between these steps leaves a snapshot without a log, and may leave the
//! old snapshot, too.
//!
//! The next opening (in sled alpha 124) then writes a snapshot with the same number, and removes
//! this new snapshot as if it were the old one. After a further kill, all data from before the last
//! opening is lost, or is replaced by the data of an even older snapshot.
//!
//! Therefore `repair` runs before every opening. It creates an empty log if no log exists, and
//! removes older snapshots.

use crate::store::disk::directory::sync_names;
use std::io;
use std::path::Path;

const SNAPSHOT: &str = "snapshot_";
const LOG: &str = "log_";

/// Repairs the database at `path`. Does nothing if no database exists at `path`.
pub(super) fn repair(path: &Path) -> io::Result<()> {
    let folder = path.join("metadata");
    let found = match numbered(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    let of_kind = |kind: &'static str| {
        let numbers = found.iter().filter(move |(of, _)| *of == kind);
        numbers.map(|(_, number)| *number)
    };
    let Some(newest) = of_kind(SNAPSHOT).max() else {
        return Ok(());
    };
    for older in of_kind(SNAPSHOT).filter(|number| *number < newest) {
        std::fs::remove_file(folder.join(name(SNAPSHOT, older)))?;
    }
    if !of_kind(LOG).any(|number| number > newest) {
        let log = std::fs::File::create(folder.join(name(LOG, newest + 1)))?;
        log.sync_all()?;
    }
    sync_names(&folder)
}

/// Returns the kind and number of each log and each snapshot in the folder `folder`. The kind is
/// `LOG` or `SNAPSHOT`.
fn numbered(folder: &Path) -> io::Result<Vec<(&'static str, u64)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?.file_name();
        let entry = entry.to_string_lossy();
        let number = |kind: &'static str| {
            let number = u64::from_str_radix(entry.strip_prefix(kind)?, 16).ok()?;
            (entry == name(kind, number)).then_some((kind, number))
        };
        found.extend(number(SNAPSHOT).or_else(|| number(LOG)));
    }
    Ok(found)
}

fn name(kind: &str, number: u64) -> String {
    format!("{kind}{number:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::disk::seam::{GenerationHandle as _, Stored};
    use crate::store::disk::sled::database::{SledDatabase, copy_folder};

    fn open(path: &Path) -> SledDatabase {
        SledDatabase::open(path).expect("it opens")
    }

    /// Opens the database at `path`, and adds ten keys, starting with ten times `tens`. Returns a
    /// copy of the files, which have the state after a kill at this moment. With ten keys, no two
    /// calls write to the same leaf of sled.
    fn killed_after_adding(path: &Path, tens: u32) -> tempfile::TempDir {
        let database = open(path);
        for key in tens * 10..tens * 10 + 10 {
            database.append(key, b"value").expect("space");
        }
        database.flush().expect("a whole disk");
        let left = tempfile::tempdir().expect("space");
        copy_folder(path, left.path()).expect("space");
        left
    }

    fn keys(path: &Path) -> Vec<u32> {
        let mut keys = Vec::new();
        let mut visit = |stored| {
            if let Stored::Segment(key, _) = stored {
                keys.push(key);
            }
        };
        open(path).scan(&mut visit).expect("readable");
        keys
    }

    fn remove(folder: &Path, kind: &str) {
        for (found, number) in numbered(folder).expect("a folder") {
            if found == kind {
                std::fs::remove_file(folder.join(name(kind, number))).expect("removable");
            }
        }
    }

    #[test]
    fn a_kill_before_the_first_log_loses_nothing_at_the_second_kill() {
        let first = killed_after_adding(tempfile::tempdir().expect("space").path(), 1);
        let second = killed_after_adding(first.path(), 2);
        // The test simulates a kill between the writing of the snapshot and the creation of the
        // log.
        drop(open(second.path()));
        remove(&second.path().join("metadata"), LOG);
        let third = killed_after_adding(second.path(), 3);
        assert_eq!(keys(third.path()), (10..40).collect::<Vec<u32>>());
    }

    #[test]
    fn an_older_snapshot_that_a_kill_left_does_not_come_back() {
        let first = killed_after_adding(tempfile::tempdir().expect("space").path(), 1);
        drop(open(first.path()));
        let metadata = |path: &Path| path.join("metadata");
        let snapshot = |path: &Path| {
            let found = numbered(&metadata(path)).expect("a folder");
            let newest = found
                .into_iter()
                .filter(|(kind, _)| *kind == SNAPSHOT)
                .max();
            metadata(path).join(name(SNAPSHOT, newest.expect("a snapshot").1))
        };
        let old = snapshot(first.path());
        let content = std::fs::read(&old).expect("a file");
        let second = killed_after_adding(first.path(), 2);
        drop(open(second.path()));
        remove(&metadata(second.path()), LOG);
        let kept = metadata(second.path()).join(old.file_name().expect("a file"));
        std::fs::write(&kept, content).expect("space");
        let third = killed_after_adding(second.path(), 3);
        assert!(!kept.exists());
        assert_eq!(keys(third.path()), (10..40).collect::<Vec<u32>>());
    }

    #[test]
    fn there_may_be_nothing_yet() {
        let folder = tempfile::tempdir().expect("space");
        repair(&folder.path().join("none")).expect("nothing to do");
        assert!(keys(folder.path()).is_empty());
    }
}
