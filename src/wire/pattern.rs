//! Patterns of texts: the service's regular expression and its matcher.

use regex_lite::Regex;
use std::fmt;
use std::sync::OnceLock;

/// A pattern that a whole text has to match.
///
/// A pattern on the hot path has a matcher function; any other is compiled at its first use.
pub struct Pattern {
    /// The regular expression as the service's messages show it.
    pub text: &'static str,
    matcher: Option<fn(&str) -> bool>,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    /// A pattern matched by its regular expression.
    pub const fn new(text: &'static str) -> Self {
        Self {
            text,
            matcher: None,
            compiled: OnceLock::new(),
        }
    }

    /// A pattern matched by `matcher`, which has to agree with the regular expression `text`.
    pub const fn by(text: &'static str, matcher: fn(&str) -> bool) -> Self {
        Self {
            text,
            matcher: Some(matcher),
            compiled: OnceLock::new(),
        }
    }

    /// True if the whole of `value` matches.
    pub fn matches(&self, value: &str) -> bool {
        match self.matcher {
            Some(matcher) => matcher(value),
            None => self.expression().is_match(value),
        }
    }

    /// The compiled expression, anchored at both ends.
    pub fn expression(&self) -> &Regex {
        self.compiled.get_or_init(|| {
            Regex::new(&format!("^(?:{})$", self.text)).expect("the service's patterns compile")
        })
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}
