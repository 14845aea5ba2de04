//! Flaws of policies.

use std::fmt;

/// The elements that a reader did not understand, and their places.
#[derive(Debug, Default)]
pub(super) struct Flaws {
    place: Vec<String>,
    pub(super) found: Vec<String>,
}

impl Flaws {
    /// Notes a flaw of the present part.
    pub(super) fn note(&mut self, what: impl fmt::Display) {
        self.found.push(format!("{} {what}", self.place.join(".")));
    }

    /// Reads a part of a document. Its flaws are noted with the part's name.
    pub(super) fn within<R>(&mut self, part: &str, read: impl FnOnce(&mut Self) -> R) -> R {
        self.place.push(part.to_owned());
        let read = read(self);
        self.place.pop();
        read
    }
}
