//! Reading structures member by member.

use super::name::Name;
use super::node::Node;
use super::shape::Field;
use serde::Deserializer;
use serde::de::{self, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A structure that is read member by member, so that structures can share groups of members.
/// serde's `flatten` would buffer the members and lose the format.
pub(crate) trait Structure: Sized {
    /// The members and groups, in the order in which messages name them.
    const FIELDS: &'static [Field];
    /// The members read so far.
    type Partial: Default;

    /// Reads the value of the member `name`. False if neither this structure nor one of its groups
    /// has that member.
    ///
    /// # Errors
    /// When the member does not take the value.
    fn take<'de, A: MapAccess<'de>>(
        partial: &mut Self::Partial,
        name: &[u8],
        map: &mut A,
    ) -> Result<bool, A::Error>;

    /// The finished structure; none if a required member is missing.
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
                // Read as a node, not skipped: a malformed value makes the whole body malformed.
                map.next_value::<Node>()?;
            }
        }
        T::finish(partial).ok_or_else(|| de::Error::custom("a required member is missing"))
    }
}
