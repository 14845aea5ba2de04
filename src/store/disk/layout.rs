//! The names of the files and folders in a data directory.
//!
//! - `lock`: a file that a process locks while it uses the directory
//! - `version`: the version of the directory's layout
//! - `meta/`: the database of the metadata, which has the catalog and the summaries of generations
//! - `marks`: a file that says how much was written to the databases
//! - `gen-NNNNNN/`: a generation. A generation that is being written has the write-ahead log `wal`
//!   (`sled/wal.rs`). The suffix `.corrupt` marks a damaged generation that was set aside, and the
//!   suffix `.dead` marks a generation that is being removed
//! - `tls/`: the certificates of the server (`http/tls`)

use std::path::{Path, PathBuf};

const GENERATION: &str = "gen-";
const DEAD: &str = ".dead";
const CORRUPT: &str = ".corrupt";

/// The paths of the files and folders in one data directory.
#[derive(Debug, Clone)]
pub(crate) struct Layout(PathBuf);

/// The kind of a file or folder in a data directory. The name of the file or folder determines the
/// kind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// The generation with the given number.
    Generation(u64),
    /// A generation that is being removed.
    Dead,
    /// A damaged generation that was set aside.
    SetAside,
    /// Any other file.
    Other,
}

impl Layout {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.0
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    pub(crate) fn version(&self) -> PathBuf {
        self.0.join("version")
    }

    pub(crate) fn metadata(&self) -> PathBuf {
        self.0.join("meta")
    }

    pub(crate) fn marks(&self) -> PathBuf {
        self.0.join("marks")
    }

    pub(crate) fn generation(&self, number: u64) -> PathBuf {
        self.0.join(format!("{GENERATION}{number:06}"))
    }

    pub(crate) fn dead(&self, number: u64) -> PathBuf {
        self.0.join(format!("{GENERATION}{number:06}{DEAD}"))
    }

    /// Returns a new path for the damaged generation `number`. No file has this path yet. A rename
    /// of the generation to this path sets the generation aside.
    pub(crate) fn set_aside(&self, number: u64) -> PathBuf {
        let name = format!("{GENERATION}{number:06}{CORRUPT}");
        let copies = (2_u64..).map(|copy| format!("{name}-{copy}"));
        let names = std::iter::once(name.clone()).chain(copies);
        let mut paths = names.map(|name| self.0.join(name));
        let unused = paths.find(|path| !path.exists());
        unused.expect("the numbers do not end")
    }

    /// Finds the kind of the file or folder with the name `name`.
    pub(crate) fn parse(name: &str) -> Name {
        if name.ends_with(DEAD) {
            return Name::Dead;
        }
        if name.contains(CORRUPT) {
            return Name::SetAside;
        }
        let number = name.strip_prefix(GENERATION);
        match number.and_then(|number| number.parse().ok()) {
            // The number `u64::MAX` is refused, because the next generation must have a greater
            // number.
            Some(number) if number < u64::MAX => Name::Generation(number),
            _ => Name::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_it_names() {
        let layout = Layout::new("/data".into());
        let name = |path: PathBuf| Layout::parse(path.file_name().unwrap().to_str().unwrap());
        assert_eq!(name(layout.generation(7)), Name::Generation(7));
        assert_eq!(
            name(layout.generation(1_234_567)),
            Name::Generation(1_234_567)
        );
        assert_eq!(name(layout.dead(7)), Name::Dead);
        assert_eq!(name(layout.set_aside(7)), Name::SetAside);
        assert_eq!(name(layout.metadata()), Name::Other);
        assert_eq!(name(layout.generation(u64::MAX)), Name::Other);
    }
}
