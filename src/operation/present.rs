//! The macro for output structures that are members of others.

/// Declares that members of these types are always written.
macro_rules! present {
    ($($name:ident),+) => { $(impl $crate::wire::Present for $name {})+ };
}

pub(super) use present;
