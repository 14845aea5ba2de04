//! A sled database: a generation or the database `meta`.

use super::flusher::Flusher;
use super::guard::{guarded, open_with_time_limit, retry_while_locked};
use super::repair;
use super::wal::{self, Wal};
use crate::limits::{DATABASE_CACHE_BYTES, SLED_LEAF_FANOUT, SLED_READ_AHEAD, SLED_READ_LIMIT};
use crate::store::disk::seam::{GenerationHandle, MetadataHandle, Stored};
use crate::store::format::key::{self, Pair};
use crate::store::format::wal::{TreeName, WalValue};
use ::sled as engine;
use bytes::Bytes;
use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;

type Tree = engine::Tree<SLED_LEAF_FANOUT>;

/// The lowest compression level of sled. With this level, sled stores records uncompressed, nearly
/// at the speed of a copy.
const COMPRESSION: i32 = -131_072;

/// The minimum fraction of one of sled's files that must be in use. sled rewrites a file of which a
/// smaller fraction is in use.
const FILL_RATIO: f32 = 0.3;

/// A handle of an open sled database: a generation or the database `meta`.
pub(in crate::store::disk) struct SledDatabase {
    /// The handles of sled. `None` only while this value is dropped.
    handles: Option<Handles>,
    /// The writer of the database. `None` in a handle that `another` returned, because such a
    /// handle only reads.
    writer: Option<RefCell<Writer>>,
    /// True if a write failed through any handle of this database.
    failed: Arc<AtomicBool>,
    /// The temporary folder of a database that is a copy. The drop of the last handle removes the
    /// folder. `None` if the database is not a copy.
    copy: Option<Arc<tempfile::TempDir>>,
}

/// Makes the values of a generation durable.
struct Writer {
    wal: Wal,
    /// The thread that flushes sled in the background. `None` before the first such flush.
    flusher: Option<Flusher>,
}

struct Handles {
    _database: Option<engine::Db<SLED_LEAF_FANOUT>>,
    main: Tree,
    commits: Tree,
}

impl Handles {
    fn insert(&self, value: &WalValue<'_>) -> io::Result<()> {
        let tree = match value.tree {
            TreeName::Main => &self.main,
            TreeName::Commits => &self.commits,
        };
        tree.insert(value.key, value.value).map(drop)
    }
}

impl SledDatabase {
    /// Opens the database at `path`. Creates the database if it does not exist.
    pub(in crate::store::disk) fn open(path: &Path) -> io::Result<Self> {
        let config = engine::Config {
            target_heap_file_fill_ratio: FILL_RATIO,
            ..engine::Config::new()
                .path(path)
                .cache_capacity_bytes(DATABASE_CACHE_BYTES)
                .flush_every_ms(None)
                .zstd_compression_level(COMPRESSION)
        };
        let path = path.to_path_buf();
        open_with_time_limit(move || {
            repair::repair(&path)?;
            let database = retry_while_locked(|| config.open::<SLED_LEAF_FANOUT>())?;
            let commits = database.open_tree("commits")?;
            let main = (*database).clone();
            let handles = Handles {
                _database: Some(database),
                main,
                commits,
            };
            let flush = || handles.main.flush().map(drop);
            if let Err(error) = wal::replay(&path, |value| handles.insert(value), flush) {
                // The drop of the handles would start another flush, which never returns.
                std::mem::forget(handles);
                return Err(error);
            }
            Ok(Self {
                handles: Some(handles),
                writer: Some(RefCell::new(Writer {
                    wal: Wal::new(path),
                    flusher: None,
                })),
                failed: Arc::default(),
                copy: None,
            })
        })
    }

    /// Opens a copy of the database at `path`. The copy is empty if no database exists at `path`.
    pub(in crate::store::disk) fn open_copy(path: &Path) -> io::Result<Self> {
        let copy = tempfile::Builder::new().prefix("minikin-").tempdir()?;
        if path.exists() {
            copy_folder(path, copy.path())?;
        }
        let mut database = Self::open(copy.path())?;
        database.copy = Some(Arc::new(copy));
        Ok(database)
    }

    fn handles(&self) -> &Handles {
        let handles = self.handles.as_ref();
        handles.expect("handles are there until the drop")
    }

