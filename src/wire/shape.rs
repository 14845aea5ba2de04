//! Shapes: the types and constraints of the service model, as data.

use super::pattern::Pattern;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A type of the service model with its constraints.
#[derive(Debug)]
pub enum Shape {
    /// A string. Its length is counted in UTF-16 code units. This unit is a choice: the service
    /// runs on a JVM, and a JVM counts the length of strings in this unit.
    Text {
        /// Least and greatest length of the string in UTF-16 code units. `None` if any length is
        /// allowed.
        length: Option<(usize, usize)>,
        /// The pattern that the whole string must match. `None` if the string need not match a
        /// pattern.
        pattern: Option<&'static Pattern>,
        /// The allowed values of an enumeration, in the order in which messages list the values.
        /// Empty if the string is not an enumeration.
        values: &'static [&'static str],
    },
    /// A whole number of 32 bits, or of 64 bits if `long` is true.
    Integer {
        /// Least allowed value of the number. `None` if there is no lower bound.
        min: Option<i64>,
        /// Greatest allowed value of the number. `None` if there is no upper bound.
        max: Option<i64>,
        /// True for the service's type Long, false for its type Integer.
        long: bool,
    },
    /// A Boolean value.
    Boolean,
    /// A byte string.
    Blob {
        /// Least and greatest number of bytes in the byte string. `None` if any number is allowed.
        length: Option<(usize, usize)>,
    },
    /// A time with a precision of one millisecond.
    Timestamp,
    /// A list whose elements have the same shape.
    List {
        /// The shape of every element in the list.
        element: &'static Shape,
        /// Least and greatest number of elements in the list. `None` if any number is allowed.
        length: Option<(usize, usize)>,
    },
    /// A dictionary with text keys.
    Map {
        /// The shape of every key in the map.
        key: &'static Shape,
        /// The shape of every value in the map.
        value: &'static Shape,
        /// Least and greatest number of entries in the map. `None` if any number is allowed.
        length: Option<(usize, usize)>,
    },
    /// A structure with the given fields. Messages list the members in the order of the fields.
    Structure(&'static [Field]),
}

/// A field in a structure's declaration. A field is a single member or a group of members.
#[derive(Debug)]
pub enum Field {
    /// A single member.
    Member(Member),
    /// The members of a group that many structures share, such as StreamName and StreamARN.
    Group(&'static [Field]),
}

/// A member of a structure.
#[derive(Debug)]
pub struct Member {
    /// The member's name in JSON and CBOR.
    pub name: &'static str,
    /// The shape of the member's value.
    pub shape: &'static Shape,
    /// The rule for a request that lacks the member.
    pub presence: Presence,
}

/// The rule for a request that lacks a certain member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// A request without the member violates a constraint.
    Required,
    /// A request without the member violates a constraint, unless the operation tolerates the
    /// absence.
    Expected,
    /// A request without the member is valid.
    Optional,
}

/// A Rust type that has a [`Shape`].
pub(crate) trait Shaped: Sized + DeserializeOwned {
    /// The shape of the type. The deserializer of the type refuses a value that violates a
    /// constraint of the shape. The explaining reader then finds the service's message for the
    /// violation.
    const SHAPE: &'static Shape;
    /// The rule for a request that lacks a member of this type. By default, such a request violates
    /// a constraint.
    const PRESENCE: Presence = Presence::Required;

    /// Returns the value that a member of this type gets if a request lacks the member. Returns
    /// `None` if the member is required.
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Shaped> Shaped for Option<T> {
    const SHAPE: &'static Shape = T::SHAPE;
    const PRESENCE: Presence = Presence::Optional;

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// A member that is optional in the service model, but that the service requires unless the
/// operation tolerates its absence.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent, bound = "T: Deserialize<'de>")]
pub(crate) struct Expected<T>(pub Option<T>);

impl<T: Shaped> Shaped for Expected<T> {
    const SHAPE: &'static Shape = T::SHAPE;
    const PRESENCE: Presence = Presence::Expected;

    fn absent() -> Option<Self> {
        Some(Self(None))
    }
}

/// An optional member whose value the program ignores. The deserializer checks the value and then
/// drops it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ignored<T>(std::marker::PhantomData<fn() -> T>);

impl<T> Default for Ignored<T> {
    fn default() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<'de, T: Shaped> Deserialize<'de> for Ignored<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(deserializer).map(|_| Self::default())
    }
}

impl<T: Shaped> Shaped for Ignored<T> {
    const SHAPE: &'static Shape = T::SHAPE;
    const PRESENCE: Presence = Presence::Optional;

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

impl Shape {
    /// Returns the members of a structure. The members of a group stand at the position of the
    /// group. Returns an empty list for a shape that is not a structure.
    pub fn members(&self) -> Vec<&'static Member> {
        let mut all = Vec::new();
        if let Self::Structure(fields) = self {
            gather(fields, &mut all);
        }
        all
    }

    /// Returns true if a value of this shape contains a blob. The service's messages do not quote
    /// values that contain blobs.
    pub fn holds_blob(&self) -> bool {
        match self {
            Self::Blob { .. } => true,
            Self::List { element, .. } => element.holds_blob(),
            Self::Map { value, .. } => value.holds_blob(),
            Self::Structure(_) => self
                .members()
                .iter()
                .any(|member| member.shape.holds_blob()),
            Self::Text { .. } | Self::Integer { .. } | Self::Boolean | Self::Timestamp => false,
        }
    }

    /// Returns true if `text` satisfies the constraints of this text shape. Returns false for a
    /// shape that is not text.
    pub fn accepts_text(&self, text: &str) -> bool {
        let Self::Text {
            length,
            pattern,
            values,
        } = self
        else {
            return false;
        };
        (values.is_empty() || values.contains(&text))
            && length.is_none_or(|bounds| within(utf16_length(text), bounds))
            && pattern.is_none_or(|pattern| pattern.matches(text))
    }

    /// Returns true if `number` satisfies the constraints of this number shape. Returns false for a
    /// shape that is not a number.
    pub fn accepts_number(&self, number: i64) -> bool {
        let Self::Integer { min, max, .. } = self else {
            return false;
        };
        min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max)
    }

    /// Returns true if the shape allows `count` bytes, elements or entries. Also returns true for a
    /// shape whose values have no such count.
    pub fn accepts_count(&self, count: usize) -> bool {
        match self {
            Self::Blob { length } | Self::List { length, .. } | Self::Map { length, .. } => {
                length.is_none_or(|bounds| within(count, bounds))
            }
            Self::Text { .. }
            | Self::Integer { .. }
            | Self::Boolean
            | Self::Timestamp
            | Self::Structure(_) => true,
        }
    }
}

fn gather(fields: &'static [Field], all: &mut Vec<&'static Member>) {
    for field in fields {
        match field {
            Field::Member(member) => all.push(member),
            Field::Group(fields) => gather(fields, all),
        }
    }
}

fn within(count: usize, (min, max): (usize, usize)) -> bool {
    (min..=max).contains(&count)
}

/// Returns the length of a text in UTF-16 code units.
pub(super) fn utf16_length(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.encode_utf16().count()
    }
}
