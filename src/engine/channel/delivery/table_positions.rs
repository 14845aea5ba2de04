//! Converts a channel's positions to and from the text that the channel's table stores. The table
//! commits records and positions together, so the positions in the table are correct even after a
//! crash.

use crate::model::ShardId;
use crate::model::channel::ChannelPosition;
use std::collections::BTreeMap;

type Positions = BTreeMap<ShardId, ChannelPosition>;

/// Returns the positions of a channel as the JSON text that a table stores.
pub(super) fn positions_text(positions: &Positions) -> String {
    let named: BTreeMap<String, &ChannelPosition> = positions
        .iter()
        .map(|(shard, position)| (shard.to_string(), position))
        .collect();
    // A map from texts to positions always has a JSON form.
    serde_json::to_string(&named).unwrap_or_default()
}

/// Returns the positions that a text from a table contains. Returns None if the text is damaged.
pub(super) fn positions_of_text(text: &str) -> Option<Positions> {
    let named: BTreeMap<String, ChannelPosition> = serde_json::from_str(text).ok()?;
    let position = |(name, position): (String, _)| Some((ShardId::parse(&name)?, position));
    named.into_iter().map(position).collect()
}

/// Moves the saved positions of a channel (`positions`) forward to the positions in its table
/// (`committed`). The saved positions are older if a crash happened after a commit of the table and
/// before the save of the new positions was durable. Returns true if a position was moved.
///
/// No position is moved beyond `ends`, which contains the index after the last record of each
/// shard. A crash can lose delivered records that were not durable. New records then get the
/// indexes of the lost records, and the channel must deliver the new records.
pub(super) fn advance_to_committed(
    positions: &mut Positions,
    committed: &Positions,
    ends: &BTreeMap<ShardId, u64>,
) -> bool {
    let mut has_moved = false;
    for (shard, position) in committed {
        let Some(end) = ends.get(shard) else {
            // The stream no longer has the shard and its records.
            continue;
        };
        let next = position.next.min(*end);
        let own = positions.get(shard).map_or(0, |own| own.next);
        if next > own {
            let advanced = ChannelPosition {
                next,
                planned: None,
                finished: position.finished && next == position.next,
            };
            positions.insert(*shard, advanced);
            has_moved = true;
        }
    }
    if has_moved {
        // The table already contains the records of the saved plan, so the channel must not repeat
        // the plan.
        for position in positions.values_mut() {
            position.planned = None;
        }
    }
    has_moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn position(next: u64, planned: Option<u64>, finished: bool) -> ChannelPosition {
        ChannelPosition {
            next,
            planned,
            finished,
        }
    }

    fn positions(values: &[(u32, ChannelPosition)]) -> Positions {
        let positions = values.iter().cloned();
        positions
            .map(|(shard, position)| (ShardId::new(shard), position))
            .collect()
    }

    fn ends(values: &[(u32, u64)]) -> BTreeMap<ShardId, u64> {
        let ends = values.iter();
        ends.map(|(shard, end)| (ShardId::new(*shard), *end))
            .collect()
    }

    #[test]
    fn positions_advance_to_a_commit_that_a_crash_hid() {
        let mut own = positions(&[
            (0, position(5, Some(9), false)),
            (1, position(3, None, false)),
        ]);
        let committed = positions(&[
            (0, position(9, None, true)),
            (1, position(3, None, false)),
            (2, position(4, None, false)),
            (7, position(1, None, false)),
        ]);
        assert!(advance_to_committed(
            &mut own,
            &committed,
            &ends(&[(0, 9), (1, 3), (2, 6)])
        ));
        let expected = [
            (0, position(9, None, true)),
            (1, position(3, None, false)),
            (2, position(4, None, false)),
        ];
        assert_eq!(own, positions(&expected));
    }

    #[test]
    fn a_plan_that_was_not_committed_stays() {
        let before = positions(&[(0, position(5, Some(9), false))]);
        let mut own = before.clone();
        let committed = positions(&[(0, position(5, None, false))]);
        assert!(!advance_to_committed(
            &mut own,
            &committed,
            &ends(&[(0, 20)])
        ));
        assert_eq!(own, before);
    }

    #[test]
    fn records_that_a_crash_lost_do_not_hide_new_ones() {
        let mut own = positions(&[(0, position(5, None, false))]);
        let committed = positions(&[(0, position(12, None, true))]);
        assert!(advance_to_committed(&mut own, &committed, &ends(&[(0, 8)])));
        assert_eq!(own, positions(&[(0, position(8, None, false))]));
    }

    proptest! {
        #[test]
        fn texts_read_back(
            values in prop::collection::btree_map(0_u32..200, (any::<u64>(), any::<bool>()), 0..9),
        ) {
            let values: Vec<_> = values
                .into_iter()
                .map(|(shard, (next, finished))| (shard, position(next, None, finished)))
                .collect();
            let positions = positions(&values);
            let text = positions_text(&positions);
            prop_assert_eq!(positions_of_text(&text), Some(positions));
        }
    }
}
