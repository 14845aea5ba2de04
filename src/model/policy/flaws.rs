//! Flaws: the elements of policies that minikin does not understand.

use std::fmt;

/// Collects the flaws that a parser finds in a policy, each with its place.
#[derive(Debug, Default)]
pub(super) struct Flaws {
    place: Vec<String>,
    pub(super) found: Vec<String>,
}

impl Flaws {
    /// Records a flaw of the element that is being read. `what` describes the flaw.
    pub(super) fn note(&mut self, what: impl fmt::Display) {
        self.found.push(format!("{} {what}", self.place.join(".")));
    }

    /// Calls `read`, which parses the element `part`. The places of the flaws that `read` finds
    /// begin with the name of this element.
    pub(super) fn within<R>(&mut self, part: &str, read: impl FnOnce(&mut Self) -> R) -> R {
        self.place.push(part.to_owned());
        let read = read(self);
        self.place.pop();
        read
    }
}
