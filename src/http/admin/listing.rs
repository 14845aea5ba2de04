//! The lists of minikin's own paths.

use serde_json::Value;
use std::sync::Arc;

/// Maximum number of items that are listed under one hold of the lock.
const PAGE: usize = 1_000;

/// The overviews of all items of a list. `page` gives the items after a name, up to a number, and
/// says whether there are more.
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