    fn write<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if self.failed.load(Ordering::Acquire) {
            return Err(io::Error::other("an earlier write failed"));
        }
        let result = guarded(act);
        if result.is_err() {
            self.failed.store(true, Ordering::Release);
        }
        result
    }

    fn insert(&self, tree: &Tree, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.write(|| tree.insert(key, value).map(drop))
    }

    pub(super) fn flush(&self) -> io::Result<()> {
        self.write(|| self.handles().main.flush().map(drop))
    }

    /// Appends `value` to the database of a generation and to the write-ahead log.
    fn append_value(&self, value: &WalValue<'_>) -> io::Result<()> {
        self.write(|| self.handles().insert(value))?;
        if let Some(writer) = &self.writer {
            writer.borrow_mut().wal.append(value);
        }
        Ok(())
    }

    /// Makes the values that were appended since the last commit durable.
    fn commit_values(&self, writer: &mut Writer) -> io::Result<()> {
        let Writer { wal, flusher } = writer;
        if wal.is_too_large() {
            self.flush_all(flusher)?;
            wal.restart();
            return Ok(());
        }
        if wal.is_half_full() {
            let flusher = match flusher {
                Some(flusher) => flusher,
                None => {
                    let tree = self.handles().main.clone();
                    let flush = move || tree.flush().map(drop);
                    flusher.insert(Flusher::start(flush, self.failed.clone())?)
                }
            };
            flusher.begin()?;
            wal.begin_other_half();
        }
        wal.commit()
    }

    /// Waits until the flush in the background has ended, and then flushes the values that were
    /// appended later.
    fn flush_all(&self, flusher: &mut Option<Flusher>) -> io::Result<()> {
        if let Some(flusher) = flusher {
            flusher.wait()?;
        }
        self.flush()
    }

    /// Makes sled flush all values, and removes the write-ahead log.
    fn end_wal(&self) -> io::Result<()> {
        let Some(writer) = &self.writer else {
            return Ok(());
        };
        let Writer { wal, flusher } = &mut *writer.borrow_mut();
        if wal.has_file() {
            self.flush_all(flusher)?;
            wal.remove()?;
        }
        Ok(())
    }

    fn get(&self, tree: &Tree, key: &[u8]) -> io::Result<Option<Bytes>> {
        guarded(|| Ok(tree.get(key)?.map(Bytes::from_owner)))
    }

    /// Calls `visit` for each key and value of `tree` in the order of the keys. A second thread
    /// reads the tree, so that the caller can abandon a read that never ends.
    fn each(&self, tree: &Tree, visit: &mut dyn FnMut(&[u8], Bytes)) -> io::Result<()> {
        let tree = tree.clone();
        let (sender, receiver) = sync_channel(SLED_READ_AHEAD);
        let read = move || {
            let read = guarded(|| {
                for pair in tree.iter() {
                    let (key, value) = pair?;
                    if sender.send(Ok(Some((key, value)))).is_err() {
                        break;
                    }
                }
                Ok(None)
            });
            // The tree is dropped before the result is sent, because the receiver may close the
            // database as soon as it has the result.
            drop(tree);
            let _given_up = sender.send(read);
        };
        std::thread::Builder::new()
            .name("reading".into())
            .spawn(read)?;
        loop {
            match receiver.recv_timeout(SLED_READ_LIMIT) {
                Ok(Ok(Some((key, value)))) => visit(&key, Bytes::from_owner(value)),
                Ok(end) => return end.map(drop),
                Err(_) => {
                    self.failed.store(true, Ordering::Release);
                    return Err(io::Error::other("sled did not read the database in time"));
                }
            }
        }
    }
}

impl GenerationHandle for SledDatabase {
    fn append(&self, number: u32, segment: &[u8]) -> io::Result<()> {
        self.append_value(&WalValue {
            tree: TreeName::Main,
            key: &key::segment(number),
            value: segment,
        })
    }

    fn append_frame(&self, commit: u64, part: u32, frame: &[u8]) -> io::Result<()> {
        self.append_value(&WalValue {
            tree: TreeName::Commits,
            key: &key::commit(commit, part),
            value: frame,
        })
    }

    fn commit(&self) -> io::Result<()> {
        match &self.writer {
            Some(writer) => self.write(|| self.commit_values(&mut writer.borrow_mut())),
            None => self.flush(),
        }
    }

    fn read(&self, number: u32) -> io::Result<Option<Bytes>> {
        self.get(&self.handles().main, &key::segment(number))
    }

    fn scan(&self, visit: &mut dyn FnMut(Stored)) -> io::Result<()> {
        let Handles { main, commits, .. } = self.handles();
        self.each(main, &mut |key, bytes| {
            let number = key::number(key).and_then(|number| u32::try_from(number).ok());
            if let Some(number) = number {
                visit(Stored::Segment(number, bytes));
            }
        })?;
        self.each(commits, &mut |key, bytes| {
            if let Some(commit) = key::number(key) {
                visit(Stored::Frame(commit, bytes));
            }
        })
    }

    fn another(&self) -> Box<dyn GenerationHandle> {
        let Handles { main, commits, .. } = self.handles();
        let handles = Handles {
            _database: None,
            main: main.clone(),
            commits: commits.clone(),
        };
        Box::new(Self {
            handles: Some(handles),
            writer: None,
            failed: self.failed.clone(),
            copy: self.copy.clone(),
        })
    }
}

impl MetadataHandle for SledDatabase {
    fn save(&self, changes: &[Pair]) -> io::Result<u64> {
        let saves = self.saves()? + 1;
        let Handles { main, commits, .. } = self.handles();
        for (key, value) in changes {
            match value {
                Some(value) => self.insert(main, key, value)?,
                None => self.write(|| main.remove(key).map(drop))?,
            }
        }
        self.insert(commits, key::SAVES, &saves.to_be_bytes())?;
        self.flush()?;
        Ok(saves)
    }

    fn saves(&self) -> io::Result<u64> {
        let saves = self.get(&self.handles().commits, key::SAVES)?;
        Ok(saves.and_then(|saves| key::number(&saves)).unwrap_or(0))
    }

    fn scan(&self, visit: &mut dyn FnMut(&[u8], Bytes)) -> io::Result<()> {
        self.each(&self.handles().main, visit)
    }
}

impl Drop for SledDatabase {
    fn drop(&mut self) {
        if !self.failed.load(Ordering::Acquire)
            && let Err(error) = self.end_wal()
        {
            tracing::warn!(%error, "the write-ahead log of a generation stays");
        }
        self.writer.take();
        let handles = self.handles.take();
        if self.failed.load(Ordering::Acquire) {
            // The handles are never dropped, because the drop would start a flush that never
            // returns.
            std::mem::forget(handles);
            return;
        }
        let closed = guarded(|| {
            drop(handles);
            Ok(())
        });
        if let Err(error) = closed {
            tracing::warn!(%error, "closing a database failed");
        }
    }
}

/// Copies the contents of the folder `from` to the folder `to`.
pub(super) fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir(&target)?;
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
