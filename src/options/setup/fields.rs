//! The members of one table of a setup file, taken by name; what is left over is refused.

use super::document::{Node, Value};
use super::problem::Problem;

/// The members of a table that are not yet taken.
#[derive(Debug)]
pub(super) struct Fields {
    /// The path of the table in the file, such as `streams[0]`; empty for the file itself.
    path: String,
    line: usize,
    members: Vec<(String, Node)>,
}

impl Fields {
    /// The members of `node`, which stands at `path`.
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

    /// The path of a member.
    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// The path of the table.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The line that the table begins on.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The member `name`, if it is there.
    pub(super) fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.members.iter().position(|(known, _)| known == name)?;
        Some(self.members.remove(at).1)
    }

    /// The member `name`, which `read` understands or refuses with a sentence.
    pub(super) fn parsed<T>(
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

    /// The text `name`.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        self.parsed(name, text)
    }

    /// The items of the list `name`, each with its path. A list that is not there is empty.
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

    /// The members that are left.
    pub(super) fn rest(self) -> Vec<(String, Node)> {
        self.members
    }

    /// Refuses the first member that is left; `known` are the names that the table may have.
    pub(super) fn end(self, known: &[&str]) -> Result<(), Problem> {
        let Some((name, node)) = self.members.first() else {
            return Ok(());
        };
        Err(unknown(name, known)
            .or_line(node.line)
            .of(&self.path_of(name)))
    }
}

/// The refusal of a member that no table of this kind has.
pub(super) fn unknown(name: &str, known: &[&str]) -> Problem {
    let alike = known
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name) || known.replace('_', "") == name);
    Problem::new(match alike {
        Some(known) => format!("there is no such member; {known} is meant, perhaps"),
        None => format!("there is no such member; choose {}", known.join(", ")),
    })
}

/// A text, from a document's value.
pub(super) fn text(value: serde_json::Value) -> Result<String, String> {
    match value {
        serde_json::Value::String(text) => Ok(text),
        _ => Err("this has to be a text".to_owned()),
    }
}
