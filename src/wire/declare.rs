//! Macros that declare the shapes of the service model: `string!`, `integer!`, `choice!`, `list!`,
//! `map!`, `input!` and `output!`. Each macro defines a type, its reader or writer, and for inputs
//! its [`Shape`](super::Shape).

pub(crate) use super::scalar::{counted, number, text};
pub(crate) use super::structure::structure;
use std::borrow::Cow;

/// Declares a string type: `string!(StreamName, length: 1..=128, pattern: STREAM_NAME)`.
macro_rules! string {
    ($(#[$meta:meta])* $name:ident
        $(, length: $min:literal..=$max:literal)? $(, pattern: $pattern:path)?) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            #[allow(dead_code, reason = "not every string type is read")]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Converts the value into its text.
            #[allow(dead_code, reason = "not every string type is stored")]
            pub(crate) fn into_text(self) -> Box<str> {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl $crate::wire::Shaped for $name {
            const SHAPE: &'static $crate::wire::Shape = &$crate::wire::Shape::Text {
                length: $crate::wire::declare::first!($(Some(($min, $max)),)? None),
                pattern: $crate::wire::declare::first!($(Some(&$pattern),)? None),
                values: &[],
            };
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
                let shape = <Self as $crate::wire::Shaped>::SHAPE;
                $crate::wire::declare::text(reader, shape, |text| Some(Self(text.into())))
            }
        }
    };
}

