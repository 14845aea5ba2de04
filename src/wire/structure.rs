//! Reading of structures, member by member.

use super::name::Name;
use super::node::Node;
use super::shape::Field;
use serde::Deserializer;
use serde::de::{self, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A structure that is read member by member, so that structures can share groups of members.
/// serde's attribute `flatten` could do the same, but it buffers the members, and the deserializers
/// of the members then no longer know the format of the body.
pub(crate) trait Structure: Sized {
    /// The members and groups of the structure, in the order in which messages list the members.
    const FIELDS: &'static [Field];
    /// The type that holds the members of the structure that have been read so far.
    type Partial: Default;

    /// Reads the value of the member `name` into `partial`. Returns false if neither this structure
    /// nor one of its groups has a member of this name.
    ///
    /// # Errors
    /// The value has a wrong type or violates the constraints of the member.
    fn take<'de, A: MapAccess<'de>>(
        partial: &mut Self::Partial,
        name: &[u8],
        map: &mut A,
    ) -> Result<bool, A::Error>;

    /// Builds the structure from the members that were read. Returns `None` if a required member is
    /// missing.
    fn finish(partial: Self::Partial) -> Option<Self>;
}

/// Reads a structure with the methods of its [`Structure`] implementation.
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
                // The value of an unknown member is read, too, so that a malformed value makes the
                // whole body malformed.
                map.next_value::<Node>()?;
            }
        }
        T::finish(partial).ok_or_else(|| de::Error::custom("a required member is missing"))
    }
}
