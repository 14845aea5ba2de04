//! The JSON Schemas in the configured directory, in place of Glue's schema registry.
//!
//! The file `<dir>/<registry>/<schema>.json` is the JSON Schema of the ARN
//! `arn:aws:glue:<region>:<account>:schema/<registry>/<schema>`. Records of the format GSR_JSON
//! also need the file `<dir>/versions.json`, an object whose keys are the ids of schema versions
//! and whose values have the form `<registry>/<schema>`.

use super::error::TableError;
use crate::limits;
use crate::options::bounded_file;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The configured directory of JSON Schemas.
#[derive(Debug, Clone)]
pub(super) struct SchemaFiles(PathBuf);

/// The name of the schema of each schema version, by the id of the version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SchemaVersions(HashMap<Uuid, String>);

impl SchemaFiles {
    pub(super) const fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    /// Reads the JSON Schema that has the ARN `arn`.
    ///
    /// # Errors
    /// The ARN names no file, or the file cannot be read.
    pub(super) fn schema(&self, arn: &str) -> Result<String, TableError> {
        let name = schema_name(arn)
            .ok_or_else(|| TableError::Unusable(format!("The schema ARN {arn} names no file.")))?;
        let path = self.0.join(format!("{name}.json"));
        read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => TableError::Unusable(format!(
                "The schema {arn} cannot be found: there is no file {}.",
                path.display()
            )),
            _ => TableError::file(&path, &error),
        })
    }

    /// Reads the versions of all schemas. Returns no versions if the file does not exist.
    ///
    /// # Errors
    /// The file cannot be read, or is not an object from UUIDs to texts.
    pub(super) fn versions(&self) -> Result<SchemaVersions, TableError> {
        let path = self.0.join("versions.json");
        let text = match read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(SchemaVersions::default());
            }
            Err(error) => return Err(TableError::file(&path, &error)),
        };
        let versions = serde_json::from_str(&text).map(SchemaVersions);
        versions.map_err(|error| TableError::Unavailable(format!("{}: {error}.", path.display())))
    }
}

impl SchemaVersions {
    #[cfg(test)]
    pub(super) fn of(versions: &[(Uuid, &str)]) -> Self {
        let versions = versions.iter().map(|(id, name)| (*id, (*name).to_owned()));
        Self(versions.collect())
    }

    /// Returns the name of the schema that the schema version `version` belongs to, as
    /// `<registry>/<schema>`. `None` if the file of versions does not list this version.
    pub(super) fn schema_of(&self, version: Uuid) -> Option<&str> {
        self.0.get(&version).map(String::as_str)
    }
}

/// The part `<registry>/<schema>` of a schema's ARN. None if a file of this name would be outside
/// of the directory.
pub(super) fn schema_name(arn: &str) -> Option<&str> {
    let (_, name) = arn.split_once(":schema/")?;
    let is_name = |part: &str| !part.is_empty() && part != "." && part != "..";
    let parts: Vec<&str> = name.split('/').collect();
    (parts.len() == 2 && parts.into_iter().all(is_name)).then_some(name)
}

fn read(path: &Path) -> io::Result<String> {
    bounded_file::text(path, limits::SCHEMA_FILE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63";

    fn arn(name: &str) -> String {
        format!("arn:aws:glue:us-east-1:000000000000:schema/{name}")
    }

    #[test]
    fn schemas_are_found_by_their_arns() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("shop")).unwrap();
        std::fs::write(home.path().join("shop/order.json"), "{}").unwrap();
        std::fs::write(home.path().join("secret.json"), "{}").unwrap();
        let files = SchemaFiles::new(home.path().to_owned());
        assert_eq!(files.schema(&arn("shop/order")).unwrap(), "{}");
        let error = files.schema(&arn("shop/other")).unwrap_err().to_string();
        let path = home.path().join("shop/other.json");
        let expected = format!(
            "The schema {} cannot be found: there is no file {}.",
            arn("shop/other"),
            path.display()
        );
        assert_eq!(error, expected);
        for name in [
            "../secret",
            "shop/..",
            "secret",
            "a/b/c",
            "./secret",
            "/secret",
        ] {
            let error = files.schema(&arn(name)).unwrap_err().to_string();
            assert!(error.ends_with("names no file."), "{error}");
        }
    }

    #[test]
    fn versions_are_read_from_their_file() {
        let home = tempfile::tempdir().unwrap();
        let files = SchemaFiles::new(home.path().to_owned());
        assert_eq!(files.versions().unwrap(), SchemaVersions::default());
        let file = home.path().join("versions.json");
        std::fs::write(&file, format!("{{\"{ID}\": \"shop/order\"}}")).unwrap();
        let versions = files.versions().unwrap();
        assert_eq!(versions.schema_of(ID.parse().unwrap()), Some("shop/order"));
        assert_eq!(versions.schema_of(Uuid::from_u128(1)), None);
        std::fs::write(&file, "{\"1\": \"shop/order\"}").unwrap();
        assert!(matches!(files.versions(), Err(TableError::Unavailable(_))));
        let large = vec![b' '; limits::SCHEMA_FILE_BYTES as usize + 1];
        std::fs::write(&file, large).unwrap();
        let error = files.versions().unwrap_err().to_string();
        assert!(error.ends_with("the file is too large."), "{error}");
    }
}