/// Declares a number type: `integer!(GetRecordsInputLimit, 1..=10_000)`.
macro_rules! integer {
    ($(#[$meta:meta])* $name:ident, $min:literal..=$max:literal) => {
        $crate::wire::declare::integer! { @ $(#[$meta])* $name, Some($min), Some($max) }
    };
    ($(#[$meta:meta])* $name:ident, $min:literal..) => {
        $crate::wire::declare::integer! { @ $(#[$meta])* $name, Some($min), None }
    };
    ($(#[$meta:meta])* $name:ident) => {
        $crate::wire::declare::integer! { @ $(#[$meta])* $name, None, None }
    };
    (@ $(#[$meta:meta])* $name:ident, $min:expr, $max:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub i32);

        impl $crate::wire::Shaped for $name {
            const SHAPE: &'static $crate::wire::Shape = &$crate::wire::Shape::Integer {
                min: $min,
                max: $max,
                long: false,
            };
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
                $crate::wire::declare::number(reader, <Self as $crate::wire::Shaped>::SHAPE)
                    .map(Self)
            }
        }
    };
}

/// Declares an enumeration: `choice!(StreamMode { Provisioned = "PROVISIONED" })`.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$inner])* $variant),+ }

        impl $name {
            /// Returns the text of the value in requests and answers.
            #[allow(dead_code, reason = "not every choice is written")]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl $crate::wire::Shaped for $name {
            const SHAPE: &'static $crate::wire::Shape = &$crate::wire::Shape::Text {
                length: None,
                pattern: None,
                values: &[$($text),+],
            };
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
                let shape = <Self as $crate::wire::Shaped>::SHAPE;
                $crate::wire::declare::text(reader, shape, |text| match text {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                })
            }
        }
    };
}

/// Declares a list type: `list!(PutRecordsRequestEntryList of PutRecordsRequestEntry, length:
/// 1..=500)`.
macro_rules! list {
    ($(#[$meta:meta])* $name:ident of $element:ty $(, length: $min:literal..=$max:literal)?) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        pub struct $name(pub Vec<$element>);

        impl $crate::wire::Shaped for $name {
            const SHAPE: &'static $crate::wire::Shape = &$crate::wire::Shape::List {
                element: <$element as $crate::wire::Shaped>::SHAPE,
                length: $crate::wire::declare::first!($(Some(($min, $max)),)? None),
            };
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
                let items = Vec::deserialize(reader)?;
                let shape = <Self as $crate::wire::Shaped>::SHAPE;
                $crate::wire::declare::counted(items.len(), shape)?;
                Ok(Self(items))
            }
        }
    };
}

/// Declares a map type with text keys: `map!(TagMap of TagKey, to TagValue, length: 1..=200)`.
macro_rules! map {
    ($(#[$meta:meta])* $name:ident of $key:ty, to $value:ty $(, length: $min:literal..=$max:literal)?) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        pub struct $name(pub std::collections::BTreeMap<$key, $value>);

        impl $crate::wire::Shaped for $name {
            const SHAPE: &'static $crate::wire::Shape = &$crate::wire::Shape::Map {
                key: <$key as $crate::wire::Shaped>::SHAPE,
                value: <$value as $crate::wire::Shaped>::SHAPE,
                length: $crate::wire::declare::first!($(Some(($min, $max)),)? None),
            };
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
                let entries = std::collections::BTreeMap::deserialize(reader)?;
                let shape = <Self as $crate::wire::Shaped>::SHAPE;
                $crate::wire::declare::counted(entries.len(), shape)?;
                Ok(Self(entries))
            }
        }
    };
}

/// Declares the structure of an input: fields, each with the name of its member in JSON and CBOR. A
/// field of type `Option` is an optional member. A field after `..` is a group. A group is a
/// structure whose members are members of the declared structure in JSON and CBOR.
macro_rules! input {
    ($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* }) => {
        $crate::wire::declare::input_fields! { [$(#[$meta])* $name] [] $($body)* }
    };
}

/// Divides the fields in `input!` into members and groups, and keeps the order of the declaration.
macro_rules! input_fields {
    ($head:tt [$($done:tt)*] $(#[$doc:meta])* $wire:literal => $field:ident: $ty:ty, $($rest:tt)*) => {
        $crate::wire::declare::input_fields! {
            $head [$($done)* {member [$(#[$doc])*] $wire $field $ty}] $($rest)*
        }
    };
    ($head:tt [$($done:tt)*] $(#[$doc:meta])* .. $field:ident: $ty:ty, $($rest:tt)*) => {
        $crate::wire::declare::input_fields! {
            $head [$($done)* {group [$(#[$doc])*] "" $field $ty}] $($rest)*
        }
    };
    ([$(#[$meta:meta])* $name:ident] [$({$kind:ident [$(#[$doc:meta])*] $wire:literal $field:ident $ty:ty})*]) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        #[allow(missing_docs, reason = "the members are the service model's")]
        pub struct $name { $($(#[$doc])* pub $field: $ty,)* }

        $($crate::wire::declare::as_group! { $kind $name $field $ty })*

        const _: () = {
            #[derive(Default)]
            pub struct Partial { $($field: $crate::wire::declare::slot!($kind $ty),)* }

            impl $crate::wire::Structure for $name {
                const FIELDS: &'static [$crate::wire::Field] =
                    &[$($crate::wire::declare::field!($kind $wire $ty)),*];
                type Partial = Partial;

                #[allow(unused_variables, reason = "a structure may have no members")]
                fn take<'de, A: serde::de::MapAccess<'de>>(
                    partial: &mut Partial,
                    name: &[u8],
                    map: &mut A,
                ) -> Result<bool, A::Error> {
                    $($crate::wire::declare::take!($kind $wire $field $ty, partial, name, map);)*
                    Ok(false)
                }

                #[allow(unused_variables, reason = "a structure may have no members")]
                fn finish(partial: Partial) -> Option<Self> {
                    Some(Self {
                        $($field: $crate::wire::declare::finish!($kind $ty, partial.$field),)*
                    })
                }
            }
        };

        impl $crate::wire::Shaped for $name {
            const SHAPE: &'static $crate::wire::Shape = &$crate::wire::Shape::Structure(
                <Self as $crate::wire::Structure>::FIELDS,
            );
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
                $crate::wire::declare::structure(reader)
            }
        }
    };
}

/// Implements `AsRef` from a structure to one of its fields, if the field is a group.
macro_rules! as_group {
    (member $name:ident $field:ident $ty:ty) => {};
    (group $name:ident $field:ident $ty:ty) => {
        impl AsRef<$ty> for $name {
            fn as_ref(&self) -> &$ty {
                &self.$field
            }
        }
    };
}

/// Expands to the type of a field in `Partial`. A value of `Partial` has the members of a structure
/// that have been read so far.
macro_rules! slot {
    (member $ty:ty) => { Option<$ty> };
    (group $ty:ty) => { <$ty as $crate::wire::Structure>::Partial };
}

/// Expands to the description of a field, which is an element of the constant `FIELDS`.
macro_rules! field {
    (member $wire:literal $ty:ty) => {
        $crate::wire::Field::Member($crate::wire::Member {
            name: $wire,
            shape: <$ty as $crate::wire::Shaped>::SHAPE,
            presence: <$ty as $crate::wire::Shaped>::PRESENCE,
        })
    };
    (group $wire:literal $ty:ty) => {
        $crate::wire::Field::Group(<$ty as $crate::wire::Structure>::FIELDS)
    };
}

/// Expands to code that reads the value of a field. The code runs if `name` is the name of this
/// field or, for a group, of a member of the group.
macro_rules! take {
    (member $wire:literal $field:ident $ty:ty, $partial:ident, $name:ident, $map:ident) => {
        if $name == $wire.as_bytes() {
            $partial.$field = Some($map.next_value()?);
            return Ok(true);
        }
    };
    (group $wire:literal $field:ident $ty:ty, $partial:ident, $name:ident, $map:ident) => {
        if <$ty as $crate::wire::Structure>::take(&mut $partial.$field, $name, $map)? {
            return Ok(true);
        }
    };
}

/// Expands to the final value of a field, after all members of the structure have been read.
macro_rules! finish {
    (member $ty:ty, $slot:expr) => {
        match $slot {
            Some(value) => value,
            None => <$ty as $crate::wire::Shaped>::absent()?,
        }
    };
    (group $ty:ty, $slot:expr) => {
        <$ty as $crate::wire::Structure>::finish($slot)?
    };
}

/// Declares the structure of an output. An absent member is left out of the body, never written as
/// null.
macro_rules! output {
    ($(#[$meta:meta])* pub struct $name:ident $(<$life:lifetime>)? {
        $($(#[$doc:meta])* $wire:literal => $field:ident: $ty:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        #[allow(missing_docs, reason = "the members are the service model's")]
        pub struct $name $(<$life>)? { $($(#[$doc])* pub $field: $ty,)* }

        impl $(<$life>)? $name $(<$life>)? {
            /// The names of the members, as the service model spells them.
            #[allow(dead_code, reason = "the table of operations lists whole answers only")]
            pub const MEMBERS: &'static [&'static str] = &[$($wire),*];
        }

        impl $(<$life>)? serde::Serialize for $name $(<$life>)? {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap as _;
                use $crate::wire::declare::Present as _;
                let present = [$(self.$field.is_present()),*].into_iter().filter(|is| *is).count();
                let mut map = serializer.serialize_map(Some(present))?;
                $(if self.$field.is_present() { map.serialize_entry($wire, &self.$field)?; })*
                map.end()
            }
        }
    };
}

/// Expands to the first of the given expressions. Other macros pass an optional argument and then
/// its default value.
macro_rules! first {
    ($first:expr $(, $rest:expr)* $(,)?) => {
        $first
    };
}

pub(crate) use {
    as_group, choice, field, finish, first, input, input_fields, integer, list, map, output, slot,
    string, take,
};

/// A value that may be absent from an output.
pub(crate) trait Present {
    /// Returns false for an optional member without a value.
    fn is_present(&self) -> bool {
        true
    }
}

impl<T> Present for Option<T> {
    fn is_present(&self) -> bool {
        self.is_some()
    }
}

/// Implements [`Present`] for types that are always present.
macro_rules! always_present {
    ($($ty:ty),* $(,)?) => { $(impl Present for $ty {})* };
}
always_present!(
    bool,
    i32,
    i64,
    u32,
    u64,
    usize,
    String,
    &str,
    Cow<'static, str>,
    crate::world::Timestamp,
    super::blob::BlobView<'_>
);
impl<T> Present for Vec<T> {}
impl<T> Present for &[T] {}
