//! The lanes of a shard, which a mapping with a ParallelizationFactor reads in parallel. All
//! records with the same partition key are in the same lane, so they are delivered in order.

use md5::{Digest as _, Md5};

/// Returns the lane of a partition key, from 0 to `factor` − 1. Lambda promises only that the
/// records with one partition key stay in order. The hash function that selects the lane is a
/// choice.
pub fn lane_of(partition_key: &str, factor: u32) -> usize {
    if factor <= 1 {
        return 0;
    }
    let digest = Md5::digest(partition_key.as_bytes());
    let (first, _) = digest.split_first_chunk().expect("MD5 has 16 bytes");
    let lane = u64::from_be_bytes(*first) % u64::from(factor);
    usize::try_from(lane).expect("a lane is below the factor")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_key_has_one_lane_below_the_factor(key in ".{0,20}", factor in 1_u32..=10) {
            let lane = lane_of(&key, factor);
            prop_assert!(lane < factor as usize);
            prop_assert_eq!(lane, lane_of(&key, factor));
        }
    }

    #[test]
    fn keys_spread_over_the_lanes() {
        let mut seen = [0; 10];
        for number in 0..1000 {
            seen[lane_of(&number.to_string(), 10)] += 1;
        }
        assert!(
            seen.iter().all(|count| (50..200).contains(count)),
            "{seen:?}"
        );
    }
}
