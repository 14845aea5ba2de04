//! Aggregated records of the Kinesis Producer Library. An aggregated record contains several user
//! records. Its format is a magic number, a Protocol Buffers message, and the MD5 of the message.

use super::hash_key::{HashKey, HashKeyRange};
use crate::limits;
use md5::{Digest as _, Md5};

/// The magic number: the first four bytes of an aggregated record.
const MAGIC: [u8; 4] = [0xF3, 0x89, 0x9A, 0xC2];
/// Number of bytes of the MD5 hash at the end of an aggregated record.
const DIGEST_BYTES: usize = 16;

/// A user record: a partition key and data that a producer packed into an aggregated record,
/// together with other user records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UserRecord<'a> {
    pub partition_key: &'a str,
    pub data: &'a [u8],
}

/// The result of an attempt to extract the user records from a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Aggregate<'a> {
    /// The record is not aggregated, so it is delivered unchanged.
    Plain,
    /// The record is aggregated, and contains these user records.
    Records(Vec<UserRecord<'a>>),
    /// The record is aggregated, but the hash key of at least one user record lies outside of the
    /// shard's hash key range. Recordings of Lambda show that Lambda then drops the whole
    /// aggregated record.
    Foreign,
}

impl<'a> Aggregate<'a> {
    /// Extracts the user records from `data`, the data of a record. `range` is the hash key range
    /// of the shard that holds this record.
    pub(crate) fn of(data: &'a [u8], range: &HashKeyRange) -> Self {
        let Some(message) = message(data) else {
            return Self::Plain;
        };
        let Some(entries) = Message::read(message).and_then(|message| message.records()) else {
            return Self::Plain;
        };
        let within = |(record, hash_key): &(UserRecord<'_>, Option<&str>)| {
            let key = match hash_key {
                Some(digits) => HashKey::parse(digits),
                // The range `ALL` contains every hash key, so the partition key need not be hashed.
                None if *range == HashKeyRange::ALL => return true,
                None => Some(HashKey::of_partition_key(record.partition_key)),
            };
            key.is_some_and(|key| range.start <= key && key <= range.end)
        };
        if !entries.iter().all(within) {
            return Self::Foreign;
        }
        Self::Records(entries.into_iter().map(|(record, _)| record).collect())
    }

    /// Returns true if `data` begins with the magic number, and so may be an aggregated record.
    /// Returns false if `data` is certainly not an aggregated record.
    pub(crate) fn is_likely(data: &[u8]) -> bool {
        data.starts_with(&MAGIC)
    }
}

/// Returns the message between the magic number and the MD5 hash of an aggregated record. `None` if
/// the magic number or the MD5 hash is wrong.
fn message(data: &[u8]) -> Option<&[u8]> {
    let rest = data.strip_prefix(&MAGIC)?;
    let (message, digest) = rest.split_at_checked(rest.len().checked_sub(DIGEST_BYTES)?)?;
    (Md5::digest(message).as_slice() == digest).then_some(message)
}

/// The Protocol Buffers message `AggregatedRecord`: a table of partition keys, a table of explicit
/// hash keys, and records that refer to both tables by index.
#[derive(Debug, Default)]
struct Message<'a> {
    partition_keys: Vec<&'a str>,
    hash_keys: Vec<&'a str>,
    records: Vec<&'a [u8]>,
}

impl<'a> Message<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut message = Self::default();
        for field in Fields(bytes) {
            match field? {
                (1, Field::Bytes(key)) => message.partition_keys.push(partition_key(key)?),
                (2, Field::Bytes(key)) => message.hash_keys.push(str::from_utf8(key).ok()?),
                (3, Field::Bytes(record)) => message.records.push(record),
                _ => {}
            }
        }
        Some(message)
    }

    fn records(&self) -> Option<Vec<(UserRecord<'a>, Option<&'a str>)>> {
        self.records
            .iter()
            .map(|bytes| self.record(bytes))
            .collect()
    }

    fn record(&self, bytes: &'a [u8]) -> Option<(UserRecord<'a>, Option<&'a str>)> {
        let (mut key, mut hash_key, mut data) = (None, None, None);
        for field in Fields(bytes) {
            match field? {
                (1, Field::Number(at)) => key = Some(*element(&self.partition_keys, at)?),
                (2, Field::Number(at)) => hash_key = Some(*element(&self.hash_keys, at)?),
                (3, Field::Bytes(bytes)) => data = Some(bytes),
                _ => {}
            }
        }
        let record = UserRecord {
            partition_key: key?,
            data: data?,
        };
        Some((record, hash_key))
    }
}

