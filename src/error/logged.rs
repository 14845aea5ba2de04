//! The texts of errors in the log.

use super::exception::{Error, Kind};
use crate::limits::LOGGED_CHARACTERS;
use std::fmt;

impl Error {
    /// Returns the text of the error for the log. The text ends with the options `--limit` that may
    /// avoid the error, if there are such options.
    pub fn with_remedy(&self) -> impl fmt::Display + '_ {
        WithRemedy(self)
    }
}

struct WithRemedy<'a>(&'a Error);

impl WithRemedy<'_> {
    fn write_cut(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.0.message.as_deref().unwrap_or_default();
        match message.char_indices().nth(LOGGED_CHARACTERS) {
            Some((end, _)) => {
                let (kind, bytes) = (self.0.kind.name(), message.len());
                write!(f, "{kind}: {}... ({bytes} bytes)", &message[..end])
            }
            None => fmt::Display::fmt(self.0, f),
        }
    }

    /// Writes the error without the value of the `Authorization` header, which the message of
    /// IncompleteSignatureException quotes. A client may have sent an admin token or a password in
    /// this header, and no secret may reach the log.
    fn write_text(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoting = self.0.kind == Kind::IncompleteSignatureException;
        let message = self.0.message.as_deref().filter(|_| quoting);
        match message.and_then(|message| message.split_once("Authorization=")) {
            Some((text, _)) => write!(f, "{}: {}", self.0.kind.name(), text.trim_end()),
            None => self.write_cut(f),
        }
    }
}

impl fmt::Display for WithRemedy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_text(f)?;
        for (at, limit) in self.0.limits.iter().enumerate() {
            let before = if at == 0 { " (set it by" } else { " or" };
            write!(f, "{before} --limit {limit}=N")?;
        }
        f.write_str(if self.0.limits.is_empty() { "" } else { ")" })
    }
}
