//! Splits, merges, and the steps of UpdateShardCount in the order of the hash keys.

use super::{Shard, Stream};
use std::collections::VecDeque;

impl Stream {
    fn close(&mut self, shards: &[usize], now_s: u64) -> u64 {
        let created = shards.iter().map(|at| self.shards[*at].created_s).max();
        let closed_s = now_s.max(created.unwrap());
        shards
            .iter()
            .for_each(|at| self.shards[*at].closed_s = Some(closed_s));
        closed_s + 1
    }

    pub(super) fn divide(&mut self, shard: usize, key: u128, now_s: u64) -> [usize; 2] {
        let opened_s = self.close(&[shard], now_s);
        let (start, end, next) = (
            self.shards[shard].start,
            self.shards[shard].end,
            self.shards.len(),
        );
        self.shards
            .push(Shard::new(start, key - 1, opened_s, vec![shard]));
        self.shards
            .push(Shard::new(key, end, opened_s, vec![shard]));
        [next, next + 1]
    }

    pub(super) fn unite(&mut self, lower: usize, upper: usize, now_s: u64) -> usize {
        let opened_s = self.close(&[lower, upper], now_s);
        let (start, end) = (self.shards[lower].start, self.shards[upper].end);
        self.shards
            .push(Shard::new(start, end, opened_s, vec![lower, upper]));
        self.shards.len() - 1
    }

    pub(super) fn sweep(&mut self, target: usize, now_s: u64) {
        let sliver = u128::MAX / 10_000_000_000;
        let mut queue: VecDeque<_> = self.open().into();
        for end in ends(target) {
            let mut gathered = None;
            loop {
                let mut next = queue.pop_front().unwrap();
                if self.shards[next].end > end.saturating_add(sliver) {
                    let [lower, upper] = self.divide(next, end + 1, now_s);
                    queue.push_front(upper);
                    next = lower;
                }
                let whole = gathered.map_or(next, |lower| self.unite(lower, next, now_s));
                if self.shards[whole].end >= end.saturating_sub(sliver) {
                    break;
                }
                gathered = Some(whole);
            }
        }
    }
}

/// The last keys of `count` equal ranges.
pub(super) fn ends(count: usize) -> Vec<u128> {
    let count = count as u128;
    let divides = u128::MAX % count == count - 1;
    let width = (u128::MAX / count).wrapping_add(u128::from(divides));
    let mut ends: Vec<_> = (1..count).map(|at| at * width - 1).collect();
    ends.push(u128::MAX);
    ends
}
