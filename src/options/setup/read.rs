//! Reads the whole setup: the setup file, the streams of the option `--stream`, and the streams of
//! other tools' variables.

use super::document::{self, Node};
use super::plan::{self, Setup};
use super::problem::Problem;
use super::records::text_of;
use super::shorthand;
use crate::model::AccountRegion;
use std::path::Path;

/// Reads all definitions of the setup. `file` is the setup file, and `streams` are the values of
/// `--stream`. `initialize_streams` has the form of kinesis-mock's variable `INITIALIZE_STREAMS`.
/// `home` is the account and region of mappings that name no account or region.
pub(in crate::options) fn read(
    file: Option<&Path>,
    streams: &[String],
    initialize_streams: Option<&str>,
    home: &AccountRegion,
) -> Result<Setup, Problem> {
    let setup = file.map(|path| from_file(path, home));
    let mut setup = setup.transpose()?.unwrap_or_default();
    setup.streams.extend(shorthand::of_options(streams)?);
    if let Some(text) = initialize_streams {
        setup.streams.extend(shorthand::of_variable(text)?);
    }
    Ok(setup)
}

fn from_file(path: &Path, home: &AccountRegion) -> Result<Setup, Problem> {
    let source = format!("--setup {}", path.display());
    let in_file = |problem: Problem| problem.in_source(&source);
    let text = text_of(path).map_err(in_file)?;
    let node = document_of(path, &text).map_err(in_file)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    plan::setup(node, &source, folder, home).map_err(in_file)
}

fn document_of(path: &Path, text: &str) -> Result<Node, Problem> {
    let is_json = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if is_json {
        return document::from_json(text);
    }
    #[cfg(feature = "cli")]
    return document::from_toml(text);
    #[cfg(not(feature = "cli"))]
    return Err(Problem::new(
        "this build lacks the feature cli and reads no TOML: write the setup in JSON",
    ));
}
