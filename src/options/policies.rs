//! Reads the file of policies that `--policies` names.

use crate::limits;
use crate::model::Identities;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Reads and parses the file of policies at `path`. Refuses a file of more than
/// [`limits::POLICIES_FILE_BYTES`] bytes.
pub(super) fn read(path: &Path) -> Result<Identities, String> {
    let mut text = String::new();
    let most = limits::POLICIES_FILE_BYTES;
    let file = File::open(path).map_err(|error| error.to_string())?;
    let read = file.take(most + 1).read_to_string(&mut text);
    let read = read.map_err(|error| error.to_string())?;
    if read as u64 > most {
        return Err(format!("has more than {most} bytes"));
    }
    Identities::parse(&text)
}
