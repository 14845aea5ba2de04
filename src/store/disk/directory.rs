//! A data directory on the machine's file system: its lock, its version and its file names.

use super::layout::{Layout, Name};
use super::seam::Claim;
use crate::limits;
use crate::store::error::{OpenError, Problem};
use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Content of the file `version` in a data directory, which names the version of the directory's
/// layout.
pub(crate) const VERSION: &str = "minikin data 3\n";

/// Content of the file `version` in a data directory of the previous version. The generations in
/// such a directory have no write-ahead logs. A start replaces this content by [`VERSION`].
const OLDER_VERSION: &str = "minikin data 2\n";

/// First characters of the file `version` in every version of the layout.
const VERSION_BEGINS: &str = "minikin data ";

/// The lock file of a data directory, which this process has locked.
#[derive(Debug)]
pub(crate) struct Lock {
    layout: Layout,
    /// Device number and inode number of the lock file.
    identity: (u64, u64),
    /// The open lock file. The operating system releases the lock when this file is closed.
    _file: File,
}

impl Lock {
    fn new(layout: &Layout, file: File) -> io::Result<Self> {
        Ok(Self {
            layout: layout.clone(),
            identity: identity(&file.metadata()?),
            _file: file,
        })
    }
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

impl Claim for Lock {
    fn verify(&self) -> io::Result<()> {
        match std::fs::metadata(self.layout.lock()) {
            Ok(found) if identity(&found) == self.identity => Ok(()),
            _ => Err(io::Error::other(format!(
                "{} was removed or replaced while it was in use",
                self.layout.directory().display()
            ))),
        }
    }
}

/// Locks the data directory for this process, and checks the version of the directory's layout.
/// Creates the directory if it does not exist. `tries` is the maximum number of attempts to lock
/// the directory.
pub(crate) fn claim(layout: &Layout, tries: u32) -> Result<Lock, OpenError> {
    let directory = layout.directory();
    let fail = |error| OpenError::new(directory, error);
    if !directory.is_dir() {
        std::fs::create_dir_all(directory).map_err(fail)?;
        // The name of a new directory must become durable in its parent directory. Otherwise a
        // power cut loses the new directory.
        let parent = directory.parent().filter(|path| *path != Path::new(""));
        sync_names(parent.unwrap_or(Path::new("."))).map_err(fail)?;
    }
    refuse_folders(layout)?;
    let path = layout.lock();
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(|error| OpenError::damaged(directory, &path, error))?;
    hold(&file, directory, tries)?;
    if !has_version(layout)? {
        write_version(layout).map_err(fail)?;
    }
    Lock::new(layout, file).map_err(fail)
}

/// Locks the data directory for a check, without a change of the directory. Returns `None` if the
/// directory has no lock file. No process uses such a directory.
pub(crate) fn visit(layout: &Layout) -> Result<Option<Lock>, OpenError> {
    let directory = layout.directory();
    match std::fs::metadata(directory) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(OpenError::of(directory, Problem::NotOurs)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(OpenError::of(directory, Problem::Absent));
        }
        Err(error) => return Err(OpenError::new(directory, error)),
    }
    refuse_folders(layout)?;
    let file = match File::open(layout.lock()) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(OpenError::new(&layout.lock(), error)),
    };
    if let Some(file) = &file {
        hold(file, directory, limits::CHECK_LOCK_TRIES)?;
    }
    if !has_version(layout)? && !layout.metadata().exists() {
        return Err(OpenError::of(directory, Problem::NotOurs));
    }
    let lock = file.map(|file| Lock::new(layout, file)).transpose();
    lock.map_err(|error| OpenError::new(directory, error))
}

/// Returns an error if the data directory has a folder whose name is that of the lock file, the
/// file `version` or the file `marks`.
fn refuse_folders(layout: &Layout) -> Result<(), OpenError> {
    let files = [layout.lock(), layout.version(), layout.marks()];
    match files.iter().find(|path| path.is_dir()) {
        None => Ok(()),
        Some(path) => {
            let error = io::Error::other("it is a folder");
            Err(OpenError::damaged(layout.directory(), path, error))
        }
    }
}

fn hold(lock: &File, directory: &Path, tries: u32) -> Result<(), OpenError> {
    let mut tries = 1..tries;
    while let Err(error) = lock.try_lock() {
        match (error, tries.next()) {
            (TryLockError::Error(error), _) => return Err(OpenError::new(directory, error)),
            (TryLockError::WouldBlock, None) => {
                return Err(OpenError::of(directory, Problem::InUse));
            }
            (TryLockError::WouldBlock, Some(_)) => std::thread::sleep(limits::LOCK_PAUSE),
        }
    }
    Ok(())
}

/// Returns true if the file `version` names the version of this program. Returns false if a start
/// has to write the file, because the file names the older version, or is missing or empty. The
/// file may be missing or empty after a kill of an earlier start.
fn has_version(layout: &Layout) -> Result<bool, OpenError> {
    let (directory, path) = (layout.directory(), layout.version());
    let damaged = |text| OpenError::damaged(directory, &path, io::Error::other(text));
    let found = match std::fs::read(&path) {
        Ok(found) => String::from_utf8_lossy(&found).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(OpenError::new(&path, error)),
    };
    if found == VERSION || found == OLDER_VERSION || found.is_empty() {
        return Ok(found == VERSION);
    }
    let number = found.strip_prefix(VERSION_BEGINS);
    let number = number.and_then(|rest| rest.strip_suffix('\n'));
    if number.is_none_or(|number| number.parse::<u32>().is_err()) {
        return Err(damaged("it holds no version"));
    }
    let (found, ours) = (found.trim().to_owned(), VERSION.trim().to_owned());
    Err(OpenError::of(directory, Problem::Version { found, ours }))
}

fn write_version(layout: &Layout) -> io::Result<()> {
    let mut file = File::create(layout.version())?;
    io::Write::write_all(&mut file, VERSION.as_bytes())?;
    file.sync_all()
}

/// Returns the names of all files and folders in the data directory.
pub(crate) fn names(layout: &Layout) -> io::Result<Vec<String>> {
    let name = |entry: io::Result<std::fs::DirEntry>| {
        Ok(entry?.file_name().to_string_lossy().into_owned())
    };
    std::fs::read_dir(layout.directory())?.map(name).collect()
}

/// Returns the numbers of the generations whose folders are among `names`, in ascending order.
pub(crate) fn generations(names: &[String]) -> Vec<u64> {
    let number = |name: &String| match Layout::parse(name) {
        Name::Generation(number) => Some(number),
        _ => None,
    };
    let mut numbers: Vec<_> = names.iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// Makes the names of the files in `directory` durable.
pub(crate) fn sync_names(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Opens the file `marks` of the data directory for writing. Creates the file if it does not exist.
pub(crate) fn open_marks(layout: &Layout) -> io::Result<File> {
    let options = &mut File::options();
    let options = options.create(true).write(true).truncate(false);
    options.open(layout.marks())
}

/// Returns the content of the file `marks` of the data directory. Returns no bytes if the file does
/// not exist.
pub(crate) fn read_marks(layout: &Layout) -> io::Result<Vec<u8>> {
    match std::fs::read(layout.marks()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}
