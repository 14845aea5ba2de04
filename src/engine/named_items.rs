//! The queues or the channels of one account in one region, by name and by id.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

/// A queue or a channel, which [`NamedItems`] finds by its name or id.
pub(super) trait Named {
    /// The name that the client gave, which is unique in an account and region.
    fn name(&self) -> &Arc<str>;

    /// The id in the ARN of the queue or channel. The id is unique in an account and region.
    fn id(&self) -> &Arc<str>;

    /// Incarnation number of the queue or channel.
    fn incarnation(&self) -> u64;
}

/// Queues or channels, by name and by id.
#[derive(Debug)]
pub(super) struct NamedItems<T> {
    by_name: BTreeMap<Arc<str>, Arc<T>>,
    by_id: HashMap<Arc<str>, Arc<T>>,
}

impl<T> Default for NamedItems<T> {
    fn default() -> Self {
        Self {
            by_name: BTreeMap::new(),
            by_id: HashMap::new(),
        }
    }
}

impl<T: Named> NamedItems<T> {
    /// Number of queues or channels that the account has in the region.
    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// All queues or channels of the account in the region, in the order of their names.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<T>> {
        self.by_name.values()
    }

    /// Finds a queue or channel by the id in its ARN.
    pub(super) fn with_id(&self, id: &str) -> Option<&Arc<T>> {
        self.by_id.get(id)
    }

    /// Finds a queue or channel by its name.
    pub(super) fn with_name(&self, name: &str) -> Option<&Arc<T>> {
        self.by_name.get(name)
    }

    /// Returns up to `page` queues or channels, in the order of their names. Returns only items
    /// with a name greater than `after` for which `wanted` returns true. The second value is true
    /// if more such items follow.
    pub(super) fn list(
        &self,
        after: Option<&str>,
        page: usize,
        wanted: impl Fn(&T) -> bool,
    ) -> (Vec<Arc<T>>, bool) {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let later = self.by_name.range::<str, _>((start, Bound::Unbounded));
        let mut later = later.map(|(_, item)| item).filter(|item| wanted(item));
        let shown = later.by_ref().take(page).cloned().collect();
        (shown, later.next().is_some())
    }

    /// Adds a queue or channel. If another queue or channel has the same name or id, adds nothing
    /// and returns false.
    pub(super) fn insert(&mut self, item: &Arc<T>) -> bool {
        if self.by_name.contains_key(item.name()) || self.by_id.contains_key(item.id()) {
            return false;
        }
        self.by_name.insert(item.name().clone(), item.clone());
        self.by_id.insert(item.id().clone(), item.clone());
        true
    }

    /// Removes a queue or channel. Returns false if the account does not have this queue or
    /// channel. For example, the load of a snapshot may have replaced it by another one with the
    /// same name and id.
    pub(super) fn remove(&mut self, item: &T) -> bool {
        let found = self.by_id.get(item.id());
        if found.is_none_or(|found| found.incarnation() != item.incarnation()) {
            return false;
        }
        self.by_name.remove(item.name());
        self.by_id.remove(item.id());
        true
    }
}
