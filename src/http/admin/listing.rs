//! Lists of all items of a kind, for minikin's own paths.

use serde_json::Value;
use std::sync::Arc;

/// Maximum number of items that one call reads while it holds a lock.
const PAGE: usize = 1_000;

/// Reads a whole list in pages, and returns the overviews of its items. `page` returns the items
/// after a name, at most the given number, and true if more items follow.
pub(super) fn every_page<T>(
    page: impl Fn(Option<&str>, usize) -> (Vec<Arc<T>>, bool),
    name: impl Fn(&T) -> String,
    overview: impl Fn(&T) -> Value,
) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let (items, more) = page(after.as_deref(), PAGE);
        all.extend(items.iter().map(|item| overview(item)));
        after = items.last().map(|item| name(item));
        if !more {
            return all;
        }
    }
}
