//! Changes of a queue's records, in the form in which they are saved.
//!
//! A change contains the state of a record after a request, not the request itself. A restart can
//! therefore restore the records without applying the queue's rules again.
//!
//! A sequence of changes is encoded in integers of variable length (varints). Each change begins
//! with a tag for its kind. The shard, the index of the record, the number of the delivery and the
//! times follow. Each of these numbers is encoded as the difference from the same number in the
//! previous change.

use super::entry::{Entry, Standing};
use super::order::RecordPlace;

/// A saved change of a queue's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueueChange {
    /// All records of the shard before the index `next` have been received at least once.
    Next {
        shard: u32,
        /// The index of the first record that was never received.
        next: u64,
    },
    /// The record was received, and is in the state that the `Entry` describes.
    Stands(RecordPlace, Entry),
    /// The record is settled: a consumer acknowledged the record, or the record cannot be read any
    /// more.
    Settled(RecordPlace),
    /// The records of the shard before the index `before` have expired.
    Expired {
        shard: u32,
        /// The index of the first record that has not expired.
        before: u64,
    },
}

const NEXT: u8 = 1;
const STANDS: u8 = 2;
const SETTLED: u8 = 3;
const EXPIRED: u8 = 4;

/// The numbers of the previous change. The next change is encoded as the differences between its
/// own numbers and these numbers.
#[derive(Debug, Default)]
struct Base {
    shard: u32,
    index: u64,
    delivery: u64,
    due_ms: i64,
    first_ms: i64,
    arrival_ms: i64,
}

/// Encodes a sequence of changes.
#[derive(Debug, Default)]
pub(super) struct ChangeWriter {
    bytes: Vec<u8>,
    base: Base,
}

impl ChangeWriter {
    /// Creates a writer of a document that begins with `bytes`. A reader must remove these bytes
    /// before it calls [`read_changes`].
    pub(super) fn after(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            base: Base::default(),
        }
    }

    pub(super) fn add(&mut self, change: &QueueChange) {
        match change {
            QueueChange::Next { shard, next } => self.place(NEXT, *shard, *next),
            QueueChange::Expired { shard, before } => self.place(EXPIRED, *shard, *before),
            QueueChange::Settled(at) => self.place(SETTLED, at.shard, at.index),
            QueueChange::Stands(at, entry) => {
                self.place(STANDS, at.shard, at.index);
                let base = &mut self.base;
                let standing = entry.standing as u64;
                let parts = [
                    u64::from(entry.count) << 2 | standing,
                    difference(entry.delivery, &mut base.delivery),
                    difference_ms(entry.due_ms, &mut base.due_ms),
                    difference_ms(entry.first_ms, &mut base.first_ms),
                    difference_ms(entry.arrival_ms, &mut base.arrival_ms),
                ];
                parts.into_iter().for_each(|part| self.number(part));
            }
        }
    }

    /// Number of bytes in the document so far, including the bytes that were passed to
    /// [`Self::after`].
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn place(&mut self, tag: u8, shard: u32, index: u64) {
        self.bytes.push(tag);
        let shard_step = shard.wrapping_sub(self.base.shard);
        self.base.shard = shard;
        self.number(u64::from(shard_step));
        let index_step = difference(index, &mut self.base.index);
        self.number(index_step);
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes
                .push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
            number >>= 7;
        }
        self.bytes.push(u8::try_from(number).unwrap_or_default());
    }
}

/// Returns `value` minus `base` in zigzag encoding, so that small differences in both directions
/// give small numbers. Sets `base` to `value`.
fn difference(value: u64, base: &mut u64) -> u64 {
    let step = value.wrapping_sub(*base).cast_signed();
    *base = value;
    (step << 1 ^ step >> 63).cast_unsigned()
}

fn difference_ms(value: i64, base: &mut i64) -> u64 {
    let mut unsigned = base.cast_unsigned();
    *base = value;
    difference(value.cast_unsigned(), &mut unsigned)
}

/// Decodes a sequence of changes. `None` if `bytes` are not valid changes.
pub(super) fn read_changes(bytes: &[u8]) -> Option<Vec<QueueChange>> {
    let mut reader = Reader {
        bytes,
        base: Base::default(),
    };
    let mut changes = Vec::new();
    while !reader.bytes.is_empty() {
        changes.push(reader.change()?);
    }
    Some(changes)
}

struct Reader<'a> {
    bytes: &'a [u8],
    base: Base,
}

impl Reader<'_> {
    fn change(&mut self) -> Option<QueueChange> {
        let tag = *self.bytes.split_off_first()?;
        let step = u32::try_from(self.number()?).ok()?;
        let shard = self.base.shard.wrapping_add(step);
        self.base.shard = shard;
        let index = self.moved(self.base.index)?;
        self.base.index = index;
        let place = RecordPlace { index, shard };
        match tag {
            NEXT => Some(QueueChange::Next { shard, next: index }),
            EXPIRED => Some(QueueChange::Expired {
                shard,
                before: index,
            }),
            SETTLED => Some(QueueChange::Settled(place)),
            STANDS => self.entry().map(|entry| QueueChange::Stands(place, entry)),
            _ => None,
        }
    }

    fn entry(&mut self) -> Option<Entry> {
        let packed = self.number()?;
        self.base.delivery = self.moved(self.base.delivery)?;
        self.base.due_ms = self.moved_ms(self.base.due_ms)?;
        self.base.first_ms = self.moved_ms(self.base.first_ms)?;
        self.base.arrival_ms = self.moved_ms(self.base.arrival_ms)?;
        Some(Entry {
            delivery: self.base.delivery,
            due_ms: self.base.due_ms,
            first_ms: self.base.first_ms,
            arrival_ms: self.base.arrival_ms,
            count: u32::try_from(packed >> 2).ok()?,
            standing: Standing::of(packed & 3)?,
        })
    }

    fn moved(&mut self, base: u64) -> Option<u64> {
        let folded = self.number()?;
        let step = (folded >> 1) ^ (folded & 1).wrapping_neg();
        Some(base.wrapping_add(step))
    }

    fn moved_ms(&mut self, base: i64) -> Option<i64> {
        self.moved(base.cast_unsigned()).map(u64::cast_signed)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.split_off_first()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}
