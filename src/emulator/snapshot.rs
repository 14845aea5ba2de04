//! Saving and loading of snapshots through [`super::Emulator`], and loading at its start.

use crate::engine::Engine;
use crate::engine::snapshot::{Loading, Saving, SnapshotError};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// Size of one read of a snapshot, in bytes.
const PART_BYTES: usize = 64 << 10;

/// Writes everything that the engine holds to `out`.
pub(super) async fn save(
    engine: &Arc<Engine>,
    out: &mut (impl Write + Send),
) -> Result<(), SnapshotError> {
    let mut saving = Saving::begin(engine)?;
    while let Some(part) = saving.next().await? {
        out.write_all(&part)?;
    }
    Ok(out.flush()?)
}

/// Loads the file that the option `--load` names, unless the data directory holds streams already.
pub(super) async fn load_at_start(engine: &Arc<Engine>, path: &Path) -> Result<(), SnapshotError> {
    if engine.has_streams() {
        tracing::warn!(
            file = %path.display(),
            "the snapshot is not loaded: the data directory holds streams already"
        );
        return Ok(());
    }
    load(engine, &mut File::open(path)?).await
}

/// Replaces everything that the engine holds by the snapshot that `from` yields.
pub(super) async fn load(
    engine: &Arc<Engine>,
    from: &mut (impl Read + Send),
) -> Result<(), SnapshotError> {
    let mut loading = Loading::begin(engine)?;
    let mut part = vec![0; PART_BYTES];
    loop {
        match from.read(&mut part) {
            Ok(0) => return loading.end().await,
            Ok(count) => loading.push(&part[..count]).await?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}
