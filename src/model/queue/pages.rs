//! A map from the index of a record to its `Entry`, for the received records of one shard. The map
//! needs little memory.
//!
//! A page of the map covers 64 consecutive indexes. The page consists of a bit map of the indexes
//! that have an entry, and of these entries in the order of their indexes. In a measurement with
//! many neighbouring records in flight, the map took half the memory of a `BTreeMap` of entries. A
//! page with a single entry takes about 100 bytes.

use super::entry::Entry;
use std::collections::BTreeMap;

/// A map from the index of a record to its [`Entry`].
#[derive(Debug, Clone, Default)]
pub(super) struct Pages {
    pages: BTreeMap<u64, Page>,
    len: usize,
}

#[derive(Debug, Clone, Default)]
struct Page {
    present: u64,
    entries: Vec<Entry>,
}

/// Number of indexes that a page covers.
const WIDTH: u64 = 64;
/// Number of entries by which the capacity of a page grows. A small number wastes little memory.
const GROWTH: usize = 8;

impl Pages {
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, index: u64) -> Option<&Entry> {
        let page = self.pages.get(&(index / WIDTH))?;
        page.position(index).map(|at| &page.entries[at])
    }

    pub(super) fn get_mut(&mut self, index: u64) -> Option<&mut Entry> {
        let page = self.pages.get_mut(&(index / WIDTH))?;
        page.position(index).map(|at| &mut page.entries[at])
    }

    /// Sets the entry of the record at `index`, and returns the record's previous entry.
    pub(super) fn insert(&mut self, index: u64, entry: Entry) -> Option<Entry> {
        let page = self.pages.entry(index / WIDTH).or_default();
        if let Some(at) = page.position(index) {
            return Some(std::mem::replace(&mut page.entries[at], entry));
        }
        if page.entries.len() == page.entries.capacity() {
            page.entries.reserve_exact(GROWTH);
        }
        page.entries.insert(page.rank(index), entry);
        page.present |= bit(index);
        self.len += 1;
        None
    }

    pub(super) fn remove(&mut self, index: u64) -> Option<Entry> {
        let page = self.pages.get_mut(&(index / WIDTH))?;
        let at = page.position(index)?;
        let entry = page.entries.remove(at);
        page.present &= !bit(index);
        self.len -= 1;
        if page.entries.is_empty() {
            self.pages.remove(&(index / WIDTH));
        } else if page.entries.len() + 2 * GROWTH <= page.entries.capacity() {
            page.entries.shrink_to(page.entries.len() + GROWTH);
        }
        Some(entry)
    }

    /// Returns the smallest index that has an entry, and this entry.
    pub(super) fn first(&self) -> Option<(u64, &Entry)> {
        let (number, page) = self.pages.first_key_value()?;
        let index = number * WIDTH + u64::from(page.present.trailing_zeros());
        Some((index, &page.entries[0]))
    }

    /// Returns all entries with their indexes, in the order of the indexes.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Entry)> {
        let pages = self.pages.iter();
        pages.flat_map(|(number, page)| page.iter(*number))
    }

    /// Returns the entries with the index `index` or a larger index, in the order of their indexes.
    pub(super) fn iter_from(&self, index: u64) -> impl Iterator<Item = (u64, &Entry)> {
        let pages = self.pages.range(index / WIDTH..);
        let entries = pages.flat_map(|(number, page)| page.iter(*number));
        entries.skip_while(move |(at, _)| *at < index)
    }

    /// Estimates the number of bytes that the map takes on the heap. Nodes of the `BTreeMap` are
    /// counted as half full.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        let entries: usize = self.pages.values().map(|p| p.entries.capacity()).sum();
        entries * size_of::<Entry>() + self.pages.len() * 2 * (8 + size_of::<Page>())
    }
}

fn bit(index: u64) -> u64 {
    1 << (index % WIDTH)
}

impl Page {
    /// Returns the entries of this page with their indexes. `number` is the number of the page: the
    /// indexes of page 0 are 0 to 63, and so on.
    fn iter(&self, number: u64) -> impl Iterator<Item = (u64, &Entry)> {
        let bits = (0..WIDTH).filter(|at| self.present >> at & 1 == 1);
        bits.map(move |at| number * WIDTH + at).zip(&self.entries)
    }

    /// Number of entries in this page whose indexes are smaller than `index`.
    fn rank(&self, index: u64) -> usize {
        (self.present & (bit(index) - 1)).count_ones() as usize
    }

    fn position(&self, index: u64) -> Option<usize> {
        (self.present & bit(index) != 0).then(|| self.rank(index))
    }
}
