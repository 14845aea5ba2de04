//! The ids of records in queues.

use crate::model::{SEQUENCE_NUMBER_DIGITS, SequenceNumber, StreamArn};
use crate::world::Timestamp;
use md5::{Digest, Md5};

/// Characters of a record's id.
pub(crate) const RECORD_ID_CHARACTERS: usize = 32;

/// Makes the `RecordId`s of one stream: the same in every delivery and in every queue. A hash, so
/// that no client parses it (a choice): of the stream's ARN, its creation and the sequence number.
#[derive(Debug, Clone)]
pub(crate) struct RecordIds(Md5);

impl RecordIds {
    /// The ids of the records of a stream.
    pub(crate) fn of(stream: &StreamArn, created: Timestamp) -> Self {
        let mut hash = Md5::new();
        hash.update(stream.to_string());
        hash.update(created.millis().to_be_bytes());
        Self(hash)
    }

    /// The id of one record, in lower-case hexadecimal digits.
    pub(crate) fn id(&self, number: SequenceNumber) -> [u8; RECORD_ID_CHARACTERS] {
        let mut digits = [0; SEQUENCE_NUMBER_DIGITS];
        number.write_decimal(&mut digits);
        let hash = self.0.clone().chain_update(digits).finalize();
        let mut id = [0; RECORD_ID_CHARACTERS];
        for (two, byte) in id.chunks_mut(2).zip(hash) {
            let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
            two.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        id
    }
}
