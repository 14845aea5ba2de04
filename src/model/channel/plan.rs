//! The plan of one object: the ranges of records that the object contains, and the time at which
//! the object has to be written.

use crate::model::ShardId;
use crate::world::Timestamp;
use sha2::{Digest as _, Sha256};

/// A block of consecutive records of a shard. A plan contains a block either completely or not at
/// all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The index after the last record of the block.
    pub end: u64,
    /// Arrival time of the first record of the block.
    pub first_arrival: Timestamp,
    /// Upper bound of the number of records in the block.
    pub records: u64,
    /// Upper bound of the number of bytes of data in the block's records.
    pub bytes: u64,
}

/// A range of consecutive records of one shard that belong to the same object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardRange {
    /// The shard that holds the records.
    pub shard: ShardId,
    /// The index at which the range begins, in the shard's log.
    pub next: u64,
    /// The index after the last record of the range, in the shard's log.
    pub end: u64,
}

/// The plan of one object: the ranges of records that the object contains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectPlan {
    /// One range for each shard that has records for the object, in the order of the shards' ids.
    /// No range is empty.
    pub ranges: Vec<ShardRange>,
    /// Arrival time of the oldest record in the plan. `None` for a plan without records.
    pub oldest: Option<Timestamp>,
    /// True if the object must be written immediately. A plan is full if more records wait than one
    /// object may contain. The saved plan of an object whose write was interrupted also counts as
    /// full.
    pub is_full: bool,
    bytes: u64,
}

/// The result of `ObjectPlan::offer`: the plan contains all offered blocks, or at least one block
/// did not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// All offered blocks were added to the plan.
    Taken,
    /// The plan is full: one of the offered blocks did not fit. The blocks that were offered before
    /// this block were added to the plan.
    Full,
    /// The plan is empty, and the first block is larger than an object may be. The caller must
    /// offer the block's records in smaller blocks. An empty plan accepts a block of one record of
    /// any size.
    TooLarge,
}

impl ObjectPlan {
    /// Restores the saved plan of an object whose write was interrupted. The object is due
    /// immediately.
    pub fn resumed(ranges: Vec<ShardRange>, oldest: Option<Timestamp>) -> Self {
        Self {
            ranges,
            oldest,
            is_full: true,
            bytes: 0,
        }
    }

    /// Adds `blocks` to the plan, one after the other, until the next block would make the object
    /// larger than `most_bytes`. The first block begins at the index `next` in the log of `shard`.
    /// `separator` is the number of bytes that the object contains after each record.
    pub fn offer(
        &mut self,
        (shard, next): (ShardId, u64),
        blocks: &[Block],
        (most_bytes, separator): (u64, u64),
    ) -> Offered {
        for block in blocks {
            let bytes = block.bytes + block.records * separator;
            if self.bytes.saturating_add(bytes) > most_bytes {
                if !self.ranges.is_empty() {
                    self.is_full = true;
                    return Offered::Full;
                }
                if block.records > 1 {
                    return Offered::TooLarge;
                }
            }
            self.bytes = self.bytes.saturating_add(bytes);
            let oldest = self.oldest.unwrap_or(block.first_arrival);
            self.oldest = Some(oldest.min(block.first_arrival));
            match self.ranges.last_mut() {
                Some(range) if range.shard == shard => range.end = block.end,
                _ => self.ranges.push(ShardRange {
                    shard,
                    next,
                    end: block.end,
                }),
            }
        }
        Offered::Taken
    }

    /// True if the plan contains no record.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Returns an upper bound of the size of the uncompressed object, in bytes: the records and
    /// their separators. Returns 0 for a resumed plan, whose size is unknown.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the time at which the object has to be written. A plan that is not full is due as
    /// soon as its oldest record has the age `freshness_ms`, in milliseconds. A full plan is due
    /// immediately: the returned time is the arrival time of its oldest record. `None` for a plan
    /// without records.
    pub fn due(&self, freshness_ms: i64) -> Option<Timestamp> {
        let oldest = self.oldest?;
        Some(match self.is_full {
            true => oldest,
            false => oldest.plus_millis(freshness_ms),
        })
    }