/// Decodes a partition key from UTF-8. Returns `None` if the bytes are not UTF-8, or if the key has
/// more characters than the service permits.
fn partition_key(bytes: &[u8]) -> Option<&str> {
    let key = str::from_utf8(bytes).ok()?;
    (key.chars().count() <= limits::PARTITION_KEY_CHARACTERS).then_some(key)
}

fn element<T>(table: &[T], at: u64) -> Option<&T> {
    table.get(usize::try_from(at).ok()?)
}

/// The value of a field in a Protocol Buffers message: a number, bytes, or a value of another kind,
/// which aggregated records do not use.
#[derive(Debug, Clone, Copy)]
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Other,
}

/// An iterator over the fields of a Protocol Buffers message. Each item is the number and the value
/// of one field. A malformed field gives the item `None`, and ends the iteration.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Field<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Field<'a>)> {
        let key = self.number()?;
        let value = match key & 7 {
            0 => Field::Number(self.number()?),
            1 => self.skip(8)?,
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Field::Bytes(self.take(length)?)
            }
            5 => self.skip(4)?,
            _ => return None,
        };
        Some((key >> 3, value))
    }

    fn skip(&mut self, bytes: usize) -> Option<Field<'a>> {
        self.take(bytes).map(|_| Field::Other)
    }

    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole() -> HashKeyRange {
        HashKeyRange {
            start: HashKey::MIN,
            end: HashKey::MAX,
        }
    }

    fn number(mut number: u64, out: &mut Vec<u8>) {
        while number >= 0x80 {
            out.push(number as u8 | 0x80);
            number >>= 7;
        }
        out.push(number as u8);
    }

    fn bytes(field: u64, bytes: &[u8], out: &mut Vec<u8>) {
        number(field << 3 | 2, out);
        number(bytes.len() as u64, out);
        out.extend_from_slice(bytes);
    }

    fn aggregate(records: &[(String, Vec<u8>)]) -> Vec<u8> {
        let mut message = Vec::new();
        for (key, _) in records {
            bytes(1, key.as_bytes(), &mut message);
        }
        for (at, (_, data)) in records.iter().enumerate() {
            let mut record = Vec::new();
            number(1 << 3, &mut record);
            number(at as u64, &mut record);
            bytes(3, data, &mut record);
            bytes(3, &record, &mut message);
        }
        let digest = Md5::digest(&message);
        [&MAGIC, message.as_slice(), digest.as_slice()].concat()
    }

    proptest! {
        #[test]
        fn case_89_an_aggregate_is_taken_apart(
            records in prop::collection::vec(
                ("[a-z]{1,200}", prop::collection::vec(any::<u8>(), 0..200)), 1..5),
        ) {
            let data = aggregate(&records);
            let Aggregate::Records(found) = Aggregate::of(&data, &whole()) else {
                panic!("it is an aggregate");
            };
            let found: Vec<_> = found
                .iter()
                .map(|record| (record.partition_key.to_owned(), record.data.to_owned()))
                .collect();
            prop_assert_eq!(found, records);
        }

        #[test]
        fn any_bytes_are_taken_for_something(data in prop::collection::vec(any::<u8>(), 0..100)) {
            let digest = Md5::digest(&data);
            let data = [&MAGIC, data.as_slice(), digest.as_slice()].concat();
            let _aggregate = Aggregate::of(&data, &whole());
            prop_assert_eq!(Aggregate::of(&data[1..], &whole()), Aggregate::Plain);
        }
    }

    #[test]
    fn case_89_a_wrong_digest_makes_a_plain_record_and_a_foreign_key_drops_all() {
        let data = aggregate(&[
            ("a".to_owned(), b"x".to_vec()),
            ("b".to_owned(), Vec::new()),
        ]);
        let mut damaged = data.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert_eq!(Aggregate::of(&damaged, &whole()), Aggregate::Plain);
        assert_eq!(Aggregate::of(&MAGIC, &whole()), Aggregate::Plain);
        let key = HashKey::of_partition_key("a");
        let narrow = HashKeyRange {
            start: key,
            end: key,
        };
        assert_eq!(Aggregate::of(&data, &narrow), Aggregate::Foreign);
    }
}
