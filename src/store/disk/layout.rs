//! The names in a data directory.
//!
//! - `lock`: locked while a process uses the directory;
//! - `version`: the version of the layout;
//! - `meta/`: the database of metadata;
//! - `marks`: how far the databases were written;
//! - `gen-NNNNNN/`: a generation; `gen-NNNNNN.corrupt` is one that was set aside,
//!   `gen-NNNNNN.dead` one that is being removed;
//! - `tls/`: certificates (`http/tls`).

use std::path::{Path, PathBuf};

const GENERATION: &str = "gen-";
const DEAD: &str = ".dead";
const CORRUPT: &str = ".corrupt";

/// The names in one data directory.
#[derive(Debug, Clone)]
pub(crate) struct Layout(PathBuf);

/// The meaning of a name in a data directory.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// A generation.
    Generation(u64),
    /// A generation that is being removed.
    Dead,
    /// A generation that was set aside.
    SetAside,
    /// Anything else.
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

    /// The first free name for setting a generation aside.
    pub(crate) fn set_aside(&self, number: u64) -> PathBuf {
        let name = format!("{GENERATION}{number:06}{CORRUPT}");
        let mut path = self.0.join(&name);
        let mut copies = 2..;
        while path.exists() {
            path = self
                .0
                .join(format!("{name}-{}", copies.next().unwrap_or(2)));
        }
        path
    }

    /// The meaning of a name.
    pub(crate) fn parse(name: &str) -> Name {
        if name.ends_with(DEAD) {
            return Name::Dead;
        }
        if name.contains(CORRUPT) {
            return Name::SetAside;
        }
        let number = name.strip_prefix(GENERATION);
        match number.and_then(|number| number.parse().ok()) {
            // Every generation has a number after it.
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
