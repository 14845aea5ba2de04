//! Three-valued logic for policies: yes, no, and unknown for elements that minikin does not
//! understand.

/// The result of comparing an element of a policy with a request. The result is yes if the element
/// applies to the request, and no if the element does not apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    No,
    /// minikin does not understand the element. An Allow with this result does not allow a request,
    /// and a Deny with this result denies it.
    Unknown,
    Yes,
}

impl Truth {
    pub(super) fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }

    /// Returns yes if at least one of the results is yes. Otherwise returns unknown if at least one
    /// result is unknown, and no if all results are no.
    pub(super) fn any(all: impl Iterator<Item = Self>) -> Self {
        all.max().unwrap_or(Self::No)
    }

    /// Returns no if at least one of the results is no. Otherwise returns unknown if at least one
    /// result is unknown, and yes if all results are yes.
    pub(super) fn every(all: impl Iterator<Item = Self>) -> Self {
        all.min().unwrap_or(Self::Yes)
    }
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Self {
        if truth { Self::Yes } else { Self::No }
    }
}
