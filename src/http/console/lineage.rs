//! The layout of the drawing of a stream's shards: hash keys from top to bottom, and time from left
//! to right.
//!
//! A shard is a rectangle. The left edge of the rectangle is at the time of the shard's creation,
//! and the right edge is at the time when the shard's children were created. The drawing therefore
//! shows splits and merges.
//!
//! A column begins at each moment at which shards were created. All columns except the last have
//! the same width, because shards are often split within seconds and then stay unchanged for days.
//!
//! A row begins at each bound of a hash key range. A row is high enough for its text, unless there
//! are many rows. A row with more hash keys is higher.

use crate::model::{HashKey, Shard, ShardId};
use std::collections::BTreeSet;

/// Height of a row in pixels, without the part of `SHARED` that is added to it. The height is
/// smaller if the rows together would otherwise exceed `HIGHEST`.
const ROW: f64 = 18.0;
/// Height in pixels that is divided among all rows, in proportion to the number of hash keys in
/// each row. A row with more hash keys is therefore higher.
const SHARED: f64 = 120.0;
/// Largest height of all rows together in pixels, without `SHARED`. With many rows, each row is
/// lower than `ROW`, so that all rows together have this height.
const HIGHEST: f64 = 3_000.0;
/// Smallest height of a row in pixels, without `SHARED`. It applies even if all rows together then
/// exceed `HIGHEST`.
const LEAST_ROW: f64 = 2.0;
/// Largest total width in pixels of the columns before the last column.
const WIDE: f64 = 760.0;
/// Largest width in pixels of a column other than the last column.
const COLUMN: f64 = 190.0;
/// Smallest width of a column in pixels. It applies even if all columns together then exceed
/// `WIDE`.
const LEAST_COLUMN: f64 = 4.0;
/// Width in pixels of the last column, in which the rectangles of the open shards end.
pub(super) const LAST: f64 = 420.0;

/// The rectangle of a shard in the drawing, in pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    pub(super) id: ShardId,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) is_open: bool,
    /// The part of all hash keys that is in the shard's range, as a fraction from 0 to 1.
    pub(super) share: f64,
}

/// The layout of a drawing: its size in pixels, its rectangles and its columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) cells: Vec<Cell>,
    /// The columns: the left edge of each column in pixels, and the time that this edge stands for,
    /// in seconds since 1970.
    pub(super) columns: Vec<(f64, u64)>,
}

/// The rows of a drawing: the first hash key of each row, and the edges of the rows from the top
/// down, in pixels.
struct Rows {
    starts: Vec<u128>,
    edges: Vec<f64>,
}

impl Rows {
    fn of(shards: &[Shard]) -> Self {
        let mut starts = BTreeSet::new();
        for shard in shards {
            starts.insert(shard.hash_key_range.start.value());
            starts.extend(shard.hash_key_range.end.after().map(HashKey::value));
        }
        let starts: Vec<u128> = starts.into_iter().collect();
        let row = (HIGHEST / starts.len().max(1) as f64).clamp(LEAST_ROW, ROW);
        let mut edges = vec![0.0];
        for (at, start) in starts.iter().enumerate() {
            let end = starts.get(at + 1).copied().unwrap_or(u128::MAX);
            let share = (end - start) as f64 / u128::MAX as f64;
            edges.push(edges[at] + row + share * SHARED);
        }
        Self { starts, edges }
    }

    /// The upper edge of the row that begins at `key`, in pixels. If `key` is None, the lower edge
    /// of the last row.
    fn edge(&self, key: Option<HashKey>) -> f64 {
        let row = key.map_or(self.starts.len(), |key| {
            self.starts.partition_point(|start| *start < key.value())
        });
        self.edges[row]
    }

    fn height(&self) -> f64 {
        self.edges[self.starts.len()]
    }
}

/// Computes the layout of the drawing of `shards`.
pub(super) fn layout(shards: &[Shard]) -> Layout {
    let rows = Rows::of(shards);
    let times: BTreeSet<u64> = shards.iter().map(|shard| shard.created_s).collect();
    let times: Vec<u64> = times.into_iter().collect();
    let narrow = times.len().saturating_sub(1);
    let column = (WIDE / narrow.max(1) as f64).clamp(LEAST_COLUMN, COLUMN);
    let width = narrow as f64 * column + LAST;
    let column_of = |time: u64| times.partition_point(|moment| *moment < time) as f64 * column;
    let cell = |shard: &Shard| {
        let range = shard.hash_key_range;
        let (x, y) = (column_of(shard.created_s), rows.edge(Some(range.start)));
        // The children of a shard are created a second after the shard is closed. If the children
        // are not in `shards`, the rectangle of the shard extends to the right edge of the drawing.
        let right = shard.closed_s.map_or(width, |closed_s| {
            let first = times.partition_point(|moment| *moment <= closed_s);
            if first == times.len() {
                width
            } else {
                first as f64 * column
            }
        });
        Cell {
            id: shard.id,
            x,
            y,
            width: right - x,
            height: rows.edge(range.end.after()) - y,
            is_open: shard.is_open(),
            share: share(shard),
        }
    };
    Layout {
        width,
        height: rows.height(),
        cells: shards.iter().map(cell).collect(),
        columns: times.iter().map(|time| (column_of(*time), *time)).collect(),
    }
}

