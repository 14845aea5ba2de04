//! Reads complete lists of streams, queues or channels for minikin's own paths.

use serde_json::Value;
use std::sync::Arc;

/// Maximum number of streams, queues or channels that one call reads while it holds a lock.
const PAGE: usize = 1_000;

/// Reads a complete list of streams, queues or channels page by page, and returns the JSON object
/// that `overview` makes of each item. `page` receives the name of the last item before the page
/// (None for the first page) and a maximum number of items. `page` returns the items of the page,
/// and true if further items follow.
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
