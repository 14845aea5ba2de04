//! Runs checks one by one and says how each went, in the words that `conformance/run` counts.

use std::panic;
use std::path::Path;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

/// A check is one thing that users of the SDK do. It fails by a panic, as a test does.
pub struct Check {
    name: String,
    run: Pin<Box<dyn Future<Output = ()>>>,
}

pub fn check(name: impl Into<String>, run: impl Future<Output = ()> + 'static) -> Check {
    Check {
        name: name.into(),
        run: Box::pin(run),
    }
}

/// The place and the reason of a check's first panic; later panics only follow from it.
static REASON: Mutex<Option<String>> = Mutex::new(None);

/// Runs all, within a `LocalSet`; the exit status is that of the process.
pub async fn run_all(client: &str, checks: Vec<Check>) -> i32 {
    panic::set_hook(Box::new(|panic| {
        let file = panic.location().map_or("", |place| place.file());
        let line = panic.location().map_or(0, |place| place.line());
        let file = Path::new(file)
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let reason = panic.payload_as_str().unwrap_or_default();
        let mut first = REASON.lock().unwrap();
        first.get_or_insert_with(|| format!("{file}:{line}: {reason}"));
    }));
    // A check that hangs must not hang the others.
    let limit = Duration::from_secs(if long() { 300 } else { 60 });
    let mut status = 0;
    for Check { name, run } in checks {
        REASON.lock().unwrap().take();
        let reason = match timeout(limit, spawn_local(run)).await {
            Ok(Ok(())) => {
                println!("ok {client}: {name}");
                continue;
            }
            Ok(Err(_)) => REASON.lock().unwrap().take().unwrap_or_default(),
            Err(_) => format!("not over after {limit:?}"),
        };
        status = 1;
        let words: Vec<&str> = reason.split_whitespace().collect();
        // The beginning of a long difference is enough.
        let reason: String = words.join(" ").chars().take(600).collect();
        println!("FAILED {client}: {name}: {reason}");
    }
    status
}

/// True if the long form is asked for.
pub fn long() -> bool {
    std::env::var("LONG").is_ok_and(|value| value == "true")
}

/// Asks again and again until the condition holds; the check's limit ends it.
pub async fn until(mut condition: impl AsyncFnMut() -> bool) {
    while !condition().await {
        sleep(Duration::from_millis(20)).await;
    }
}
