//! UpdateShardCount: one pass over the open shards, from the lowest hash key to the highest. The
//! pass splits and merges shards until the open shards have the hash key ranges of a new stream
//! with the wanted number of shards.

use super::hash_key::HashKeyRange;
use super::shard::{Resharding, Shard, merge, split};
use super::shard_id::ShardId;
use std::collections::{BTreeMap, VecDeque};

/// The largest distance, in hash keys, at which two ends of hash key ranges count as equal. The
/// tolerance keeps rounding from producing tiny shards. Its value, 10^-10 of the number of all hash
/// keys, is a choice.
const TOLERANCE: u128 = u128::MAX / 10_000_000_000;

/// Scales a stream to `count` shards. `open` lists the stream's open shards. The ids of the new
/// shards begin at `next`. The first shards to be split or merged close at `closed_s`, in seconds
/// since 1970.
///
/// Returns the final state of every shard that was closed or created. Some of the created shards
/// may be closed in this state, because a later step of the scaling split or merged them.
pub(crate) fn scale(open: &[Shard], next: ShardId, count: u32, closed_s: u64) -> Vec<Shard> {
    let mut queue: Vec<Shard> = open.to_vec();
    queue.sort_by_key(|shard| shard.hash_key_range.start);
    let mut sweep = Sweep {
        queue: queue.into(),
        next,
        closed_s,
        changed: BTreeMap::new(),
    };
    for target in HashKeyRange::uniform(count) {
        sweep.fill(target);
    }
    sweep.changed.into_values().collect()
}

struct Sweep {
    /// The open shards that the pass has not reached yet, the shard with the lowest hash keys
    /// first.
    queue: VecDeque<Shard>,
    next: ShardId,
    closed_s: u64,
    /// The final state of every shard that the scaling closed or created.
    changed: BTreeMap<ShardId, Shard>,
}

impl Sweep {
    /// Merges and splits shards until the hash key range of one shard equals `target`, up to
    /// [`TOLERANCE`].
    fn fill(&mut self, target: HashKeyRange) {
        let end = target.end.value();
        let mut gathered: Option<Shard> = None;
        loop {
            let mut shard = self
                .queue
                .pop_front()
                .expect("the shards cover the key space");
            if shard.hash_key_range.end.value() > end.saturating_add(TOLERANCE) {
                shard = self.cut(&shard, target);
            }
            let whole = match gathered {
                None => shard,
                Some(lower) => self.join(&lower, &shard),
            };
            if whole.hash_key_range.end.value() >= end.saturating_sub(TOLERANCE) {
                return;
            }
            gathered = Some(whole);
        }
    }

    /// Splits a shard at the end of `target`. Returns the lower child, and adds the upper child to
    /// the front of `self.queue`.
    fn cut(&mut self, shard: &Shard, target: HashKeyRange) -> Shard {
        let key = target
            .end
            .after()
            .expect("a target that ends before a shard is not the last");
        let ids = [self.number(), self.number()];
        let [lower, upper] = self.apply(split(shard, key, ids, self.closed_s));
        self.queue.push_front(upper);
        lower
    }

    fn join(&mut self, lower: &Shard, upper: &Shard) -> Shard {
        let id = self.number();
        let [whole] = self.apply(merge(lower, upper, id, self.closed_s));
        whole
    }

    fn number(&mut self) -> ShardId {
        let id = self.next;
        self.next = id.next();
        id
    }

    fn apply<const N: usize>(&mut self, resharding: Resharding) -> [Shard; N] {
        let Resharding { closed, opened } = resharding;
        let changed = closed.into_iter().chain(opened.iter().cloned());
        self.changed.extend(changed.map(|shard| (shard.id, shard)));
        opened
            .try_into()
            .expect("a split opens two shards, a merge one")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW_S: u64 = 1_700_000_000;

    fn apply(shards: &mut Vec<Shard>, count: u32) {
        let open: Vec<_> = shards
            .iter()
            .filter(|shard| shard.is_open())
            .cloned()
            .collect();
        let next = ShardId::new(u32::try_from(shards.len()).unwrap());
        for shard in scale(&open, next, count, NOW_S) {
            let at = shard.id.index() as usize;
            if at < shards.len() {
                shards[at] = shard;
            } else {
                assert_eq!(at, shards.len(), "ids have no gaps");
                shards.push(shard);
            }
        }
    }

    fn open_ids(shards: &[Shard]) -> Vec<u32> {
        let mut open: Vec<_> = shards.iter().filter(|shard| shard.is_open()).collect();
        open.sort_by_key(|shard| shard.hash_key_range.start);
        open.into_iter().map(|shard| shard.id.index()).collect()
    }

    #[test]
    fn the_documented_cases_give_the_documented_ids() {
        for (from, to, total, open) in [
            (1, 2, 3, vec![1, 2]),
            (2, 3, 7, vec![2, 6, 5]),
            (2, 4, 6, vec![2, 3, 4, 5]),
            (4, 2, 6, vec![4, 5]),
            (4, 3, 11, vec![6, 9, 10]),
            (4, 5, 15, vec![4, 8, 11, 14, 13]),
            (3, 6, 9, vec![3, 4, 5, 6, 7, 8]),
            (10, 13, 43, vec![]),
            (5, 3, 13, vec![]),
            (10, 3, 23, vec![]),
            (4, 4, 4, vec![0, 1, 2, 3]),
        ] {
            let mut shards = Shard::initial(from, NOW_S - 100);
            apply(&mut shards, to);
            assert_eq!(shards.len(), total, "{from} to {to}");
            if !open.is_empty() {
                assert_eq!(open_ids(&shards), open, "{from} to {to}");
            }
        }
    }

    proptest! {
        #[test]
        fn ranges_cover_the_key_space_and_lineages_are_in_order(
            counts in prop::collection::vec(1_u32..30, 2..6)
        ) {
            let mut shards = Shard::initial(counts[0], NOW_S - 100);
            for count in &counts[1..] {
                apply(&mut shards, *count);
                let open = open_ids(&shards);
                prop_assert_eq!(open.len(), *count as usize);
                let ranges: Vec<_> =
                    open.iter().map(|id| shards[*id as usize].hash_key_range).collect();
                prop_assert_eq!(ranges[0].start, HashKeyRange::ALL.start);
                prop_assert_eq!(ranges[ranges.len() - 1].end, HashKeyRange::ALL.end);
                prop_assert!(ranges.windows(2).all(|pair| pair[0].is_followed_by(&pair[1])));
            }
            for shard in &shards {
                for parent in shard.parent.into_iter().chain(shard.adjacent_parent) {
                    let parent = &shards[parent.index() as usize];
                    prop_assert!(parent.id < shard.id);
                    prop_assert!(parent.closed_s.is_some_and(|end| end < shard.created_s));
                }
            }
        }
    }
}
