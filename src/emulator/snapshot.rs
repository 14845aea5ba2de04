//! Saves and loads snapshots for [`super::Emulator`]. Also loads a snapshot at the start of the
//! emulator.

use crate::engine::Engine;
use crate::engine::snapshot::{Loading, Saving, SnapshotError};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// Number of bytes of a snapshot that are read at a time during a load.
const PART_BYTES: usize = 64 << 10;

/// Writes a snapshot of all contents of the engine to `out`, and returns `out`.
pub(super) async fn save<W: Write + Send + 'static>(
    engine: &Arc<Engine>,
    mut out: W,
) -> Result<W, SnapshotError> {
    let mut saving = Saving::begin(engine)?;
    while let Some(part) = saving.next().await? {
        out = blocking(move || out.write_all(&part).map(|()| out)).await?;
    }
    blocking(move || out.flush().map(|()| out)).await
}

/// Loads the snapshot in the file at `path`, which the option `--load` names. If the data directory
/// already holds streams, only logs a warning.
pub(super) async fn load_at_start(engine: &Arc<Engine>, path: &Path) -> Result<(), SnapshotError> {
    if engine.has_streams() {
        tracing::warn!(
            file = %path.display(),
            "the snapshot is not loaded: the data directory holds streams already"
        );
        return Ok(());
    }
    let path = path.to_owned();
    let file = blocking(move || File::open(path)).await?;
    load(engine, file).await
}

/// Replaces all contents of the engine by the snapshot in `from`.
pub(super) async fn load(
    engine: &Arc<Engine>,
    mut from: impl Read + Send + 'static,
) -> Result<(), SnapshotError> {
    let mut loading = Loading::begin(engine)?;
    let mut part = Vec::with_capacity(PART_BYTES);
    loop {
        part.clear();
        let read = move || {
            let mut bytes = from.by_ref().take(PART_BYTES as u64);
            bytes.read_to_end(&mut part).map(|_| (from, part))
        };
        (from, part) = blocking(read).await?;
        if part.is_empty() {
            return loading.end().await;
        }
        loading.push(&part).await?;
    }
}

/// Runs `work`, which may block, on a thread for blocking work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, SnapshotError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(io::Error::from)??)
}
