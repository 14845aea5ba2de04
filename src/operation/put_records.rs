//! PutRecords: many records, each taken or refused by itself.
mod encode;

use super::prelude::*;
use crate::engine::{Placed, PutFailure, Stream};
use crate::error::Kind;

pub(super) struct PutRecords;

input! { pub struct Input {
    "Records" => records: PutRecordsRequestEntryList,
    .. stream: StreamRef,
    "DryRun" => dry_run: Option<Truth>,
} }

input! {
    /// One of the records.
    pub struct PutRecordsRequestEntry {
        "PartitionKey" => partition_key: Expected<PartitionKey>,
        "ExplicitHashKey" => explicit_hash_key: Option<HashKeyText>,
        "Data" => data: Data,
    }
}

output! { pub struct Output {
    "EncryptionType" => encryption: Option<&'static str>,
    "FailedRecordCount" => failed: usize,
    "Records" => records: Vec<ResultEntry>,
} }

output! {
    /// What became of a record: its place, or why it was refused.
    pub struct ResultEntry {
        "ErrorCode" => error_code: Option<&'static str>,
        "ErrorMessage" => error_message: Option<String>,
        "SequenceNumber" => sequence_number: Option<NumberText>,
        "ShardId" => shard_id: Option<ShardText>,
    }
}

impl Operation for PutRecords {
    type Input = Input;
    type Output = Output;
    const SHARED: bool = true;

    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        context.resolve(&input.stream).map(Target::Stream)
    }

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let offered = input.records.0.into_iter().map(|entry| Offered {
            partition_key: entry.partition_key,
            explicit_hash_key: entry.explicit_hash_key,
            data: entry.data,
        });
        let path = |at: usize, name: &str| format!("records.{}.member.{name}", at + 1);
        let (stream, terms, records) = admit(context, &input.stream, offered.collect(), path)?;
        if input.dry_run == Some(Truth(true)) {
            return Err(Error::dry_run());
        }
        let results = stream.put_many(&context.engine, records).await;
        let failed = results.iter().filter(|result| result.is_err()).count();
        if failed > 0 {
            log_refused(&stream, &results);
        }
        let entry = |result| ResultEntry::of(&stream, result);
        Ok(Output {
            encryption: terms.encryption_shown(),
            failed,
            records: results.into_iter().map(entry).collect(),
        })
    }

    fn excuses(context: &Context, input: &Node) -> bool {
        is_auto(context, input)
    }
}

/// A batch answers with success however few of its records went in: whoever wonders finds the shard
/// and the limits in the log.
fn log_refused(stream: &Stream, results: &[Result<Placed, PutFailure>]) {
    let throttled = results.iter().filter_map(|result| match result {
        Err(PutFailure::Throttled(shard)) => Some(*shard),
        _ => None,
    });
    let Some(shard) = throttled.clone().next() else {
        return;
    };
    let (refused, offered) = (throttled.count(), results.len());
    let error = Error::write_rate_exceeded(shard, &stream.arn);
    tracing::warn!(
        operation = "PutRecords",
        stream = %stream.arn.name,
        "{refused} of {offered} records refused, the first with {}",
        error.with_remedy()
    );
}

impl ResultEntry {
    fn of(stream: &Stream, result: Result<Placed, PutFailure>) -> Self {
        let refused = |code, message| Self {
            error_code: Some(code),
            error_message: Some(message),
            sequence_number: None,
            shard_id: None,
        };
        match result {
            Ok(placed) => Self {
                error_code: None,
                error_message: None,
                sequence_number: Some(NumberText(placed.number)),
                shard_id: Some(ShardText(placed.shard)),
            },
            Err(PutFailure::Throttled(shard)) => {
                let error = Error::write_rate_exceeded(shard, &stream.arn);
                refused(
                    error.kind.name(),
                    error.message.unwrap_or_default().into_owned(),
                )
            }
            Err(PutFailure::Store) => refused(
                Kind::InternalFailure.name(),
                "Internal Service Failure".to_owned(),
            ),
        }
    }
}
