//! Shards, and the shards that result from a split or a merge.

use super::hash_key::{HashKey, HashKeyRange};
use super::sequence_number::SequenceNumber;
use super::shard_id::ShardId;

/// One shard of a stream (`Shard` in the service model).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    pub id: ShardId,
    pub hash_key_range: HashKeyRange,
    /// The creation time in seconds since 1970. This time is a part of every sequence number of the
    /// shard.
    pub created_s: u64,
    /// The time in seconds since 1970 at which a split or merge closed the shard. `None` while the
    /// shard is open.
    pub closed_s: Option<u64>,
    /// `ParentShardId`: the shard that was split, or the lower of the two shards that were merged.
    /// `None` for a shard that was created with the stream.
    pub parent: Option<ShardId>,
    /// `AdjacentParentShardId`: the upper of the two shards that were merged. `None` for a shard
    /// that no merge created.
    pub adjacent_parent: Option<ShardId>,
}

impl Shard {
    /// Creates the `count` shards of a new stream. `created_s` is their creation time in seconds
    /// since 1970.
    pub fn initial(count: u32, created_s: u64) -> Vec<Self> {
        HashKeyRange::uniform(count)
            .zip(0..)
            .map(|(range, index)| Self::opened(ShardId::new(index), range, created_s))
            .collect()
    }

    fn opened(id: ShardId, hash_key_range: HashKeyRange, created_s: u64) -> Self {
        let (closed_s, parent, adjacent_parent) = (None, None, None);
        Self {
            id,
            hash_key_range,
            created_s,
            closed_s,
            parent,
            adjacent_parent,
        }
    }

    /// `StartingSequenceNumber`, which is below the sequence number of every record in the shard.
    pub const fn starting_sequence_number(&self) -> SequenceNumber {
        SequenceNumber::first_of(self.created_s, self.id.index())
    }

    /// `EndingSequenceNumber`, which is above the sequence number of every record in the shard.
    /// `None` while the shard is open.
    pub fn ending_sequence_number(&self) -> Option<SequenceNumber> {
        let closed_s = self.closed_s?;
        Some(SequenceNumber::last_of(
            self.created_s,
            self.id.index(),
            closed_s,
        ))
    }

    /// True if the shard has neither been split nor merged.
    pub const fn is_open(&self) -> bool {
        self.closed_s.is_none()
    }

    /// True if SplitShard accepts `key` as NewStartingHashKey. The service requires a key that is
    /// greater than the shard's first hash key plus one, and less than its last hash key.
    pub fn can_split_at(&self, key: HashKey) -> bool {
        let HashKeyRange { start, end } = self.hash_key_range;
        start.after().is_some_and(|second| second < key) && key < end
    }

    /// True if `next` may be the AdjacentShardToMerge of this shard, because the range of `next`
    /// begins just after this shard's range. MergeShards does not accept the two shards in reverse
    /// order.
    pub fn can_merge_with(&self, next: &Self) -> bool {
        self.hash_key_range.is_followed_by(&next.hash_key_range)
    }
}

/// The shards that a split or a merge changes. The caller applies all changes in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resharding {
    /// The parents, which are closed now.
    pub closed: Vec<Shard>,
    /// The children in the order of their ids. Their creation time is one second after the time at
    /// which the parents closed.
    pub opened: Vec<Shard>,
}

/// Splits `parent` into two children. `key` is the first hash key of the upper child, and `ids` are
/// the ids of the lower and the upper child. The parent closes at `closed_s` (seconds since 1970),
/// but not before its creation time.
///
/// # Panics
/// Panics when the parent is closed, or when a child would have no hash keys.
pub(crate) fn split(parent: &Shard, key: HashKey, ids: [ShardId; 2], closed_s: u64) -> Resharding {
    let HashKeyRange { start, end } = parent.hash_key_range;
    assert!(
        start < key && key <= end,
        "both children of a split have keys"
    );
    let below = key.before().expect("a key above another has one before it");
    let ranges = [
        HashKeyRange { start, end: below },
        HashKeyRange { start: key, end },
    ];
    let closed_s = closed_s.max(parent.created_s);
    let child = |(id, range)| Shard {
        parent: Some(parent.id),
        ..Shard::opened(id, range, closed_s + 1)
    };
    Resharding {
        closed: vec![closed(parent, closed_s)],
        opened: ids.into_iter().zip(ranges).map(child).collect(),
    }
}