    /// Returns the unique suffix of the object's key: six digits and 16 hexadecimal digits, as in
    /// the keys of Amazon MSK's channels. The suffix depends only on the channel and on the ranges
    /// of the plan, so a repeated write of the object has the same suffix.
    pub fn suffix(&self, channel_id: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(channel_id);
        for range in &self.ranges {
            hash.update(range.shard.index().to_be_bytes());
            hash.update(range.next.to_be_bytes());
            hash.update(range.end.to_be_bytes());
        }
        let hash = hash.finalize();
        let (mut digits, mut hex) = ([0; 4], [0; 8]);
        digits.copy_from_slice(&hash[..4]);
        hex.copy_from_slice(&hash[4..12]);
        let digits = u32::from_be_bytes(digits) % 1_000_000;
        format!("-{digits:06}-{:016x}", u64::from_be_bytes(hex))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(end: u64, records: u64, bytes: u64) -> Block {
        Block {
            end,
            first_arrival: Timestamp::from_millis(end.cast_signed()),
            records,
            bytes,
        }
    }

    fn range(shard: u32, next: u64, end: u64) -> ShardRange {
        ShardRange {
            shard: ShardId::new(shard),
            next,
            end,
        }
    }

    #[test]
    fn an_object_takes_a_range_of_each_shard_up_to_its_size() {
        let mut plan = ObjectPlan::default();
        let [one, two] = [0, 1].map(ShardId::new);
        assert_eq!(plan.due(10), None);
        assert_eq!(plan.offer((one, 0), &[], (100, 1)), Offered::Taken);
        assert!(plan.is_empty());
        let blocks = [block(5, 4, 36), block(8, 1, 9)];
        assert_eq!(plan.offer((one, 2), &blocks, (100, 1)), Offered::Taken);
        assert_eq!(plan.bytes(), 50);
        assert_eq!(plan.due(10), Some(Timestamp::from_millis(15)));
        let blocks = [block(3, 1, 40), block(9, 1, 9)];
        assert_eq!(plan.offer((two, 0), &blocks, (100, 1)), Offered::Full);
        assert_eq!(plan.ranges, [range(0, 2, 8), range(1, 0, 3)]);
        assert_eq!(plan.due(10), Some(Timestamp::from_millis(3)));
    }

    #[test]
    fn a_record_larger_than_an_object_is_an_object() {
        let mut plan = ObjectPlan::default();
        let shard = ShardId::new(0);
        let offered = plan.offer((shard, 0), &[block(9, 2, 200)], (100, 0));
        assert_eq!((offered, plan.is_empty()), (Offered::TooLarge, true));
        let blocks = [block(1, 1, 200), block(2, 1, 1)];
        assert_eq!(plan.offer((shard, 0), &blocks, (100, 0)), Offered::Full);
        assert_eq!(plan.ranges, [range(0, 0, 1)]);
    }

    #[test]
    fn the_suffix_has_the_form_of_the_channels_of_msk() {
        let plan = ObjectPlan {
            ranges: vec![range(0, 2, 8)],
            ..ObjectPlan::default()
        };
        let suffix = plan.suffix("a0123456789012345");
        let parts: Vec<&str> = suffix.split('-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        assert_eq!(lengths, [0, 6, 16]);
        assert!(parts[1].chars().all(|digit| digit.is_ascii_digit()));
        assert_ne!(suffix, plan.suffix("b0123456789012345"));
    }

    proptest! {
        #[test]
        fn objects_cover_all_records_once_and_stay_small(
            sizes in prop::collection::vec(0_u64..60, 0..50),
            most in 1_u64..100,
        ) {
            let blocks: Vec<Block> = (1..).zip(&sizes).map(|(end, size)| block(end, 1, *size)).collect();
            let (mut next, mut suffixes) = (0, std::collections::BTreeSet::new());
            while next < blocks.len() {
                let mut plan = ObjectPlan::default();
                let _some = plan.offer((ShardId::new(0), next as u64), &blocks[next..], (most, 1));
                prop_assert!(plan.bytes() <= most || plan.ranges[0].end == next as u64 + 1);
                prop_assert_eq!(plan.ranges[0].next, next as u64);
                prop_assert!(suffixes.insert(plan.suffix("c")));
                prop_assert_eq!(plan.suffix("c"), plan.clone().suffix("c"));
                next = plan.ranges[0].end as usize;
            }
            prop_assert_eq!(next, blocks.len());
        }
    }
}
