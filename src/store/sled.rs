//! The one file that names sled.
//!
//! Seven of its traps are closed here. Dropping any handle or cursor flushes, and after a failed
//! flush the next flush waits for ever: after a failure handles are forgotten, not dropped. It
//! panics where others return errors: a panic becomes an error. Its own flusher thread aborts the
//! process when the disk is full: that thread is never started. A panic while it opens a damaged
//! database never unwinds, because its clean-up waits for the flusher thread: a panic hook reports
//! the panic at once, and opening has a time limit. Reading a whole database has a time limit too,
//! because with damaged metadata sled looks for ever for a leaf that is not there. An opening that
//! is killed half way can cost data: `remains.rs` mends that. After a damaged part of its log sled
//! drops the rest of that log silently: `marks.rs` and the summaries of generations notice it.

use super::disk::{Database, Disk, Tree};
use super::remains;
use crate::limits::{
    SLED_LEAF_FANOUT, SLED_OPEN_LIMIT, SLED_OPENING_PAUSE, SLED_OPENINGS, SLED_READ_AHEAD,
    SLED_READ_LIMIT,
};
use ::sled as engine;
use bytes::Bytes;
use std::cell::{Cell, RefCell};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Once};

/// The lowest level there is: records are stored as they are, nearly at the speed of a copy.
const COMPRESSION: i32 = -131_072;

/// How empty a file may get before the engine rewrites what is left in it.
const FILL_RATIO: f32 = 0.3;

/// Opens sled databases.
#[derive(Debug)]
pub(crate) struct SledDisk;

impl Disk for SledDisk {
    fn open(&self, path: &Path, cache_bytes: usize) -> io::Result<Box<dyn Database>> {
        Ok(self.open_sled(path, cache_bytes)?)
    }

    fn open_copy(&self, path: &Path, cache_bytes: usize) -> io::Result<Box<dyn Database>> {
        let copy = tempfile::Builder::new().prefix("minikin-").tempdir()?;
        if path.exists() {
            copy_folder(path, copy.path())?;
        }
        let mut database = self.open_sled(copy.path(), cache_bytes)?;
        database.copy = Some(Arc::new(copy));
        Ok(database)
    }
}

impl SledDisk {
    fn open_sled(&self, path: &Path, cache_bytes: usize) -> io::Result<Box<SledDatabase>> {
        let config = engine::Config {
            target_heap_file_fill_ratio: FILL_RATIO,
            ..engine::Config::new()
                .path(path)
                .cache_capacity_bytes(cache_bytes)
                .flush_every_ms(None)
                .zstd_compression_level(COMPRESSION)
        };
        let path = path.to_path_buf();
        limited(move || {
            remains::mend(&path)?;
            let database = patiently(|| config.open::<SLED_LEAF_FANOUT>())?;
            let commits = database.open_tree("commits")?;
            let main = (*database).clone();
            Ok(Box::new(SledDatabase {
                handles: Some(Handles {
                    _database: Some(database),
                    main,
                    commits,
                }),
                failed: Arc::default(),
                copy: None,
            }))
        })
    }
}

/// Copies the folder `from` into the folder `to`.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
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

struct Handles {
    _database: Option<engine::Db<SLED_LEAF_FANOUT>>,
    main: engine::Tree<SLED_LEAF_FANOUT>,
    commits: engine::Tree<SLED_LEAF_FANOUT>,
}

struct SledDatabase {
    /// There until the drop.
    handles: Option<Handles>,
    /// A flush failed, here or through another handle on the same database.
    failed: Arc<AtomicBool>,
    /// The folder of a copy, removed with its last handle.
    copy: Option<Arc<tempfile::TempDir>>,
}

impl SledDatabase {
    fn tree(&self, tree: Tree) -> &engine::Tree<SLED_LEAF_FANOUT> {
        match tree {
            Tree::Main => &self.handles().main,
            Tree::Commits => &self.handles().commits,
        }
    }

    fn handles(&self) -> &Handles {
        self.handles
            .as_ref()
            .expect("handles are there until the drop")
    }

    fn writing<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if self.failed.load(Ordering::Acquire) {
            return Err(io::Error::other("an earlier write failed"));
        }
        let result = guarded(act);
        if result.is_err() {
            self.failed.store(true, Ordering::Release);
        }
        result
    }
}

impl Database for SledDatabase {
    fn get(&self, tree: Tree, key: &[u8]) -> io::Result<Option<Bytes>> {
        guarded(|| Ok(self.tree(tree).get(key)?.map(Bytes::from_owner)))
    }

