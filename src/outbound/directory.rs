//! Writes the objects of buckets into a local directory. The subdirectory `b` is the bucket `b`.
//!
//! The key of an object is the path of its file within the directory of the bucket. No part of this
//! path may be a symbolic link. Consecutive slashes in a key count as one slash.
//!
//! The bytes of an object are first written to a temporary file and flushed to the disk. The
//! temporary file is then renamed to the name of the object. All functions block the thread.

use sha2::{Digest as _, Sha256};
use std::fs::{self, DirBuilder, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Size in bytes of the buffer that collects the bytes of an object before they are written to the
/// object's file. The value is a choice.
const BUFFER_BYTES: usize = 256 << 10;

/// A local directory whose subdirectories are buckets.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    pub(super) path: PathBuf,
    /// True if a bucket that does not exist is created when it is used.
    pub(super) creates_buckets: bool,
}

/// An object that is being written to a temporary file. Dropping the value before
/// [`FileObject::finish`] removes the file.
#[derive(Debug)]
pub(super) struct FileObject {
    file: BufWriter<File>,
    temporary: PathBuf,
    target: PathBuf,
    length: u64,
    is_finished: bool,
}

impl Directory {
    /// The path of the directory of the bucket `name`. Creates a missing directory if
    /// `creates_buckets` is set, and otherwise fails.
    pub(super) fn bucket(&self, name: &str) -> io::Result<PathBuf> {
        if names(name)? != [name] {
            return Err(invalid(format!("{name} is not the name of a bucket")));
        }
        if self.creates_buckets {
            fs::create_dir_all(&self.path)?;
            return below(self.path.clone(), name);
        }
        let path = self.path.join(name);
        match is_directory(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(io::Error::new(
                ErrorKind::NotFound,
                format!(
                    "the bucket {name} does not exist: there is no directory {}",
                    path.display()
                ),
            )),
            found => found.map(|()| path),
        }
    }

    /// Checks that objects can be written to a bucket: creates a temporary file and removes it.
    pub(super) fn check(&self, bucket: &str) -> io::Result<()> {
        let path = self.bucket(bucket)?;
        let probe = tempfile::Builder::new()
            .prefix(".minikin-")
            .tempfile_in(path)?;
        probe.close()
    }

    /// Begins to write the object `key` of a bucket to a temporary file.
    pub(super) fn begin(&self, bucket: &str, key: &str) -> io::Result<FileObject> {
        let mut directory = self.bucket(bucket)?;
        let names = names(key)?;
        let (file, parents) = names
            .split_last()
            .ok_or_else(|| invalid("the key is empty".to_owned()))?;
        for name in parents {
            directory = below(directory, name)?;
        }
        // The name of the temporary file depends only on the key. Therefore, after a crash, the
        // next attempt to write the object replaces the file that the crash left behind.
        let hash = Sha256::digest(key);
        let mut number = [0; 8];
        number.copy_from_slice(&hash[..8]);
        let temporary = directory.join(format!(".minikin-{:016x}.tmp", u64::from_be_bytes(number)));
        remove(&temporary)?;
        let created = File::options()
            .write(true)
            .create_new(true)
            .open(&temporary)?;
        Ok(FileObject {
            file: BufWriter::with_capacity(BUFFER_BYTES, created),
            temporary,
            target: directory.join(file),
            length: 0,
            is_finished: false,
        })
    }
}

impl FileObject {
    /// Flushes the object to the disk, and renames its temporary file to the name of the object.
    /// Returns the number of bytes of the object.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.temporary, &self.target)?;
        self.is_finished = true;
        sync_parent(&self.target)?;
        Ok(self.length)
    }
}

