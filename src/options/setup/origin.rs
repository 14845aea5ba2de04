//! The place of a definition in the setup: its option, or its file, line and path.

use super::document::{Node, Value};
use super::problem::Problem;
use std::sync::Arc;

/// The place of a definition in the setup, for error messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    source: Arc<str>,
    path: String,
    line: Option<usize>,
    /// Names of the definition's members, and their line numbers.
    members: Vec<(String, usize)>,
}

impl Origin {
    /// The place of a definition in an option or a variable.
    pub(super) fn option(source: &str) -> Self {
        Self {
            source: source.into(),
            path: String::new(),
            line: None,
            members: Vec::new(),
        }
    }

    /// The place of the definition at `path` in the setup file `source`.
    pub(super) fn file(source: &Arc<str>, path: &str, node: &Node) -> Self {
        let members = match &node.value {
            Value::Table(members) => members
                .iter()
                .map(|(name, node)| (name.clone(), node.line))
                .collect(),
            Value::Scalar(_) | Value::List(_) => Vec::new(),
        };
        Self {
            source: source.clone(),
            path: path.to_owned(),
            line: Some(node.line),
            members,
        }
    }

    /// The error for a definition that an operation refuses with the message `text`. If the message
    /// names a member, as `ShardCount` or `'shardCount'`, the error has the member's line.
    pub(crate) fn refused(&self, text: &str) -> Problem {
        let is_named = |(name, _): &&(String, usize)| {
            let mut letters = name.chars();
            let first = letters.next().map(|first| first.to_ascii_lowercase());
            let member: String = first.into_iter().chain(letters).collect();
            let is_word = |word: &str| word == name;
            text.contains(&format!("'{member}"))
                || text
                    .split(|letter: char| !letter.is_alphanumeric())
                    .any(is_word)
        };
        let named = self.members.iter().find(is_named);
        let problem = match named {
            Some((name, line)) => Problem::at(*line, text).of(&format!("{}.{name}", self.path)),
            None => Problem::new(text).of(&self.path),
        };
        let problem = self
            .line
            .map_or(problem.clone(), |line| problem.or_line(line));
        problem.in_source(&self.source)
    }
}
