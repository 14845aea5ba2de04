//! The error of a setup: the reason, and its place in the file.

use std::fmt;

/// The reason for which a setup is refused. Displayed as `FILE: line N: MEMBER: TEXT`; an unknown
/// part is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file or the option that contains the definition.
    source: Option<String>,
    line: Option<usize>,
    /// Path of the member, such as `streams[0].ShardCount`.
    member: Option<String>,
    text: String,
}

impl Problem {
    /// A problem without a place in a file.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            source: None,
            line: None,
            member: None,
            text: text.into(),
        }
    }

    /// A problem on a line of the file.
    pub(super) fn at(line: usize, text: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            ..Self::new(text)
        }
    }

    /// Sets the path of the member to `path`, unless the problem already has the path of a more
    /// deeply nested member. An empty path stands for the file as a whole and sets nothing.
    pub(super) fn of(self, path: &str) -> Self {
        let outer = (!path.is_empty()).then(|| path.to_owned());
        Self {
            member: self.member.or(outer),
            ..self
        }
    }

    /// Prepends `name`, a member of a table or an item of a list such as `[3]`, to the path of the
    /// member. For example, `within("streams")` turns the path `[3].Name` into `streams[3].Name`.
    pub(super) fn within(self, name: &str) -> Self {
        let member = match self.member {
            None => name.to_owned(),
            Some(inner) if inner.starts_with('[') => format!("{name}{inner}"),
            Some(inner) => format!("{name}.{inner}"),
        };
        Self {
            member: Some(member),
            ..self
        }
    }

    /// Removes the line number, which says nothing about a text of one line.
    pub(super) fn without_line(self) -> Self {
        Self { line: None, ..self }
    }

    /// Replaces the line number by `line`.
    pub(super) fn on_line(self, line: usize) -> Self {
        Self {
            line: Some(line),
            ..self
        }
    }

    /// Sets the line number, unless the problem already has one.
    pub(super) fn or_line(self, line: usize) -> Self {
        Self {
            line: self.line.or(Some(line)),
            ..self
        }
    }

    /// Sets the name of the file or the option, unless the problem already has one.
    pub(super) fn in_source(self, source: &str) -> Self {
        Self {
            source: self.source.or_else(|| Some(source.to_owned())),
            ..self
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            write!(formatter, "{source}: ")?;
        }
        if let Some(line) = self.line {
            write!(formatter, "line {line}: ")?;
        }
        if let Some(member) = &self.member {
            write!(formatter, "{member}: ")?;
        }
        formatter.write_str(&self.text)
    }
}

impl std::error::Error for Problem {}
