//! The answer of GetRecords. It is encoded directly from the segments that hold the records.

use super::super::answer::Document;
use super::super::records::{size_guess, write_records_cbor, write_records_json};
use super::super::shard_description::ChildShard;
use crate::admission::BudgetPermit;
use crate::engine::Batch;
use crate::wire::{self, Format};
use ciborium_io::Write as _;
use ciborium_ll::{Encoder, Header};
use std::io::Write as _;

/// The output of GetRecords: the records and the next iterator. At the end of a closed shard, the
/// output contains the shard's children instead of an iterator.
#[derive(Debug)]
pub struct Output {
    millis_behind_latest: i64,
    batch: Option<Batch>,
    next: Option<String>,
    children: Vec<ChildShard>,
}

impl Output {
    pub(super) fn of(batch: Batch, next: String, millis_behind_latest: i64) -> Self {
        Self {
            millis_behind_latest,
            batch: Some(batch),
            next: Some(next),
            children: Vec::new(),
        }
    }

    pub(super) fn at_shard_end(
        children: impl Iterator<Item = ChildShard>,
        millis_behind_latest: i64,
    ) -> Self {
        let children = children.collect();
        Self {
            millis_behind_latest,
            batch: None,
            next: None,
            children,
        }
    }
}

impl Document for Output {
    const MEMBERS: &'static [&'static str] = &[
        "ChildShards",
        "MillisBehindLatest",
        "NextShardIterator",
        "Records",
    ];

    fn size_bytes(&self) -> usize {
        size_guess(self.batch.as_ref())
    }

    fn take_permit(&mut self) -> Option<BudgetPermit> {
        self.batch.as_mut().and_then(Batch::take_permit)
    }

    fn encode(&self, format: Format) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.size_bytes());
        match format {
            Format::Json => self.write_json(&mut body),
            Format::Cbor | Format::RpcV2Cbor => self
                .write_cbor(format, &mut body)
                .expect("a vector takes every byte"),
        }
        body
    }
}

impl Output {
    fn write_json(&self, body: &mut Vec<u8>) {
        body.push(b'{');
        if !self.children.is_empty() {
            body.extend_from_slice(b"\"ChildShards\":");
            body.extend(wire::encode(Format::Json, &self.children));
            body.push(b',');
        }
        let _ = write!(
            body,
            "\"MillisBehindLatest\":{},",
            self.millis_behind_latest
        );
        if let Some(next) = &self.next {
            let _ = write!(body, "\"NextShardIterator\":\"{next}\",");
        }
        body.extend_from_slice(b"\"Records\":");
        write_records_json(self.batch.as_ref(), body);
        body.push(b'}');
    }

    fn write_cbor(&self, format: Format, body: &mut Vec<u8>) -> Result<(), std::io::Error> {
        let members = 2 + usize::from(self.next.is_some()) + usize::from(!self.children.is_empty());
        let mut encoder = Encoder::from(&mut *body);
        encoder.push(Header::Map(Some(members)))?;
        if !self.children.is_empty() {
            encoder.text("ChildShards", None)?;
            encoder.write_all(&wire::encode(format, &self.children))?;
        }
        encoder.text("MillisBehindLatest", None)?;
        encoder.push(Header::Positive(self.millis_behind_latest.unsigned_abs()))?;
        if let Some(next) = &self.next {
            encoder.text("NextShardIterator", None)?;
            encoder.text(next, None)?;
        }
        encoder.text("Records", None)?;
        write_records_cbor(format, self.batch.as_ref(), &mut encoder)
    }
}
