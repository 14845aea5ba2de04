//! Reads the file of policies that `--policies` names.

use super::bounded_file;
use crate::limits;
use crate::model::Identities;
use std::path::Path;

/// Reads and parses the file of policies at `path`. Refuses a file of more than
/// [`limits::POLICIES_FILE_BYTES`] bytes.
pub(super) fn read(path: &Path) -> Result<Identities, String> {
    let text = bounded_file::text(path, limits::POLICIES_FILE_BYTES);
    Identities::parse(&text.map_err(|error| error.to_string())?)
}
