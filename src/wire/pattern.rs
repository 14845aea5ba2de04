//! Patterns of the service model. A pattern is a regular expression, and may have a function that
//! matches texts faster.

use regex_lite::Regex;
use std::fmt;
use std::sync::OnceLock;

/// A pattern that a whole text must match.
///
/// A frequently used pattern has a matcher function. For every other pattern, the regular
/// expression is compiled when the pattern is used for the first time.
pub struct Pattern {
    /// The regular expression in the form that it has in the service's messages.
    pub text: &'static str,
    matcher: Option<fn(&str) -> bool>,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    /// Creates a pattern from the regular expression `text`. `matches` compares texts with this
    /// regular expression.
    pub const fn new(text: &'static str) -> Self {
        Self {
            text,
            matcher: None,
            compiled: OnceLock::new(),
        }
    }

    /// Creates a pattern with a matcher function. `matches` calls `matcher`, which must accept the
    /// same texts as the regular expression `text`.
    pub const fn by(text: &'static str, matcher: fn(&str) -> bool) -> Self {
        Self {
            text,
            matcher: Some(matcher),
            compiled: OnceLock::new(),
        }
    }

    /// Returns true if the whole text `value` matches the pattern.
    pub fn matches(&self, value: &str) -> bool {
        match self.matcher {
            Some(matcher) => matcher(value),
            None => self.expression().is_match(value),
        }
    }

    /// Returns the compiled regular expression, which matches only whole texts.
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
