//! The engine's keys: which value belongs to which stream, shard or clock. All sort like their
//! numbers.
//!
//! | key | value | life |
//! |---|---|---|
//! | `s`, incarnation u64 | [`StreamValue`](super::StreamValue) | from CreateStream to the end of DELETING |
//! | `h`, incarnation u64, index u32 | [`ShardValue`](super::ShardValue) | until its records have expired |
//! | `a`, account, `/`, region | [`AccountValue`](super::AccountValue) | for ever |
//! | `c` | milliseconds of a virtual clock, i64 | for ever |

/// The key of a stream.
pub fn stream(incarnation: u64) -> Vec<u8> {
    [b"s".as_slice(), &incarnation.to_be_bytes()].concat()
}

/// The incarnation that a stream's key names.
pub fn parse_stream(key: &[u8]) -> Option<u64> {
    let incarnation = key.strip_prefix(b"s")?;
    incarnation.try_into().ok().map(u64::from_be_bytes)
}

/// The key of a shard.
pub fn shard(incarnation: u64, index: u32) -> Vec<u8> {
    [
        b"h".as_slice(),
        &incarnation.to_be_bytes(),
        &index.to_be_bytes(),
    ]
    .concat()
}

/// The incarnation and the index that a shard's key names.
pub fn parse_shard(key: &[u8]) -> Option<(u64, u32)> {
    let (incarnation, index) = key.strip_prefix(b"h")?.split_first_chunk()?;
    let index = index.try_into().ok()?;
    Some((u64::from_be_bytes(*incarnation), u32::from_be_bytes(index)))
}

/// The key of an account's settings in a region.
pub fn account(account: &str, region: &str) -> Vec<u8> {
    format!("a{account}/{region}").into_bytes()
}

/// The account and the region that the key of an account's settings names.
pub fn parse_account(key: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(key.strip_prefix(b"a")?)
        .ok()?
        .split_once('/')
}

/// The key of the virtual clock.
pub fn clock() -> Vec<u8> {
    b"c".to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_round_trip_and_sort_like_their_numbers(a: (u64, u32), b: (u64, u32)) {
            prop_assert_eq!(parse_stream(&stream(a.0)), Some(a.0));
            prop_assert_eq!(parse_shard(&shard(a.0, a.1)), Some(a));
            prop_assert_eq!(parse_shard(&stream(a.0)), None);
            prop_assert_eq!(parse_stream(&shard(a.0, a.1)), None);
            prop_assert_eq!(shard(a.0, a.1).cmp(&shard(b.0, b.1)), a.cmp(&b));
        }
    }
}
