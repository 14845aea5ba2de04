//! The answer of PutRecords. The answer is written directly into the buffer, because serde takes
//! three times as long. The members have the same order as in a structure of `output!`.

use super::super::answer::Document;
use super::super::placement::{NumberText, PLACEMENT_BYTES, ShardText, write_placement};
use crate::engine::{Placed, PutFailure};
use crate::error::{Error, Kind};
use crate::model::StreamArn;
use crate::wire::{self, Format, output};
use ciborium_ll::{Encoder, Header};
use std::borrow::Cow;
use std::io::Write as _;

/// An upper bound of the size of an answer without its entries, in bytes.
const FRAME_BYTES: usize = 128;

/// The output of PutRecords: the result of each record, in the order of the request.
#[derive(Debug)]
pub struct Output {
    encryption: Option<&'static str>,
    stream: StreamArn,
    results: Vec<Result<Placed, PutFailure>>,
}

output! {
    /// The entry for a refused record in the answer of PutRecords.
    pub struct Refusal {
        "ErrorCode" => error_code: &'static str,
        "ErrorMessage" => error_message: Cow<'static, str>,
    }
}

impl Document for Output {
    const MEMBERS: &'static [&'static str] = &["EncryptionType", "FailedRecordCount", "Records"];

    fn encode(&self, format: Format) -> Vec<u8> {
        let mut body = Vec::with_capacity(FRAME_BYTES + self.results.len() * (PLACEMENT_BYTES + 1));
        match format {
            Format::Json => self.write_json(&mut body),
            Format::Cbor | Format::RpcV2Cbor => self.write_cbor(&mut body),
        }
        .expect("a vector takes every byte");
        body
    }
}

impl Output {
    pub(super) fn new(
        encryption: Option<&'static str>,
        stream: StreamArn,
        results: Vec<Result<Placed, PutFailure>>,
    ) -> Self {
        Self {
            encryption,
            stream,
            results,
        }
    }

    fn failed(&self) -> usize {
        self.results.iter().filter(|result| result.is_err()).count()
    }

    fn write_json(&self, body: &mut Vec<u8>) -> std::io::Result<()> {
        body.push(b'{');
        if let Some(encryption) = self.encryption {
            write!(body, r#""EncryptionType":"{encryption}","#)?;
        }
        write!(body, r#""FailedRecordCount":{},"Records":["#, self.failed())?;
        for (at, result) in self.results.iter().enumerate() {
            if at > 0 {
                body.push(b',');
            }
            self.write(Format::Json, *result, body);
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
        encoder.push(Header::Positive(self.failed() as u64))?;
        encoder.text("Records", None)?;
        encoder.push(Header::Array(Some(self.results.len())))?;
        for result in &self.results {
            self.write(Format::Cbor, *result, body);
        }
        Ok(())
    }

    fn write(&self, format: Format, result: Result<Placed, PutFailure>, body: &mut Vec<u8>) {
        match result {
            Ok(Placed { shard, number }) => {
                write_placement(format, NumberText(number), ShardText(shard), body);
            }
            Err(failure) => {
                body.extend(wire::encode(format, &Refusal::of(&self.stream, failure)));
            }
        }
    }
}

impl Refusal {
    fn of(stream: &StreamArn, failure: PutFailure) -> Self {
        match failure {
            PutFailure::Throttled(shard) => {
                let error = Error::write_rate_exceeded(shard, stream);
                Self {
                    error_code: error.kind.name(),
                    error_message: error.message.unwrap_or_default(),
                }
            }
            PutFailure::Store => Self {
                error_code: Kind::InternalFailure.name(),
                error_message: Cow::Borrowed("Internal Service Failure"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountId, AccountRegion, Region, SequenceNumber, ShardId};
    use proptest::prelude::*;

    output! { pub struct Whole {
        "EncryptionType" => encryption: Option<&'static str>,
        "FailedRecordCount" => failed: usize,
        "Records" => records: Vec<Entry>,
    } }

    output! { pub struct Entry {
        "ErrorCode" => error_code: Option<&'static str>,
        "ErrorMessage" => error_message: Option<Cow<'static, str>>,
        "SequenceNumber" => sequence_number: Option<NumberText>,
        "ShardId" => shard_id: Option<ShardText>,
    } }

    impl Entry {
        fn of(stream: &StreamArn, result: Result<Placed, PutFailure>) -> Self {
            let refusal = result.err().map(|failure| Refusal::of(stream, failure));
            Self {
                error_code: refusal.as_ref().map(|refusal| refusal.error_code),
                error_message: refusal.map(|refusal| refusal.error_message),
                sequence_number: result.ok().map(|placed| NumberText(placed.number)),
                shard_id: result.ok().map(|placed| ShardText(placed.shard)),
            }
        }
    }

    fn result() -> impl Strategy<Value = Result<Placed, PutFailure>> {
        let placed = (0..=ShardId::MAX_INDEX, any::<u32>(), any::<u32>());
        let placed = placed.prop_map(|(shard, created, index)| {
            let number = SequenceNumber {
                created_s: u64::from(created),
                index: u64::from(index),
                time_s: u64::from(created) + u64::from(index),
                shard,
            };
            let shard = ShardId::new(shard);
            Ok(Placed { shard, number })
        });
        let throttled = (0..=ShardId::MAX_INDEX).prop_map(|shard| {
            let shard = ShardId::new(shard);
            Err(PutFailure::Throttled(shard))
        });
        prop_oneof![4 => placed, 1 => throttled, 1 => Just(Err(PutFailure::Store))]
    }

    proptest! {
        #[test]
        fn the_answer_is_encoded_as_serde_would(
            results in prop::collection::vec(result(), 0..40),
            encryption in prop::option::of(Just("KMS")),
        ) {
            let scope = AccountRegion { account: AccountId::default(), region: Region::new("us-east-1") };
            let stream = StreamArn::new(scope, "orders");
            let entry = |result| Entry::of(&stream, result);
            let whole = Whole {
                encryption,
                failed: results.iter().filter(|result| result.is_err()).count(),
                records: results.iter().copied().map(entry).collect(),
            };
            prop_assert_eq!(Whole::MEMBERS, Output::MEMBERS);
            let output = Output { encryption, stream: stream.clone(), results };
            for format in [Format::Json, Format::Cbor] {
                prop_assert_eq!(output.encode(format), wire::encode(format, &whole));
            }
        }
    }
}
