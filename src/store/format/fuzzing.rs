//! Checks of the stored encodings, for fuzzers and unit tests. The fuzz target is in the folder
//! `tests/fuzz`.

use super::bytes::{checksummed_buffer, write_checksum};
use super::catalog::{self, Catalog};
use super::frame::{self, Frames};
use super::record::{LogId, Record, Records as _, unpack};
use super::segment::{Segment, Tail};
use super::summary::{self, SegmentEntry};
use super::value::{
    self, AccountValue, ChannelValue, MappingValue, QueueValue, ShardValue, StreamValue,
};
use super::{key, wal};
use crate::model::channel::ChannelPosition;
use crate::model::event_source::ShardPosition;
use crate::world::Timestamp;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// Decodes `input` as each of the stored encodings, with and without a valid checksum. Then builds
/// records, frames, summaries and keys from `input`, and encodes these values. Checks that the
/// decoded values are the same as before.
///
/// # Panics
/// Panics if a decoded value differs from the encoded value, or if keys do not sort in the order of
/// the numbers in the keys.
pub fn stored(input: &[u8]) {
    read_any(input);
    let mut checksummed = [&checksummed_buffer(), input].concat();
    write_checksum(&mut checksummed);
    read_any(&checksummed);
    write_and_read(input);
    keys_sort(input);
}

/// Decodes `bytes` as each of the stored encodings, and uses the decoded values.
fn read_any(bytes: &[u8]) {
    if let Ok(segment) = Segment::parse(Bytes::copy_from_slice(bytes)) {
        let count = segment.len();
        assert_eq!(segment.slice(0..count).iter().count(), count);
        let half = segment.slice(count / 2..count);
        assert_eq!(
            half.iter().next().map(|record| record.index),
            Some(segment.index(count / 2))
        );
        let weight = |at| segment.weight(at);
        assert!((0..count).map(weight).sum::<u64>() <= bytes.len() as u64);
    }
    if let Ok(runs) = frame::runs(bytes) {
        let unpacked: usize = runs
            .iter()
            .map(|(_, records)| unpack(records).count())
            .sum();
        assert!(unpacked <= bytes.len());
    }
    let values: usize = wal::commits(bytes).map(|values| values.len()).sum();
    assert!(values <= bytes.len());
    if let Ok(entries) = summary::entries(bytes) {
        assert_eq!(summary::summary(&entries), bytes);
    }
    read_value::<StreamValue>(bytes);
    read_value::<ShardValue>(bytes);
    read_value::<QueueValue>(bytes);
    read_value::<AccountValue>(bytes);
    read_value::<MappingValue>(bytes);
    read_value::<ShardPosition>(bytes);
    read_value::<ChannelValue>(bytes);
    read_value::<ChannelPosition>(bytes);
    read_key(bytes);
    // Every sequence of bytes must be either decoded or refused, without a panic.
    let (key, value) = bytes.split_at(bytes.len() / 2);
    let _entry = Catalog::default().insert(key, value);
}

/// Decodes `bytes` as a catalog value of type `T`. Checks that a decoded value does not change if
/// it is encoded and decoded again.
fn read_value<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    if let Some(value) = value::from_bytes::<T>(bytes) {
        assert_eq!(value::from_bytes(&value::to_bytes(&value)), Some(value));
    }
}

/// Decodes `bytes` as each kind of key. Checks that the encoding of each decoded key is `bytes`.
fn read_key(bytes: &[u8]) {
    if let key::Metadata::Summary(number) = key::metadata(bytes) {
        assert!(bytes.starts_with(&key::summary(number)));
    }
    if let key::Metadata::Catalog(catalog) = key::metadata(bytes) {
        assert_eq!(key::catalog(catalog), bytes);
    }
    if let Some(key) = catalog::Key::parse(bytes) {
        assert_eq!(key.to_bytes(), bytes);
    }
}

/// Packs records whose lengths and contents come from `input`. Unpacks the records, and compares
/// them with the original records.
fn write_and_read(input: &[u8]) {
    let texts: Vec<_> = input.chunks(40).map(String::from_utf8_lossy).collect();
    let mut index = 0;
    let records: Vec<Record<'_>> = input
        .chunks(40)
        .zip(&texts)
        .map(|(data, text)| {
            index += 1 + u64::from(data[0]);
            Record {
                index,
                arrival: Timestamp::from_millis(i64::from(data[0]) - 99),
                partition_key: (data[0] % 3 > 0).then_some(text),
                data: &data[data.len() / 3..],
                encrypted: data[0] % 2 > 0,
            }
        })
        .collect();
    let mut tail = Tail::default();
    for record in &records {
        tail.push(record, record.arrival);
    }
    if records.is_empty() {
        return;
    }
    let log = LogId {
        stream: u64::MAX - index,
        shard: u32::from(input[0]),
    };
    let mut frames = Frames::default();
    let cut = usize::from(input[0]) % records.len();
    for run in [tail.run(cut), tail.run(0)] {
        frames.push(log, run, 64);
    }
    for (frame, start) in frames.finish().iter().zip([cut, 0]) {
        let runs = frame::runs(frame).expect("a frame of ours");
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0].0, log);
        assert!(unpack(runs[0].1).eq(records[start..].iter().copied()));
    }
    let segment = Segment::parse(tail.seal(log).bytes().clone()).expect("a segment of ours");
    assert_eq!(segment.log(), log);
    assert!(
        segment
            .slice(0..records.len())
            .iter()
            .eq(records.iter().copied())
    );
    let found = segment.search(|at| segment.index(at) < records[cut].index);
    assert_eq!(found, cut);
    let entry = SegmentEntry::of(&segment, log.shard);
    assert_eq!(
        summary::entries(&summary::summary(&[entry, entry])),
        Ok(vec![entry, entry])
    );
}

/// Checks that encoded keys sort in the order of the numbers in the keys.
fn keys_sort(input: &[u8]) {
    let number = |at: usize| {
        let bytes = input.iter().skip(12 * at).take(8);
        bytes.fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let part = |at: usize| crc32fast::hash(input.get(12 * at + 8..).unwrap_or_default());
    let (one, two) = ((number(0), part(0)), (number(1), part(1)));
    let order = one.cmp(&two);
    assert_eq!(
        key::commit(one.0, one.1).cmp(&key::commit(two.0, two.1)),
        order
    );
    assert_eq!(
        catalog::Key::Shard(one.0, one.1)
            .to_bytes()
            .cmp(&catalog::Key::Shard(two.0, two.1).to_bytes()),
        order
    );
    assert_eq!(
        key::segment(one.1).cmp(&key::segment(two.1)),
        one.1.cmp(&two.1)
    );
    assert_eq!(
        key::summary(one.0).cmp(&key::summary(two.0)),
        one.0.cmp(&two.0)
    );
    assert_eq!(key::number(&key::commit(one.0, one.1)), Some(one.0));
    assert_eq!(
        key::metadata(&key::summary(one.0)),
        key::Metadata::Summary(one.0)
    );
}