impl Write for FileObject {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for FileObject {
    fn drop(&mut self) {
        if !self.is_finished {
            let _left_behind = fs::remove_file(&self.temporary);
        }
    }
}

/// Splits the key of an object at its slashes. Leaves out empty names, as a file system does:
/// `a//b` becomes `a` and `b`. Refuses the names `.` and `..`, which could leave the directory of
/// the bucket, and a key without a name after its last slash.
fn names(path: &str) -> io::Result<Vec<&str>> {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    let is_bad = |name: &&str| matches!(*name, "." | "..") || name.contains('\0');
    match names.is_empty() || path.ends_with('/') || names.iter().any(is_bad) {
        true => Err(invalid(format!("{path:?} is not a path below a bucket"))),
        false => Ok(names),
    }
}

/// The path of the subdirectory `name` of `directory`. Creates the subdirectory if it does not
/// exist.
fn below(directory: PathBuf, name: &str) -> io::Result<PathBuf> {
    let path = directory.join(name);
    match DirBuilder::new().mode(0o777).create(&path) {
        Ok(()) => sync_parent(&path)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => is_directory(&path)?,
        Err(error) => return Err(error),
    }
    Ok(path)
}

/// Returns an error unless `path` is a directory. A symbolic link to a directory is an error, too.
fn is_directory(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path)?.is_dir() {
        true => Ok(()),
        false => Err(invalid(format!("{} is not a directory", path.display()))),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Flushes the directory that contains `path`, so that a new name in it is durable.
fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().unwrap_or(path);
    File::open(parent)?.sync_all()
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn directory() -> (tempfile::TempDir, Directory) {
        let held = tempfile::tempdir().unwrap();
        let directory = Directory {
            path: held.path().join("s3"),
            creates_buckets: true,
        };
        (held, directory)
    }

    fn put(directory: &Directory, key: &str, body: &[u8]) -> io::Result<()> {
        let mut object = directory.begin("b", key)?;
        object.write_all(body)?;
        let length = object.finish()?;
        assert_eq!(length, body.len() as u64);
        Ok(())
    }

    #[test]
    fn an_object_appears_whole_and_is_replaced() {
        let (held, directory) = directory();
        let path = held.path().join("s3/b/x/y");
        let mut object = directory.begin("b", "x/y").unwrap();
        object.write_all(b"one").unwrap();
        assert!(!path.exists());
        object.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        put(&directory, "x/y", b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        let mut dropped = directory.begin("b", "x/z").unwrap();
        dropped.write_all(b"three").unwrap();
        drop(dropped);
        let left = fs::read_dir(held.path().join("s3/b/x")).unwrap().count();
        assert_eq!(left, 1, "nothing but the object is left");
    }

    #[test]
    fn a_repetition_replaces_the_file_that_a_crash_left_behind() {
        let (held, directory) = directory();
        std::mem::forget(directory.begin("b", "x").unwrap());
        put(&directory, "x", b"again").unwrap();
        let bucket = held.path().join("s3/b");
        assert_eq!(fs::read_dir(&bucket).unwrap().count(), 1);
        assert_eq!(fs::read(bucket.join("x")).unwrap(), b"again");
    }

    #[test]
    fn no_key_leaves_its_bucket() {
        let (held, directory) = directory();
        for key in ["..", "../x", "a/../../x", "x/", "a//", ".", "", "a\0b"] {
            let error = put(&directory, key, b"").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{key:?}");
        }
        for bucket in ["..", "a/b", "/b", "a//b", ""] {
            assert!(directory.begin(bucket, "x").is_err(), "{bucket:?}");
        }
        let outside = held.path().join("outside");
        fs::create_dir(&outside).unwrap();
        symlink(&outside, held.path().join("s3/b/link")).unwrap();
        assert!(put(&directory, "link/x", b"").is_err());
        symlink(&outside, held.path().join("s3/linked")).unwrap();
        assert!(directory.begin("linked", "x").is_err());
        fs::write(outside.join("file"), "kept").unwrap();
        symlink(outside.join("file"), held.path().join("s3/b/y")).unwrap();
        put(&directory, "y", b"new").unwrap();
        assert_eq!(fs::read(outside.join("file")).unwrap(), b"kept");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    }

    #[test]
    fn consecutive_slashes_of_a_key_count_as_one() {
        let (held, directory) = directory();
        put(&directory, "a//b///c", b"deep").unwrap();
        put(&directory, "/x", b"top").unwrap();
        let bucket = held.path().join("s3/b");
        assert_eq!(fs::read(bucket.join("a/b/c")).unwrap(), b"deep");
        assert_eq!(fs::read(bucket.join("x")).unwrap(), b"top");
    }

    #[test]
    fn a_missing_bucket_is_named() {
        let (_held, directory) = directory();
        let strict = Directory {
            creates_buckets: false,
            ..directory.clone()
        };
        let error = strict.check("b").unwrap_err();
        assert!(
            error.to_string().contains("the bucket b does not exist"),
            "{error}"
        );
        directory.check("b").unwrap();
        strict.check("b").unwrap();
    }
}
