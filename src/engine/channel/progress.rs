//! The progress of a channel: its positions in the shards, which survive a restart.

use crate::model::ShardId;
use crate::model::channel::ChannelPosition;
use crate::store::Change;
use std::collections::BTreeMap;

/// The part of a channel's state that its deliveries change. The progress survives a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ChannelProgress {
    /// The positions in the shards that existed when the channel became ACTIVE, and in the shards
    /// whose records the channel has delivered since then. The delivery from a shard without a
    /// position begins at the first record of the shard.
    pub(crate) positions: BTreeMap<ShardId, ChannelPosition>,
    /// Name of the newest metadata file of the channel's table. None if the channel has no table.
    pub(crate) table_metadata: Option<String>,
}

impl ChannelProgress {
    /// Returns the catalog changes that replace the saved positions `before` of a channel by the
    /// positions in `self`. `incarnation` is the incarnation number of the channel.
    pub(super) fn changes_since(&self, before: &Self, incarnation: u64) -> Vec<Change> {
        let change = |shard: &ShardId, value: Option<&ChannelPosition>| {
            Change::ChannelPosition((incarnation, shard.index()), value.cloned())
        };
        let (old, new) = (&before.positions, &self.positions);
        let removed = old.keys().filter(|shard| !new.contains_key(shard));
        let removed = removed.map(|shard| change(shard, None));
        let changed = new.iter();
        let changed = changed.filter(|(shard, position)| old.get(shard) != Some(position));
        let changed = changed.map(|(shard, position)| change(shard, Some(position)));
        removed.chain(changed).collect()
    }

    /// The catalog changes that save all positions of the channel with this incarnation number.
    pub(super) fn saved(&self, incarnation: u64) -> Vec<Change> {
        self.changes_since(&Self::default(), incarnation)
    }

    /// The catalog changes that remove all positions of the channel with this incarnation number.
    pub(super) fn removed(&self, incarnation: u64) -> Vec<Change> {
        Self::default().changes_since(self, incarnation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(positions: &[(u32, u64)]) -> ChannelProgress {
        let positions = positions.iter();
        let position = |(shard, next): &(u32, u64)| {
            let position = ChannelPosition::at_end(*next, true);
            (ShardId::new(*shard), position)
        };
        ChannelProgress {
            positions: positions.map(position).collect(),
            table_metadata: None,
        }
    }

    fn shards(changes: &[Change]) -> Vec<(u32, Option<u64>)> {
        let shard = |change: &Change| match change {
            Change::ChannelPosition((7, shard), value) => {
                (*shard, value.as_ref().map(|position| position.next))
            }
            other => panic!("{other:?}"),
        };
        changes.iter().map(shard).collect()
    }

    #[test]
    fn only_positions_that_differ_are_saved() {
        let (before, after) = (at(&[(0, 5), (1, 5), (2, 5)]), at(&[(1, 5), (2, 6), (3, 0)]));
        let changes = shards(&after.changes_since(&before, 7));
        assert_eq!(changes, [(0, None), (2, Some(6)), (3, Some(0))]);
        assert_eq!(after.changes_since(&after, 7), []);
        assert_eq!(
            shards(&after.saved(7)),
            [(1, Some(5)), (2, Some(6)), (3, Some(0))]
        );
        assert_eq!(shards(&after.removed(7)), [(1, None), (2, None), (3, None)]);
    }
}
