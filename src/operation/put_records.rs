//! PutRecords: many records, each taken or refused by itself.
mod encode;

use super::prelude::*;
use crate::engine::{Placed, PutFailure, Stream};
use crate::error::Kind;
use crate::model::StreamArn;
use std::borrow::Cow;

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

/// What became of each record, in their order.
#[derive(Debug)]
pub struct Output {
    encryption: Option<&'static str>,
    stream: StreamArn,
    results: Vec<Result<Placed, PutFailure>>,
}

output! {
    /// Why a record was refused.
    pub struct Refusal {
        "ErrorCode" => error_code: &'static str,
        "ErrorMessage" => error_message: Cow<'static, str>,
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
        let offered: Vec<Offered> = offered.collect();
        let path = |at: usize, name: &str| format!("records.{}.member.{name}", at + 1);
        let (stream, settings) = admit(context, &input.stream, &offered, path)?;
        let records = offered
            .into_iter()
            .map(|one| routed(context, &settings, one));
        let records = records.collect::<Result<_, _>>()?;
        if input.dry_run == Some(Truth(true)) {
            return Err(Error::dry_run());
        }
        let results = stream.put_many(&context.engine, records).await;
        log_refused(&stream, &results);
        Ok(Output {
            encryption: settings.encryption_shown(),
            stream: stream.arn.clone(),
            results,
        })
    }

    fn tolerates_missing(context: &Context, input: &Node) -> bool {
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