/// Merges `lower` (ShardToMerge) and `upper` (AdjacentShardToMerge) into one child with id `id`.
/// Both parents close at `closed_s` (seconds since 1970), but not before the later of their
/// creation times.
///
/// # Panics
/// Panics when a parent is closed, or when the range of `upper` does not begin just after the range
/// of `lower`.
pub(crate) fn merge(lower: &Shard, upper: &Shard, id: ShardId, closed_s: u64) -> Resharding {
    assert!(
        lower.can_merge_with(upper),
        "merged shards are neighbours, the lower one first"
    );
    let (start, end) = (lower.hash_key_range.start, upper.hash_key_range.end);
    let closed_s = closed_s.max(lower.created_s).max(upper.created_s);
    let child = Shard {
        parent: Some(lower.id),
        adjacent_parent: Some(upper.id),
        ..Shard::opened(id, HashKeyRange { start, end }, closed_s + 1)
    };
    Resharding {
        closed: vec![closed(lower, closed_s), closed(upper, closed_s)],
        opened: vec![child],
    }
}

fn closed(shard: &Shard, closed_s: u64) -> Shard {
    assert!(shard.is_open(), "a shard is split or merged once");
    Shard {
        closed_s: Some(closed_s),
        ..shard.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW_S: u64 = 1_700_000_000;

    fn apply(shards: &mut Vec<Shard>, resharding: Resharding) {
        for closed in resharding.closed {
            let index = closed.id.index() as usize;
            shards[index] = closed;
        }
        shards.extend(resharding.opened);
    }

    #[test]
    fn the_first_shards_have_no_parents() {
        let shards = Shard::initial(2, NOW_S);
        assert_eq!(shards[1].id, ShardId::new(1));
        assert_eq!((shards[1].parent, shards[1].adjacent_parent), (None, None));
        assert!(shards.iter().all(Shard::is_open));
        assert_eq!(
            shards[1].starting_sequence_number().to_string(),
            "49646437577130777162115407028967465143858078037781250066"
        );
        assert_eq!(shards[1].ending_sequence_number(), None);
    }

    #[test]
    fn a_split_closes_the_parent_one_second_before_its_children_begin() {
        let shards = Shard::initial(1, NOW_S);
        let key = HashKey::new(1000);
        let done = split(
            &shards[0],
            key,
            [ShardId::new(1), ShardId::new(2)],
            NOW_S + 60,
        );
        let [parent] = &done.closed[..] else {
            panic!("{done:?}")
        };
        let [lower, upper] = &done.opened[..] else {
            panic!("{done:?}")
        };
        assert_eq!(
            parent.ending_sequence_number(),
            Some(SequenceNumber::last_of(NOW_S, 0, NOW_S + 60))
        );
        assert_eq!(
            lower.starting_sequence_number(),
            SequenceNumber::first_of(NOW_S + 61, 1)
        );
        assert_eq!(
            upper.starting_sequence_number(),
            SequenceNumber::first_of(NOW_S + 61, 2)
        );
        let below = HashKey::new(999);
        assert_eq!(
            lower.hash_key_range,
            HashKeyRange {
                start: HashKey::MIN,
                end: below
            }
        );
        assert_eq!(
            upper.hash_key_range,
            HashKeyRange {
                start: key,
                end: HashKey::MAX
            }
        );
        assert_eq!(
            (lower.parent, lower.adjacent_parent),
            (Some(ShardId::new(0)), None)
        );
        assert_eq!(
            (upper.parent, upper.adjacent_parent),
            (Some(ShardId::new(0)), None)
        );
    }

    #[test]
    fn a_merge_names_both_parents() {
        let shards = Shard::initial(2, NOW_S);
        let done = merge(&shards[0], &shards[1], ShardId::new(2), NOW_S + 5);
        let [child] = &done.opened[..] else {
            panic!("{done:?}")
        };
        assert_eq!(child.hash_key_range, HashKeyRange::ALL);
        assert_eq!(child.parent, Some(ShardId::new(0)));
        assert_eq!(child.adjacent_parent, Some(ShardId::new(1)));
        assert_eq!(child.created_s, NOW_S + 6);
        assert!(
            done.closed
                .iter()
                .all(|parent| parent.closed_s == Some(NOW_S + 5))
        );
        assert!(!shards[1].can_merge_with(&shards[0]));
    }

    #[test]
    fn a_shard_does_not_end_before_it_begins() {
        let shards = Shard::initial(2, NOW_S);
        let done = merge(&shards[0], &shards[1], ShardId::new(2), NOW_S - 5);
        assert_eq!(done.closed[0].closed_s, Some(NOW_S));
        let ids = [ShardId::new(3), ShardId::new(4)];
        let again = split(&done.opened[0], HashKey::new(9), ids, NOW_S);
        assert_eq!(again.closed[0].closed_s, Some(NOW_S + 1));
        assert_eq!(again.opened[0].created_s, NOW_S + 2);
    }

    #[test]
    fn the_smallest_key_to_split_the_first_shard_at_is_two() {
        let shard = &Shard::initial(1, NOW_S)[0];
        for (key, allowed) in [
            (HashKey::MIN, false),
            (HashKey::new(1), false),
            (HashKey::new(2), true),
            (HashKey::new(u128::MAX - 1), true),
            (HashKey::MAX, false),
        ] {
            assert_eq!(shard.can_split_at(key), allowed, "{key}");
        }
    }

    /// Splits a shard or merges two shards, as `choice` selects. Does nothing if `choice` is not
    /// valid.
    fn step(shards: &mut Vec<Shard>, choice: (usize, bool, u128), now_s: u64) {
        let (pick, splits, key) = choice;
        let mut open: Vec<Shard> = shards
            .iter()
            .filter(|shard| shard.is_open())
            .cloned()
            .collect();
        open.sort_by_key(|shard| shard.hash_key_range.start);
        let next = ShardId::new(shards.len() as u32);
        let shard = &open[pick % open.len()];
        let HashKeyRange { start, end } = shard.hash_key_range;
        let width = end.value() - start.value();
        let key = HashKey::new(start.value() + key.checked_rem(width).unwrap_or(0) + 1);
        if splits && shard.can_split_at(key) {
            let done = split(shard, key, [next, next.next()], now_s);
            apply(shards, done);
        } else if let Some(upper) = open.iter().find(|upper| shard.can_merge_with(upper)) {
            let done = merge(shard, upper, next, now_s);
            apply(shards, done);
        }
    }

    proptest! {
        #[test]
        fn open_shards_cover_every_key_once_whatever_was_split_and_merged(
            count in 1_u32..6,
            choices in proptest::collection::vec((0_usize..64, any::<bool>(), any::<u128>()), 0..40),
            key: u128,
        ) {
            let mut shards = Shard::initial(count, NOW_S);
            for (choice, now_s) in choices.into_iter().zip(NOW_S..) {
                step(&mut shards, choice, now_s);
            }
            let mut open: Vec<_> = shards.iter().filter(|shard| shard.is_open()).collect();
            open.sort_by_key(|shard| shard.hash_key_range.start);
            prop_assert_eq!(open[0].hash_key_range.start, HashKey::MIN);
            prop_assert_eq!(open[open.len() - 1].hash_key_range.end, HashKey::MAX);
            prop_assert!(open.windows(2).all(|pair| pair[0].can_merge_with(pair[1])));
            let key = HashKey::new(key);
            let owners = open.iter().filter(|shard| shard.hash_key_range.contains(key)).count();
            prop_assert_eq!(owners, 1);
            for (shard, index) in shards.iter().zip(0..) {
                prop_assert_eq!(shard.id.index(), index);
                for parent in [shard.parent, shard.adjacent_parent].into_iter().flatten() {
                    let closed_s = shards[parent.index() as usize].closed_s;
                    prop_assert_eq!(closed_s, Some(shard.created_s - 1));
                }
                let start = shard.starting_sequence_number();
                prop_assert!(shard.ending_sequence_number().is_none_or(|end| start < end));
            }
        }
    }
}
