//! `minikin snapshot`: saves everything in a running emulator to a file, and loads such a file.

use super::client::{Client, WholeConnection};
use super::outcome::{Answer, Failure};
use super::print::{self, Form};
use super::progress::Progress;
use crate::lock::Lock;
use serde_json::json;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Number of bytes of a snapshot that the command reads and writes at a time.
const PART_BYTES: usize = 256 << 10;

/// The arguments of `minikin snapshot`.
#[derive(Debug, clap::Args)]
pub(super) struct Snapshot {
    #[command(subcommand)]
    change: Change,
}

#[derive(Debug, clap::Subcommand)]
enum Change {
    /// Save everything to a file, which is replaced if it exists, or to standard output (-)
    Save(Transfer),
    /// Replace everything in the emulator by the contents of a file
    Load(Transfer),
}

/// The argument of `minikin snapshot save` and `minikin snapshot load`.
#[derive(Debug, clap::Args)]
struct Transfer {
    /// The file of the snapshot
    file: PathBuf,
    #[command(flatten)]
    connection: WholeConnection,
}

pub(super) fn run(arguments: &Snapshot) -> Result<Answer, Failure> {
    match &arguments.change {
        Change::Save(Transfer { file, connection }) => {
            let form = Form::of_output(connection.server.json);
            save(&Client::whole(&connection.server)?, file, form)
        }
        Change::Load(Transfer { file, connection }) => {
            let (opened, bytes) = open(file).map_err(|error| unusable(file, &error))?;
            let progress = Lock::new(Progress::begin(Some(bytes)));
            let sent = move |part| progress.lock().add(part);
            Client::whole(&connection.server)?.put_file("snapshot", opened, sent)?;
            let form = Form::of_output(connection.server.json);
            report(form, "loaded", bytes, file)
        }
    }
}

/// Opens the file of a snapshot for a load, and returns its size in bytes. A directory is refused.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = File::open(path)?;
    let found = file.metadata()?;
    match found.is_dir() {
        true => Err(io::ErrorKind::IsADirectory.into()),
        false => Ok((file, found.len())),
    }
}

/// Prints that a snapshot was saved or loaded. `done` is the first word of the line for people,
/// such as `saved`.
fn report(form: Form, done: &str, bytes: u64, path: &Path) -> Result<Answer, Failure> {
    print::line(&match form.for_people {
        true => format!("{done} {}, {bytes} bytes", path.display()),
        false => json!({ "bytes": bytes }).to_string(),
    })?;
    Ok(Answer::Yes)
}

/// Saves a snapshot to the file at `path`, or to standard output if `path` is `-`.
fn save(client: &Client, path: &Path, form: Form) -> Result<Answer, Failure> {
    let mut snapshot = client.open("snapshot", &[])?;
    if path == Path::new("-") {
        copy(&mut snapshot, &mut io::stdout().lock(), path)?;
        return Ok(Answer::Yes);
    }
    // Replace the target of a symbolic link, not the link.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if target.metadata().is_ok_and(|found| !found.is_file()) {
        // Write to a device or a pipe directly. A rename of a temporary file would replace the
        // device by a file.
        let opened = File::options().write(true).open(&target);
        let mut opened = opened.map_err(|error| unusable(path, &error))?;
        copy(&mut snapshot, &mut opened, path)?;
        return Ok(Answer::Yes);
    }
    let bytes = replace(&target, &mut snapshot)?;
    report(form, "saved", bytes, path)
}

/// Copies the bytes of `from` to a temporary file in the folder of `path`. Renames the temporary
/// file to `path` once the copy is complete. Returns the number of bytes.
fn replace(path: &Path, from: &mut impl Read) -> Result<u64, Failure> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let beside = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")));
    let mut beside = beside.map_err(|error| unusable(path, &error))?;
    let bytes = copy(from, beside.as_file_mut(), path)?;
    let kept = beside.persist(path);
    kept.map_err(|error| unusable(path, &error.error))?;
    Ok(bytes)
}

/// Copies all bytes of `from` to `to`, and shows a progress line if stderr is a terminal. Returns
/// the number of bytes. The error message of a failed write contains `path`.
fn copy(from: &mut impl Read, to: &mut impl Write, path: &Path) -> Result<u64, Failure> {
    let mut part = vec![0; PART_BYTES];
    let mut progress = Progress::begin(None);
    loop {
        let count = from
            .read(&mut part)
            .map_err(|error| Failure::broken(&error))?;
        if count == 0 {
            return Ok(progress.bytes());
        }
        let written = to.write_all(&part[..count]);
        written.map_err(|error| unusable(path, &error))?;
        progress.add(count);
    }
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::Usage(format!("{}: {error}", path.display()))
}
