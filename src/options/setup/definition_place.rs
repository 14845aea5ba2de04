//! The place of a definition in the setup, for error messages: an option, or a path and a line in
//! the setup file.

use super::document::{Node, Value};
use super::problem::Problem;
use std::sync::Arc;

/// Error messages that do not name the wrong member of a definition. Each row has a part of such a
/// message, and the name of the wrong member.
const MEANT: [(&str, &str); 11] = [
    ("Function does not exist", "FunctionName"),
    ("Stream not found", "EventSourceArn"),
    ("Unrecognized event source", "EventSourceArn"),
    ("Timestamp only valid", "StartingPositionTimestamp"),
    ("specify a timestamp", "StartingPosition"),
    ("timestampInMillis", "StartingPositionTimestamp"),
    ("filter pattern", "FilterCriteria"),
    ("destination", "DestinationConfig"),
    ("tag keys", "Tags"),
    ("tags", "Tags"),
    ("Stream ", "StreamConfigurationList[0].StreamARN"),
];

/// The place of a definition in the setup, for error messages: an option, or a path and a line in
/// the setup file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DefinitionPlace {
    source: Arc<str>,
    path: String,
    line: Option<usize>,
    /// The path and the line number of each member within the definition. A path is, for example,
    /// `Tags.team` or `Consumers[0]`. The members within the items of `Records` are left out.
    members: Vec<(String, usize)>,
}

impl DefinitionPlace {
    /// The place of a definition that is an option or a variable.
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
        let mut members = Vec::new();
        add_members("", node, &mut members);
        Self {
            source: source.clone(),
            path: path.to_owned(),
            line: Some(node.line),
            members,
        }
    }

    /// The error for a definition that an operation has refused with the message `text`. If the
    /// message names a member, such as `ShardCount` or `'shardCount'`, the error points to the line
    /// of this member.
    pub(crate) fn refused(&self, text: &str) -> Problem {
        let is_quoted = |path: &&str| text.contains(&format!("'{}", service_path(path)));
        let is_word = |path: &&str| {
            let name = path.rsplit('.').next();
            let mut words = text.split(|letter: char| !letter.is_alphanumeric());
            words.any(|word| name == Some(word))
        };
        let paths = || self.members.iter().map(|(path, _)| path.as_str());
        // A message may quote the path of a member, and this path contains the paths of outer
        // members. The longest path belongs to the member that the message is about.
        let quoted = paths().filter(is_quoted).max_by_key(|path| path.len());
        let named = quoted.or_else(|| paths().find(is_word));
        let named = named.or_else(|| {
            let mut meant = MEANT.iter().filter(|(part, _)| text.contains(part));
            meant.find_map(|(_, member)| paths().find(|path| path == member))
        });
        self.refused_at(named.unwrap_or_default(), text)
    }

    /// The error for the member at `path` within the definition, with the message `text`. An empty
    /// path stands for the whole definition.
    pub(crate) fn refused_at(&self, path: &str, text: &str) -> Problem {
        let mut found = self.members.iter().filter(|(known, _)| known == path);
        let line = found.next().map(|(_, line)| *line).or(self.line);
        let problem = match line {
            Some(line) => Problem::at(line, text),
            None => Problem::new(text),
        };
        let outwards = [path, &self.path].into_iter();
        let outwards = outwards.filter(|path| !path.is_empty());
        outwards
            .fold(problem, Problem::within)
            .in_source(&self.source)
    }
}

/// Adds the paths and line numbers of all members within `node` to `members`. `path` is the path of
/// `node` itself.
fn add_members(path: &str, node: &Node, members: &mut Vec<(String, usize)>) {
    let mut add = |path: String, node: &Node| {
        members.push((path.clone(), node.line));
        if !path.starts_with("Records[") {
            add_members(&path, node, members);
        }
    };
    match &node.value {
        Value::Table(table) => {
            for (name, node) in table {
                let separator = if path.is_empty() { "" } else { "." };
                add(format!("{path}{separator}{name}"), node);
            }
        }
        Value::List(items) => {
            for (at, node) in items.iter().enumerate() {
                add(format!("{path}[{at}]"), node);
            }
        }
        Value::Scalar(_) => {}
    }
}

/// Converts the path of a member to the form in the service's messages:
/// `queueAttributes.visibilityTimeoutSeconds`, or `list.1.member` for the first item of a list.
fn service_path(path: &str) -> String {
    let part = |part: &str| {
        let (name, index) = part.split_once('[').unwrap_or((part, ""));
        let mut letters = name.chars();
        let first = letters.next().map(|first| first.to_ascii_lowercase());
        let name: String = first.into_iter().chain(letters).collect();
        match index.trim_end_matches(']').parse::<usize>() {
            Ok(index) => format!("{name}.{}.member", index + 1),
            Err(_) => name,
        }
    };
    let parts: Vec<String> = path.split('.').map(part).collect();
    parts.join(".")
}