    fn insert(&self, tree: Tree, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.writing(|| self.tree(tree).insert(key, value).map(drop))
    }

    fn remove(&self, tree: Tree, key: &[u8]) -> io::Result<()> {
        self.writing(|| self.tree(tree).remove(key).map(drop))
    }

    fn flush(&self) -> io::Result<()> {
        self.writing(|| self.handles().main.flush().map(drop))
    }

    fn each(&self, tree: Tree, visit: &mut dyn FnMut(&[u8], Bytes)) -> io::Result<()> {
        let tree = self.tree(tree).clone();
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
            // Before the end is told: who closes the database next finds no handle left.
            drop(tree);
            // The receiver may have given up.
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
                    let endless = "sled does not finish reading it";
                    return Err(io::Error::other(endless));
                }
            }
        }
    }

    fn another(&self) -> Box<dyn Database> {
        let Handles { main, commits, .. } = self.handles();
        let handles = Handles {
            _database: None,
            main: main.clone(),
            commits: commits.clone(),
        };
        Box::new(Self {
            handles: Some(handles),
            failed: self.failed.clone(),
            copy: self.copy.clone(),
        })
    }
}

impl Drop for SledDatabase {
    fn drop(&mut self) {
        let handles = self.handles.take();
        if self.failed.load(Ordering::Acquire) {
            // A drop would flush, and that flush would never return.
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

/// Opens again while the last user's hold on a database is not gone. Other processes are kept away
/// by the data directory's own lock, so it goes: a child process that the engine starts at every
/// opening, anywhere in this one, has a copy of each hold for the moment before it runs.
fn patiently<T>(open: impl Fn() -> io::Result<T>) -> io::Result<T> {
    for _ in 0..SLED_OPENINGS {
        match open() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                std::thread::sleep(SLED_OPENING_PAUSE);
            }
            opened => return opened,
        }
    }
    open()
}

/// Runs `act` on a thread of its own, which is given up when it panics or takes too long.
fn limited<T: Send + 'static>(
    act: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = channel();
    let run = move || {
        let panicked = sender.clone();
        ON_PANIC.set(Some(Box::new(move |text| {
            // The unwinding may never end: the receiver must not wait for it.
            let _given_up = panicked.send(Err(panic_error(text)));
        })));
        let result = guarded(act);
        // The receiver may have given up: then the database is closed again.
        let _given_up = sender.send(result);
    };
    std::thread::Builder::new()
        .name("opening".into())
        .spawn(run)?;
    receiver
        .recv_timeout(SLED_OPEN_LIMIT)
        .unwrap_or_else(|_| Err(io::Error::other("sled does not finish opening it")))
}

/// Receives the text of a panic.
type PanicReport = Box<dyn Fn(&str)>;

thread_local! {
    /// Calls into sled that are in progress on this thread.
    static IN_SLED: Cell<u32> = const { Cell::new(0) };
    /// Receives the text of a panic of sled on this thread.
    static ON_PANIC: RefCell<Option<PanicReport>> = const { RefCell::new(None) };
}

/// Installs, once, a panic hook that keeps panics of sled off the standard error output: they
/// become errors. Every other panic goes to the hook that was installed before.
fn watch_panics() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if IN_SLED.try_with(Cell::get).unwrap_or(0) == 0 {
                return previous(panic);
            }
            let text = panic.payload_as_str().unwrap_or("unknown").to_owned();
            let _no_thread_local = ON_PANIC.try_with(|on_panic| {
                if let Some(report) = &*on_panic.borrow() {
                    report(&text);
                }
            });
        }));
    });
}

fn panic_error(text: &str) -> io::Error {
    io::Error::other(format!("sled panicked: {text}"))
}

/// The error without the places in sled's source that led to it.
fn plain(error: &io::Error) -> io::Error {
    let text = error.to_string();
    let cause = text.rsplit(" -> ").next().unwrap_or(&text);
    io::Error::new(error.kind(), cause)
}

/// Turns a panic of sled into an error.
fn guarded<T>(act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    watch_panics();
    IN_SLED.set(IN_SLED.get() + 1);
    let done = catch_unwind(AssertUnwindSafe(|| act().map_err(|error| plain(&error))));
    IN_SLED.set(IN_SLED.get() - 1);
    done.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or(panic.downcast_ref::<&str>().copied());
        Err(panic_error(text.unwrap_or("unknown")))
    })
}
