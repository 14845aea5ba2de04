//! The list of all mappings of an emulator.

use super::mapping::Mapping;
use crate::lock::Lock;
use crate::model::AccountRegion;
use crate::model::event_source::{FunctionArn, Refusal, Source};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// The mappings, keyed by their numbers. The numbers are in the order of creation.
#[derive(Debug, Default)]
pub(super) struct Mappings(pub(super) Lock<BTreeMap<u64, Arc<Mapping>>>);

impl Mappings {
    pub(super) fn all(&self) -> Vec<Arc<Mapping>> {
        self.0.lock().values().cloned().collect()
    }

    pub(super) fn find(&self, uuid: &Uuid) -> Option<Arc<Mapping>> {
        let mappings = self.0.lock();
        let found = mappings.values().find(|mapping| mapping.uuid == *uuid);
        found.cloned()
    }

    /// Finds the mapping of `source` in the account and region `scope` that invokes `function`.
    pub(super) fn find_twin(
        &self,
        scope: &AccountRegion,
        source: &Source,
        function: &FunctionArn,
    ) -> Option<Arc<Mapping>> {
        let is_twin = |mapping: &&Arc<Mapping>| {
            mapping.source == *source
                && mapping.scope == *scope
                && mapping.state.lock().plan.function == *function
        };
        self.0.lock().values().find(is_twin).cloned()
    }

    /// Refuses `function` for `mapping` if another mapping of the same source already invokes it.
    pub(super) fn refuse_twin_of(
        &self,
        mapping: &Mapping,
        function: &FunctionArn,
    ) -> Result<(), Refusal> {
        refuse_twin(&mut others(&self.0.lock(), mapping), function)
    }

    pub(super) fn forget(&self, mapping: &Mapping) {
        let mut mappings = self.0.lock();
        let found = mappings.get(&mapping.number);
        // After the load of a snapshot, another mapping may have this number, and this other
        // mapping must stay in the list.
        if found.is_some_and(|found| std::ptr::eq(&raw const **found, mapping)) {
            mappings.remove(&mapping.number);
        }
    }
}

/// The other mappings with the same source as `mapping`, in the same account and region.
pub(super) fn others<'a>(
    mappings: &'a BTreeMap<u64, Arc<Mapping>>,
    mapping: &'a Mapping,
) -> impl Iterator<Item = &'a Arc<Mapping>> {
    mappings.values().filter(|other| {
        other.source == mapping.source && other.scope == mapping.scope && other.uuid != mapping.uuid
    })
}

/// Returns a refusal if one of `mappings` already invokes `function`. All of `mappings` have the
/// same source.
pub(super) fn refuse_twin<'a>(
    mappings: &mut impl Iterator<Item = &'a Arc<Mapping>>,
    function: &FunctionArn,
) -> Result<(), Refusal> {
    let twin = mappings.find(|mapping| mapping.state.lock().plan.function == *function);
    twin.map_or(Ok(()), |twin| {
        let (source, uuid) = (twin.source.to_string(), twin.uuid.to_string());
        Err(Refusal::conflict(&source, &function.name, &uuid))
    })
}
