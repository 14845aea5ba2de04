//! The answer of PutRecords, written straight into the buffer.
//!
//! The same members in the same order as `output!` writes. Digits and shard ids need no escaping
//! and the names are known, so an entry is a few copies; by way of serde it costs three times that.

use super::super::Document;
use super::super::shared::{PLACE_BYTES, write_place};
use super::{Output, ResultEntry};
use crate::wire::{self, Format};
use ciborium_ll::{Encoder, Header};
use std::io::Write as _;

/// What stands around the entries, generously.
const FRAME_BYTES: usize = 128;

impl Document for Output {
    const MEMBERS: &'static [&'static str] = Self::MEMBERS;

    fn encode(&self, format: Format) -> Vec<u8> {
        let mut body = Vec::with_capacity(FRAME_BYTES + self.records.len() * (PLACE_BYTES + 1));
        match format {
            Format::Json => self.write_json(&mut body),
            Format::Cbor => self.write_cbor(&mut body),
        }
        .expect("a vector takes every byte");
        body
    }
}

impl Output {
    fn write_json(&self, body: &mut Vec<u8>) -> std::io::Result<()> {
        body.push(b'{');
        if let Some(encryption) = self.encryption {
            write!(body, r#""EncryptionType":"{encryption}","#)?;
        }
        write!(body, r#""FailedRecordCount":{},"Records":["#, self.failed)?;
        for (at, entry) in self.records.iter().enumerate() {
            if at > 0 {
                body.push(b',');
            }
            entry.write(Format::Json, body);
        }
        body.extend_from_slice(b"]}");
        Ok(())
    }

    fn write_cbor(&self, body: &mut Vec<u8>) -> std::io::Result<()> {
        let mut encoder = Encoder::from(&mut *body);
        encoder.push(Header::Map(Some(
            2 + usize::from(self.encryption.is_some()),
        )))?;
        if let Some(encryption) = self.encryption {
            encoder.text("EncryptionType", None)?;
            encoder.text(encryption, None)?;
        }
        encoder.text("FailedRecordCount", None)?;
        encoder.push(Header::Positive(self.failed as u64))?;
        encoder.text("Records", None)?;
        encoder.push(Header::Array(Some(self.records.len())))?;
        for entry in &self.records {
            entry.write(Format::Cbor, body);
        }
        Ok(())
    }
}

impl ResultEntry {
    /// Writes a place; or a refusal, of which there are few, as any other structure.
    fn write(&self, format: Format, body: &mut Vec<u8>) {
        match (self.sequence_number, self.shard_id, self.error_code) {
            (Some(number), Some(shard), None) => write_place(format, number, shard, body),
            _ => body.extend(wire::encode(format, self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SequenceNumber, ShardId};
    use crate::operation::shared::{NumberText, ShardText};
    use proptest::prelude::*;

    fn entry() -> impl Strategy<Value = ResultEntry> {
        let place = (0..=ShardId::MAX_INDEX, any::<u32>(), any::<u32>());
        let place = place.prop_map(|(shard, created, index)| ResultEntry {
            error_code: None,
            error_message: None,
            sequence_number: Some(NumberText(SequenceNumber {
                created_s: u64::from(created),
                index: u64::from(index),
                time_s: u64::from(created) + u64::from(index),
                shard,
            })),
            shard_id: Some(ShardText(ShardId::new(shard))),
        });
        let refusal = ".*".prop_map(|message| ResultEntry {
            error_code: Some("ProvisionedThroughputExceededException"),
            error_message: Some(message),
            sequence_number: None,
            shard_id: None,
        });
        prop_oneof![4 => place, 1 => refusal]
    }

    proptest! {
        #[test]
        fn an_answer_is_written_as_any_other_structure(
            records in prop::collection::vec(entry(), 0..40),
            encryption in prop::option::of(Just("KMS")),
            failed in 0_usize..500,
        ) {
            let output = Output { encryption, failed, records };
            for format in [Format::Json, Format::Cbor] {
                prop_assert_eq!(output.encode(format), wire::encode(format, &output));
            }
        }
    }
}
