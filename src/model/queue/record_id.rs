//! The `RecordId` of a record that is received from a queue.

use crate::model::{SEQUENCE_NUMBER_DIGITS, SequenceNumber, StreamArn};
use crate::world::Timestamp;
use md5::{Digest, Md5};

/// Number of characters of a `RecordId`.
pub(crate) const RECORD_ID_CHARACTERS: usize = 32;

/// Computes the `RecordId` of each record of one stream. A record has the same id in every delivery
/// and in every queue. The id is a hash of the stream's ARN, the stream's creation time and the
/// record's sequence number. The hash is a choice. No client depends on it, because no client
/// parses the id.
#[derive(Debug, Clone)]
pub(crate) struct RecordIds(Md5);

impl RecordIds {
    /// Prepares the computation of record ids for the stream `stream`, which was created at
    /// `created`.
    pub(crate) fn of(stream: &StreamArn, created: Timestamp) -> Self {
        let mut hash = Md5::new();
        hash.update(stream.to_string());
        hash.update(created.millis().to_be_bytes());
        Self(hash)
    }

    /// Returns the id of the record with the sequence number `number`, in lower-case hexadecimal
    /// digits.
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
