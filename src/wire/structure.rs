//! Structures that read themselves member by member.

use super::name::Name;
use super::node::Node;
use super::shape::Field;
use serde::Deserializer;
use serde::de::{self, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A structure that reads itself member by member, so that groups of members can be shared
/// without buffering (serde's `flatten` would lose which format is read).
pub trait Structure: Sized {
    /// Its members and groups, in the order in which messages name them.
    const FIELDS: &'static [Field];
    /// What has been read of it so far.
    type Partial: Default;

    /// Reads the value of member `name`, if this structure or one of its groups has it.
    ///
    /// # Errors
    /// When the value does not suit the member.
    fn take<'de, A: MapAccess<'de>>(
        partial: &mut Self::Partial,
        name: &[u8],
        map: &mut A,
    ) -> Result<bool, A::Error>;

    /// The whole, unless a required member is missing.
    fn finish(partial: Self::Partial) -> Option<Self>;
}

/// Reads a structure by its [`Structure`].
pub(crate) fn structure<'de, T: Structure, D: Deserializer<'de>>(reader: D) -> Result<T, D::Error> {
    reader.deserialize_map(StructureVisitor(PhantomData))
}

struct StructureVisitor<T>(PhantomData<T>);

impl<'de, T: Structure> Visitor<'de> for StructureVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a structure")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut partial = T::Partial::default();
        while let Some(name) = map.next_key::<Name<'de>>()? {
            if !T::take(&mut partial, &name.0, &mut map)? {
                // Read, not skipped: what is no document in an unknown member is no document.
                map.next_value::<Node>()?;
            }
        }
        T::finish(partial).ok_or_else(|| de::Error::custom("a required member is missing"))
    }
}
