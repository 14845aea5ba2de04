//! The directories of tables, and the newest metadata file of each.

use super::error::TableError;
use crate::limits;
use serde::de::IgnoredAny;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The end of the name of a metadata file, such as `00003-<uuid>.metadata.json`.
const METADATA: &str = ".metadata.json";

/// The directory of one table: `<local_dir>/<table bucket>/<namespace>/<table>`.
#[derive(Debug, Clone)]
pub(super) struct TableDirectory {
    path: PathBuf,
    /// The directory as a `file://` URL.
    location: String,
}

impl TableDirectory {
    /// Returns the directory of a table below `local_dir`. Creates `local_dir` if it does not
    /// exist.
    pub(super) fn below(
        local_dir: &Path,
        [bucket, namespace, table]: [&str; 3],
    ) -> Result<Self, TableError> {
        let failed = |error| TableError::file(local_dir, &error);
        fs::create_dir_all(local_dir).map_err(failed)?;
        let home = local_dir.canonicalize().map_err(failed)?;
        let path = home.join(bucket).join(namespace).join(table);
        let text = path.to_str().ok_or_else(|| {
            TableError::Unusable(format!("The path {} is not UTF-8.", path.display()))
        })?;
        let location = format!("file://{text}");
        Ok(Self { path, location })
    }

    /// Returns the directory at `location`, which is a `file:` URL or an absolute path. Returns
    /// `None` for any other location.
    pub(super) fn at(location: &str) -> Option<Self> {
        let location = location.trim_end_matches('/');
        let path = location.strip_prefix("file:").unwrap_or(location);
        let path = match path.strip_prefix("//") {
            // A `file:` URL with two slashes has an empty host before its path.
            Some(path) => path,
            None => path,
        };
        path.starts_with('/').then(|| Self {
            path: PathBuf::from(path),
            location: location.to_owned(),
        })
    }

    /// The `file://` URL of the table's directory.
    pub(super) fn location(&self) -> &str {
        &self.location
    }

    /// True if the directory holds no file.
    pub(super) fn is_empty(&self) -> Result<bool, TableError> {
        Ok(entries(&self.path)?.is_empty())
    }

    /// The `file://` URLs of the metadata files, the newest file first.
    pub(super) fn metadata_files(&self) -> Result<Vec<String>, TableError> {
        let names = entries(&self.path.join("metadata"))?;
        let mut numbered: Vec<(u64, String)> = names
            .into_iter()
            .filter_map(|name| Some((number(&name)?, name)))
            .collect();
        numbered.sort_by(|one, two| two.cmp(one));
        let location = |(_, name)| format!("{}/metadata/{name}", self.location);
        Ok(numbered.into_iter().map(location).collect())
    }

    /// True if the metadata file at `location` is valid JSON to its end. A crash can leave an
    /// incomplete file, because the Iceberg library writes the file in place.
    pub(super) fn is_complete(&self, location: &str) -> Result<bool, TableError> {
        let path = self.local(location);
        let bytes = fs::read(&path).map_err(|error| TableError::file(&path, &error))?;
        Ok(serde_json::from_slice::<IgnoredAny>(&bytes).is_ok())
    }

    /// True if a file exists at `location`.
    pub(super) fn has(&self, location: &str) -> bool {
        self.local(location).is_file()
    }

    /// Makes the names of the files at `locations` durable. The Iceberg library has already made
    /// the contents of the files durable.
    pub(super) fn sync_directories<'a>(
        &self,
        locations: impl Iterator<Item = &'a str>,
    ) -> Result<(), TableError> {
        let mut synced: Vec<PathBuf> = Vec::new();
        for location in locations {
            // Include the directories between the table's directory and the file. They may be new.
            for directory in self.local(location).ancestors().skip(1) {
                if !directory.starts_with(&self.path)
                    || synced.iter().any(|known| known == directory)
                {
                    break;
                }
                sync(directory)?;
                synced.push(directory.to_owned());
            }
        }
        Ok(())
    }

    /// Makes the names of the files in the directory `metadata` durable.
    pub(super) fn sync_metadata(&self) -> Result<(), TableError> {
        sync(&self.path.join("metadata"))
    }

    /// Makes the new metadata file durable, and writes its name to the file `version-hint.text`.
    /// DuckDB and PyIceberg find the newest metadata by this file.
    pub(super) fn publish(&self, location: &str) -> Result<(), TableError> {
        let file = self.local(location);
        sync(&file)?;
        let directory = self.path.join("metadata");
        let name = location.rsplit('/').next().unwrap_or_default();
        let hint = name.strip_suffix(METADATA).unwrap_or(name);
        let (new, hint_file) = (
            directory.join(".version-hint"),
            directory.join("version-hint.text"),
        );
        let written = fs::write(&new, hint).and_then(|()| fs::rename(&new, &hint_file));
        written.map_err(|error| TableError::file(&hint_file, &error))?;
        sync(&directory)?;
        // With the first metadata file, the directories above it may be new. Make their names
        // durable, too.
        if number(name) == Some(0) {
            for directory in self.path.ancestors().take(4) {
                sync(directory)?;
            }
        }
        Ok(())
    }

    /// Removes the files at `locations`, and all metadata files except the newest
    /// [`limits::TABLE_METADATA_FILES`]. A file that cannot be removed stays, because it only takes
    /// up space.
    pub(super) fn remove_old<'a>(
        &self,
        locations: impl Iterator<Item = &'a str>,
    ) -> Result<(), TableError> {
        let files = self.metadata_files()?;
        let old = files.iter().skip(limits::TABLE_METADATA_FILES);
        let old: Vec<PathBuf> = old.map(|location| self.local(location)).collect();
        for file in old
            .into_iter()
            .chain(locations.map(|location| self.local(location)))
        {
            let _may_stay = fs::remove_file(file);
        }
        Ok(())
    }

    fn local(&self, location: &str) -> PathBuf {
        let inner = location.strip_prefix(&self.location).unwrap_or_default();
        self.path.join(inner.trim_start_matches('/'))
    }
}

/// Returns the number at the start of the name of a metadata file.
fn number(name: &str) -> Option<u64> {
    let (number, _) = name.strip_suffix(METADATA)?.split_once('-')?;
    number.parse().ok()
}

/// The names of the entries in a directory. Returns no names if the directory does not exist.
fn entries(directory: &Path) -> Result<Vec<String>, TableError> {
    let failed = |error| TableError::file(directory, &error);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let name = |entry: io::Result<fs::DirEntry>| {
        entry.map(|entry| entry.file_name().to_string_lossy().into_owned())
    };
    entries.map(name).collect::<Result<_, _>>().map_err(failed)
}

fn sync(path: &Path) -> Result<(), TableError> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|error| TableError::file(path, &error))
}
