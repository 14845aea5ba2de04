//! The members of a table in a setup file. A parser removes every member that it knows. A member
//! that remains at the end is unknown and is refused.

use super::document::{self, Node, Value};
use super::problem::Problem;

/// The members of a table that no parser has removed yet.
#[derive(Debug)]
pub(crate) struct Fields {
    /// Path of the table in the setup file, such as `streams[0]`. Empty for the whole file.
    path: String,
    line: usize,
    members: Vec<(String, Node)>,
}

impl Fields {
    /// The members of `node`, a table at `path` in the setup file.
    ///
    /// # Errors
    /// The node is not a table.
    pub(super) fn of(node: Node, path: String) -> Result<Self, Problem> {
        let line = node.line;
        match node.value {
            Value::Table(members) => Ok(Self {
                path,
                line,
                members,
            }),
            Value::Scalar(_) | Value::List(_) => {
                Err(Problem::at(line, "this has to be a table").of(&path))
            }
        }
    }

    /// Path of the table's member `name` in the setup file.
    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Number of the line on which the table begins.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Removes the member `name` from the table and returns its value. None if the member is
    /// missing.
    pub(super) fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.members.iter().position(|(known, _)| known == name)?;
        Some(self.members.remove(at).1)
    }

    /// Removes the member `name` from the table, and parses its value with `read`. None if the
    /// member is missing. `read` returns an error message for an invalid value.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(serde_json::Value) -> Result<T, String>,
    ) -> Result<Option<T>, Problem> {
        let Some(node) = self.take(name) else {
            return Ok(None);
        };
        let line = node.line;
        let value = read(node.into_json());
        let value = value.map_err(|text| Problem::at(line, text).of(&self.path_of(name)))?;
        Ok(Some(value))
    }

    /// Removes the member `name` from the table and returns its value, which must be a string. None
    /// if the member is missing.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        self.parsed(name, text)
    }

    /// Removes the member `name`, which must be a list, from the table. Returns the items of the
    /// list, each with its path. Returns no items if the member is missing.
    pub(super) fn list(&mut self, name: &str) -> Result<Vec<(String, Node)>, Problem> {
        let Some(node) = self.take(name) else {
            return Ok(Vec::new());
        };
        let path = self.path_of(name);
        let Value::List(nodes) = node.value else {
            return Err(Problem::at(node.line, "this has to be a list").of(&path));
        };
        let with_path = |(at, node)| (format!("{path}[{at}]"), node);
        Ok(nodes.into_iter().enumerate().map(with_path).collect())
    }

    /// All members of the table that no parser has removed.
    pub(super) fn rest(self) -> Vec<(String, Node)> {
        self.members
    }

    /// Refuses the table if it has a member that no parser has removed. `known` holds the names of
    /// all valid members, for the message.
    pub(crate) fn end(self, known: &[&str]) -> Result<(), Problem> {
        let Some((name, node)) = self.members.first() else {
            return Ok(());
        };
        Err(unknown(name, known)
            .or_line(node.line)
            .of(&self.path_of(name)))
    }
}

/// Parses a JSON object to its members.
///
/// # Errors
/// The text is not JSON, or is not an object.
pub(crate) fn fields_of_json(text: &str) -> Result<Fields, Problem> {
    Fields::of(document::from_json(text)?, String::new())
}

/// The error for a member with the unknown name `name`. `known` holds the names of all valid
/// members of the table, for the message.
pub(super) fn unknown(name: &str, known: &[&str]) -> Problem {
    let alike = known
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name) || known.replace('_', "") == name);
    Problem::new(match alike {
        Some(known) => format!("there is no such member; did you mean {known}?"),
        None => format!("there is no such member; choose {}", known.join(", ")),
    })
}

/// The text of a JSON value. Returns an error message if the value is not a string.
pub(super) fn text(value: serde_json::Value) -> Result<String, String> {
    match value {
        serde_json::Value::String(text) => Ok(text),
        _ => Err("this has to be a text".to_owned()),
    }
}
