//! The reason why a setup is refused: file, line, member and a sentence.

use std::fmt;

/// The reason why a setup is refused. Printed as `FILE: line N: MEMBER: TEXT`, without the parts
/// that are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file or the option that the setup comes from.
    source: Option<String>,
    line: Option<usize>,
    /// The path of the member, such as `streams[0].ShardCount`.
    member: Option<String>,
    text: String,
}

impl Problem {
    /// A problem of which nothing but the text is known.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            source: None,
            line: None,
            member: None,
            text: text.into(),
        }
    }

    /// A problem on a line.
    pub(super) fn at(line: usize, text: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            ..Self::new(text)
        }
    }

    /// The same problem of the member at `path`, unless a deeper member is known. An empty path
    /// is the file itself.
    pub(super) fn of(self, path: &str) -> Self {
        let outer = (!path.is_empty()).then(|| path.to_owned());
        Self {
            member: self.member.or(outer),
            ..self
        }
    }

    /// The same problem on `line`, in the place of a line that was counted from elsewhere.
    pub(super) fn on_line(self, line: usize) -> Self {
        Self {
            line: Some(line),
            ..self
        }
    }

    /// The same problem on `line`, unless a line is known.
    pub(super) fn or_line(self, line: usize) -> Self {
        Self {
            line: self.line.or(Some(line)),
            ..self
        }
    }

    /// The same problem in a file or an option, unless a source is known.
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
