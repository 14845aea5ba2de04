//! The list of all mappings of an emulator.

use super::mapping::Mapping;
use crate::lock::Lock;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The mappings, keyed by their numbers. The numbers are in the order of creation.
#[derive(Debug, Default)]
pub(super) struct Mappings(pub(super) Lock<BTreeMap<u64, Arc<Mapping>>>);

impl Mappings {
    pub(super) fn all(&self) -> Vec<Arc<Mapping>> {
        self.0.lock().values().cloned().collect()
    }

    pub(super) fn forget(&self, mapping: &Mapping) {
        let mut mappings = self.0.lock();
        let found = mappings.get(&mapping.number);
        // After the load of a snapshot, the number may belong to another mapping, which must stay
        // in the list.
        if found.is_some_and(|found| std::ptr::eq(&raw const **found, mapping)) {
            mappings.remove(&mapping.number);
        }
    }
}
