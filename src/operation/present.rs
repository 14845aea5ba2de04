//! The macro for output structures that are members of other output structures.

/// Declares that a member of one of these types is always present in an answer, as `wire::Present`.
macro_rules! present {
    ($($name:ident),+) => { $(impl $crate::wire::Present for $name {})+ };
}

pub(super) use present;
