//! Guards around calls of sled. A guard turns panics into errors, and abandons an opening that
//! takes too long.

use crate::limits::{SLED_OPEN_LIMIT, SLED_OPENING_PAUSE, SLED_OPENINGS};
use std::cell::{Cell, RefCell};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::mpsc::channel;

/// A function that receives the message of a panic.
type OnPanic = Box<dyn Fn(&str)>;

thread_local! {
    /// Number of calls of sled that are in progress on this thread.
    static IN_SLED: Cell<u32> = const { Cell::new(0) };
    /// The function that gets the message if sled panics on this thread. `None` if no function
    /// needs the message.
    static ON_PANIC: RefCell<Option<OnPanic>> = const { RefCell::new(None) };
}

/// Runs `act`, which calls sled, and returns the result of `act`. Turns a panic into an error.
pub(super) fn guarded<T>(act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    watch_panics();
    IN_SLED.set(IN_SLED.get() + 1);
    let done = catch_unwind(AssertUnwindSafe(|| act().map_err(plain)));
    IN_SLED.set(IN_SLED.get() - 1);
    done.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or(panic.downcast_ref::<&str>().copied());
        Err(panic_error(text.unwrap_or("unknown")))
    })
}

/// Runs `act`, which opens a sled database, in a new thread, and returns the result of `act`.
/// Returns an error, and abandons the thread, if the thread panics or takes longer than
/// `SLED_OPEN_LIMIT`.
pub(super) fn open_with_time_limit<T: Send + 'static>(
    act: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = channel();
    let run = move || {
        let panicked = sender.clone();
        ON_PANIC.set(Some(Box::new(move |text| {
            // The receiver gets the error from the panic hook, because the unwinding of the panic
            // may never end.
            let _given_up = panicked.send(Err(panic_error(text)));
        })));
        let result = guarded(act);
        // The send of the result fails if the receiver no longer waits. A failed send drops the
        // result, and the drop closes the database again.
        let _given_up = sender.send(result);
    };
    std::thread::Builder::new()
        .name("opening".into())
        .spawn(run)?;
    receiver
        .recv_timeout(SLED_OPEN_LIMIT)
        .unwrap_or_else(|_| Err(io::Error::other("sled did not open the database in time")))
}

/// Calls `open` again while another process has locked the database. Such a lock is short. The
/// other process is not an emulator, because the data directory has a lock of its own. It is a
/// child process of this process: sled starts a child process whenever it opens a database, and a
/// child process shares all locks of this process until it starts its program.
pub(super) fn retry_while_locked<T>(open: impl Fn() -> io::Result<T>) -> io::Result<T> {
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

/// Installs a panic hook that does not print the panics of sled to the standard error output. The
/// hook passes all other panics to the previous hook. Only the first call of this function has an
/// effect.
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

/// Restores the original error from `error`, an error of sled. sled adds positions in its source
/// code to the text of an error, and keeps the error number of the operating system only in this
/// text.
fn plain(error: io::Error) -> io::Error {
    let text = error.to_string();
    let number = text.rsplit_once("(os error ");
    let number = number.and_then(|(_, number)| number.trim_end_matches(')').parse().ok());
    if let Some(number) = number {
        return io::Error::from_raw_os_error(number);
    }
    let cause = text.rsplit(" -> ").next().unwrap_or(&text);
    io::Error::new(error.kind(), cause)
}