/// The part of all hash keys that is in a shard's range, as a fraction from 0 to 1.
pub(super) fn share(shard: &Shard) -> f64 {
    let range = shard.hash_key_range;
    (range.end.value() - range.start.value()) as f64 / u128::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{merge, split};

    /// Makes the first `count` shards of a stream. All of them are created at second 100.
    fn initial(count: u32) -> Vec<Shard> {
        Shard::initial(count, 100)
    }

    fn middle(shard: &Shard) -> HashKey {
        let range = shard.hash_key_range;
        HashKey::new(range.start.value() + (range.end.value() - range.start.value()) / 2)
    }

    /// Splits the shard with index `at` at second `closed_s`.
    fn split_at(shards: &mut Vec<Shard>, at: usize, closed_s: u64) {
        let next = shards.len() as u32;
        let ids = [ShardId::new(next), ShardId::new(next + 1)];
        let parts = split(&shards[at], middle(&shards[at]), ids, closed_s);
        shards[at] = parts.closed[0].clone();
        shards.extend(parts.opened);
    }

    /// Fails if the rectangles of two shards overlap, or if a rectangle has no area.
    fn check(layout: &Layout) {
        for (at, one) in layout.cells.iter().enumerate() {
            assert!(one.width > 0.0 && one.height > 0.0, "{one:?}");
            assert!(one.x + one.width <= layout.width + 0.01, "{one:?}");
            assert!(one.y + one.height <= layout.height + 0.01, "{one:?}");
            for other in &layout.cells[at + 1..] {
                let across =
                    one.x < other.x + other.width - 0.01 && other.x < one.x + one.width - 0.01;
                let along =
                    one.y < other.y + other.height - 0.01 && other.y < one.y + one.height - 0.01;
                assert!(!(across && along), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn new_shards_stand_in_one_column_in_the_order_of_their_keys() {
        let layout = layout(&initial(4));
        check(&layout);
        assert_eq!(layout.columns, [(0.0, 100)]);
        assert!(
            layout
                .cells
                .iter()
                .all(|cell| cell.x == 0.0 && cell.is_open)
        );
        assert!(layout.cells.windows(2).all(|two| two[0].y < two[1].y));
        let shares: f64 = layout.cells.iter().map(|cell| cell.share).sum();
        assert!((shares - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_split_shard_ends_where_its_children_begin() {
        let mut shards = initial(2);
        split_at(&mut shards, 0, 200);
        let layout = layout(&shards);
        check(&layout);
        let [parent, other, lower, upper] = &layout.cells[..] else {
            panic!("{layout:?}");
        };
        assert!(!parent.is_open && other.is_open);
        assert_eq!(parent.x + parent.width, lower.x);
        assert_eq!((lower.x, lower.y), (upper.x, parent.y));
        assert_eq!(upper.y + upper.height, parent.y + parent.height);
        assert_eq!(other.width, layout.width);
    }

    #[test]
    fn a_merged_shard_is_as_high_as_its_parents() {
        let mut shards = initial(3);
        let merged = merge(&shards[0], &shards[1], ShardId::new(3), 300);
        shards[..2].clone_from_slice(&merged.closed);
        shards.extend(merged.opened);
        let layout = layout(&shards);
        check(&layout);
        let (first, second, child) = (&layout.cells[0], &layout.cells[1], &layout.cells[3]);
        assert_eq!(
            (child.y, child.height),
            (first.y, first.height + second.height)
        );
        assert_eq!(child.x, first.x + first.width);
    }

    #[test]
    fn a_hundred_shards_have_rows_that_can_be_read() {
        let layout = layout(&initial(100));
        check(&layout);
        assert!(layout.cells.iter().all(|cell| cell.height >= 12.0));
    }

    #[test]
    fn many_splits_stay_bounded() {
        let mut shards = initial(1);
        for at in 0..200 {
            let newest = shards.len() - 1;
            split_at(&mut shards, newest, 1_000 + at * 10);
            if middle(&shards[shards.len() - 1]) == shards[shards.len() - 1].hash_key_range.start {
                break;
            }
        }
        let layout = layout(&shards);
        check(&layout);
        assert!(
            layout.width < 1_500.0 && layout.height < 3_500.0,
            "{layout:?}"
        );
    }

    #[test]
    fn shards_whose_parents_have_expired_are_drawn() {
        let mut shards = initial(2);
        split_at(&mut shards, 1, 200);
        shards.remove(1);
        let layout = layout(&shards);
        check(&layout);
        assert_eq!(layout.cells.len(), 3);
    }
}
