//! The ids of the events that a tail sends. An id consists of the stream's identity number, the
//! stream's random number, and the index of the next record in every shard. For example, in
//! `7-1700000000000.0-12.3-40` the identity number is 7 and the random number is 1700000000000. The
//! next records are record 12 of shard 0 and record 40 of shard 3.
//!
//! The identity number alone does not identify a stream, because an emulator without a data
//! directory assigns identity numbers from 0 on again after each start.

use crate::engine::Stream;
use crate::model::ShardId;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The part of an event id that identifies the stream. A stream keeps its mark in a restart and in
/// a snapshot. A stream that is deleted and created again gets another mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct StreamMark {
    /// Identity number of the stream. The number is the same after a load of a snapshot.
    identity: u64,
    /// Random number that the stream got at its creation.
    random: u64,
}

impl StreamMark {
    /// The part of an event id that identifies `stream`.
    pub(in crate::http) fn of(stream: &Stream) -> Self {
        Self {
            identity: stream.identity,
            random: stream.tail_mark,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (identity, random) = text.split_once('-')?;
        Some(Self {
            identity: number(identity)?,
            random: number(random)?,
        })
    }
}

/// The id of an event: a stream, and the position that a tail of this stream has after the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TailId {
    /// The part of the id that identifies the stream.
    pub(super) mark: StreamMark,
    /// For each shard, the first record that follows after the event, as an index in the shard's
    /// log.
    pub(super) cut: BTreeMap<ShardId, u64>,
}

impl TailId {
    /// Parses the id of an event. None if the text is not such an id.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let mark = StreamMark::parse(parts.next()?)?;
        let mut cut = BTreeMap::new();
        for part in parts {
            let (shard, index) = part.split_once('-')?;
            let shard = u32::try_from(number(shard)?).ok();
            let shard = shard.and_then(ShardId::checked)?;
            let before = cut.insert(shard, number(index)?);
            before.is_none().then_some(())?;
        }
        (!cut.is_empty()).then_some(Self { mark, cut })
    }
}

/// Parses a number that consists only of digits. `str::parse` alone would also accept a plus sign.
fn number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

/// Appends the id of an event to `text`. `positions` contains every shard with the index of its
/// next record. `moved`, if present, is one shard with a newer index, which replaces the shard's
/// index in `positions`.
pub(in crate::http) fn write(
    text: &mut String,
    mark: StreamMark,
    positions: impl Iterator<Item = (ShardId, u64)>,
    moved: Option<(ShardId, u64)>,
) {
    // Writing to a String cannot fail.
    let _ = write!(text, "{}-{}", mark.identity, mark.random);
    for (shard, index) in positions {
        let index = match moved {
            Some((moved, next)) if moved == shard => next,
            _ => index,
        };
        let _ = write!(text, ".{}-{index}", shard.index());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_as_it_is_written() {
        let positions = [(0, 12), (3, u64::MAX)];
        let positions = || positions.iter().map(|(id, at)| (ShardId::new(*id), *at));
        let mark = StreamMark {
            identity: 7,
            random: 1_700_000_000_000,
        };
        let mut text = String::new();
        write(&mut text, mark, positions(), None);
        assert_eq!(text, format!("7-1700000000000.0-12.3-{}", u64::MAX));
        let id = TailId::parse(&text).unwrap();
        assert_eq!(id.mark, mark);
        assert!(id.cut.into_iter().eq(positions()));
        text.clear();
        write(&mut text, mark, positions(), Some((ShardId::new(0), 13)));
        assert_eq!(text, format!("7-1700000000000.0-13.3-{}", u64::MAX));
    }

    #[test]
    fn a_malformed_id_is_refused() {
        for text in [
            "",
            "7",
            "7.0-1",
            "7-.0-1",
            "7--5.0-1",
            "7-5",
            "7-5.",
            "7-5.0",
            "7-5.0-",
            "7-5.-1",
            "7-5.0-1-2",
            "7-5.0-+1",
            "+7-5.0-1",
            "7-5.0-1.0-2",
            "7-5.4294967296-1",
            "7-5.2147483648-1",
            "7-5.0-18446744073709551616",
            " 7-5.0-1",
        ] {
            assert_eq!(TailId::parse(text), None, "{text}");
        }
    }
}
