//! PutRecords: writes up to 500 records, each of which is accepted or refused separately.
mod answer;

use super::context::{EntryFailure, FailedEntries};
use super::prelude::*;
use crate::engine::{Placed, PutFailure, Stream};
use crate::model::{NewRecord, ShardId};
use crate::wire::list;
pub use answer::Output;
use std::sync::Once;

pub(super) struct PutRecords;

list!(/// The entries of a PutRecords request.
    PutRecordsRequestEntryList of PutRecordsRequestEntry, length: 1..=500);

input! { pub struct Input {
    "Records" => records: PutRecordsRequestEntryList,
    .. stream: StreamRef,
    "DryRun" => dry_run: Option<Truth>,
} }

input! {
    /// An entry of a PutRecords request: one record, with the members that select its shard.
    pub struct PutRecordsRequestEntry {
        "PartitionKey" => partition_key: Expected<PartitionKey>,
        "ExplicitHashKey" => explicit_hash_key: Option<HashKeyText>,
        "Data" => data: Data,
    }
}

impl Operation for PutRecords {
    type Input = Input;
    type Output = Output;
    const SHARED: bool = true;
    const READ_FAST: bool = true;

    fn shards(context: &Context, input: &Input) -> Vec<Option<ShardId>> {
        let entries = input.records.0.iter();
        let keys = entries.map(|entry| (&entry.partition_key, entry.explicit_hash_key.as_ref()));
        shards_of(context, &input.stream, keys)
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
        let records = offered.into_iter().map(|one| routed(&settings, one));
        let records = records.collect::<Result<_, _>>()?;
        if input.dry_run == Some(Truth(true)) {
            return Err(Error::dry_run("PutRecords"));
        }
        let results = put(context, &stream, records).await;
        log_refused(&stream, &results);
        let encryption = settings.encryption_shown();
        Ok(Output::new(encryption, stream.arn.clone(), results))
    }

    fn tolerates_missing(context: &Context, input: &Node) -> bool {
        is_auto(context, input)
    }
}

/// Logs the throttled records of a PutRecords request. Users easily overlook these records, because
/// the call succeeds even if all records are refused. In addition, the entries of the answer do not
/// name the limit.
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
    // Some clients silently drop refused records. The first log line therefore also says how to
    // prevent refusals.
    static FIRST: Once = Once::new();
    let mut remedy = "";
    FIRST.call_once(|| remedy = "; --profile fast switches all rates off");
    tracing::warn!(
        operation = "PutRecords",
        stream = %stream.arn.name,
        "{refused} of {offered} records refused, the first with {}{remedy}",
        error.with_remedy()
    );
}

/// Writes the records to the stream, except for the records into which a fault rule injects a
/// failure.
async fn put(
    context: &Context,
    stream: &Stream,
    records: Vec<NewRecord>,
) -> Vec<Result<Placed, PutFailure>> {
    let Some(FailedEntries(failures)) = &context.failed_entries else {
        return stream.put_many(&context.engine, records).await;
    };
    let entries = records.into_iter().zip(failures);
    let kept = entries.filter_map(|(record, failure)| failure.is_none().then_some(record));
    let kept: Vec<NewRecord> = kept.collect();
    let mut written = match kept.is_empty() {
        true => Vec::new(),
        false => stream.put_many(&context.engine, kept).await,
    }
    .into_iter();
    let results = failures.iter().map(|failure| match failure {
        Some(EntryFailure::Throttled(shard)) => Err(PutFailure::Throttled(*shard)),
        Some(EntryFailure::Internal) => Err(PutFailure::Store),
        None => written.next().unwrap_or(Err(PutFailure::Store)),
    });
    results.collect()
}
