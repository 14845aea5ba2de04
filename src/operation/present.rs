//! The macro for output structures that are members of other output structures.

/// Implements `wire::Present` for the given types: a member of such a type is always present in an
/// answer.
macro_rules! present {
    ($($name:ident),+) => { $(impl $crate::wire::Present for $name {})+ };
}

pub(super) use present;
