//! The error of a definition in the setup: the reason, and its place in a file.

use std::fmt;

/// The reason why a definition is refused, and the place of the error. The displayed form is `FILE:
/// line N: MEMBER: TEXT`, without the parts that are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The name of the file or the option with the error. None if the name is not known yet.
    source: Option<String>,
    line: Option<usize>,
    /// Path of the member with the error, such as `streams[0].ShardCount`. None if the path is not
    /// known.
    member: Option<String>,
    text: String,
}

impl Problem {
    /// A problem with the message `text`, without a place in a file.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            source: None,
            line: None,
            member: None,
            text: text.into(),
        }
    }

    /// A problem with the message `text` on a line of a file.
    pub(super) fn at(line: usize, text: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            ..Self::new(text)
        }
    }

    /// Sets the path of the member with the error, unless the problem has a path already. The path
    /// that is set first is the most exact one, because the innermost parser sets it. An empty path
    /// sets nothing.
    pub(super) fn of(self, path: &str) -> Self {
        let outer = (!path.is_empty()).then(|| path.to_owned());
        Self {
            member: self.member.or(outer),
            ..self
        }
    }

    /// Prepends `name` to the path of the member with the error. `name` is a member of a table, or
    /// an item of a list such as `[3]`. For example, `within("streams")` turns the path `[3].Name`
    /// into `streams[3].Name`.
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

    /// Removes the line number, which is useless in a text of one line.
    pub(super) fn without_line(self) -> Self {
        Self { line: None, ..self }
    }

    /// Sets the line number to `line`, in place of any earlier number.
    pub(super) fn on_line(self, line: usize) -> Self {
        Self {
            line: Some(line),
            ..self
        }
    }

    /// Sets the line number to `line`, unless the problem has a line number already.
    pub(super) fn or_line(self, line: usize) -> Self {
        Self {
            line: self.line.or(Some(line)),
            ..self
        }
    }

    /// Sets the name of the file or the option with the error to `source`, unless the problem
    /// already has such a name.
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
