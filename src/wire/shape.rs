//! Shapes: types and constraints of the service model, as data.

use super::pattern::Pattern;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A shape of the service model with its constraints.
#[derive(Debug)]
pub enum Shape {
    /// A string. Its length counts UTF-16 code units, as the service's JVM does (a choice).
    Text {
        /// Least and greatest length.
        length: Option<(usize, usize)>,
        /// The pattern of the whole text.
        pattern: Option<&'static Pattern>,
        /// The values of an enumeration, in the order in which messages list them.
        values: &'static [&'static str],
    },
    /// A number, 32 bits wide unless `long`.
    Integer {
        /// Smallest value allowed.
        min: Option<i64>,
        /// Largest value allowed.
        max: Option<i64>,
        /// Called `Long` in messages and not clamped to 32 bits.
        long: bool,
    },
    /// True or false.
    Boolean,
    /// Bytes.
    Blob {
        /// Least and greatest number of bytes.
        length: Option<(usize, usize)>,
    },
    /// A time, to the millisecond.
    Timestamp,
    /// A sequence of values of one shape.
    List {
        /// Shape of each element.
        element: &'static Shape,
        /// Least and greatest number of elements.
        length: Option<(usize, usize)>,
    },
    /// A dictionary with text keys.
    Map {
        /// Shape of each key.
        key: &'static Shape,
        /// Shape of each value.
        value: &'static Shape,
        /// Least and greatest number of entries.
        length: Option<(usize, usize)>,
    },
    /// A structure with these fields, in the order in which messages name them.
    Structure(&'static [Field]),
}

/// One entry of a structure's declaration.
#[derive(Debug)]
pub enum Field {
    /// A member of its own.
    Member(Member),
    /// The fields of a group that many structures share, such as the ways to name a stream.
    Group(&'static [Field]),
}

/// A member of a structure.
#[derive(Debug)]
pub struct Member {
    /// The name on the wire.
    pub name: &'static str,
    /// The shape of the value.
    pub shape: &'static Shape,
    /// The rule for an absent member.
    pub presence: Presence,
}

/// The rule for an absent member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// An absent member is a violation.
    Required,
    /// An absent member is a violation unless the operation tolerates it.
    Expected,
    /// The member may be absent.
    Optional,
}

/// A type that carries its shape.
pub(crate) trait Shaped: Sized + DeserializeOwned {
    /// The shape. The type's own reader checks its rules, the explaining reader words them.
    const SHAPE: &'static Shape;
    /// The rule for an absent member of this type.
    const PRESENCE: Presence = Presence::Required;

    /// The value of an absent member; none if it has to be present.
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

/// A member that is optional by its shape, but whose absence is a violation unless the operation
/// tolerates it.
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

/// An optional member whose rules are checked and whose value is not used.
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
    /// All members of a structure, those of a group at the group's position; none for other shapes.
    pub fn members(&self) -> Vec<&'static Member> {
        let mut all = Vec::new();
        if let Self::Structure(fields) = self {
            gather(fields, &mut all);
        }
        all
    }

    /// True if a value of this shape holds a blob: messages leave such a value out.
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

    /// True if `text` keeps the rules of a text shape.
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

    /// True if `number` keeps the rules of a number shape.
    pub fn accepts_number(&self, number: i64) -> bool {
        let Self::Integer { min, max, .. } = self else {
            return false;
        };
        min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max)
    }

    /// True if `count` bytes, elements or entries are allowed.
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

/// The length of a text in UTF-16 code units, as the service counts it.
pub(super) fn utf16_length(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.encode_utf16().count()
    }
}
