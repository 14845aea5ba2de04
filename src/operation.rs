//! The operations: one file each, and the table from which all else about them is derived.
#![allow(
    unreachable_pub,
    reason = "shapes are declared public and reached through the table"
)]

mod create_stream;
mod delete_stream;
mod describe_stream;
mod describe_stream_summary;
mod get_records;
mod get_shard_iterator;
mod list_shards;
mod list_streams;
mod prelude;
mod put_record;
mod put_records;
mod shapes;
mod shared;

use crate::engine::Engine;
use crate::error::Error;
use crate::model::Scope;
use crate::wire::{self, Explained, Format, Node, Shape, Shaped};
use bytes::Bytes;
use std::pin::Pin;
use std::sync::Arc;

/// What an operation is handed: the state, and whose request it is.
#[derive(Debug, Clone)]
pub struct Context {
    /// All streams of all accounts.
    pub engine: Arc<Engine>,
    /// Account and region of the request.
    pub caller: Scope,
}

/// An operation of the service.
pub trait Operation {
    /// What it takes; the type carries the rules.
    type Input: Shaped + Send;
    /// What it answers.
    type Output: Document + Send;

    /// Does it.
    fn run(
        context: &Context,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send;

    /// Whether members that are only expected may be absent in this request.
    fn excuses(_context: &Context, _input: &Node) -> bool {
        false
    }
}

/// An answer's body.
pub trait Document {
    /// Names of the members, as the service model spells them.
    const MEMBERS: &'static [&'static str];

    /// The body in `format`; empty for an operation without output.
    fn encode(&self, format: Format) -> Vec<u8>;
}

/// The answer of an operation without output: an empty body, in either format.
#[derive(Debug)]
pub struct Nothing;

impl Document for Nothing {
    const MEMBERS: &'static [&'static str] = &[];

    fn encode(&self, _format: Format) -> Vec<u8> {
        Vec::new()
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Vec<u8>, Error>> + Send>>;

/// One row of the table of operations.
pub struct Entry {
    /// The name, as the target header spells it.
    pub name: &'static str,
    /// What it takes.
    pub input: &'static Shape,
    /// Names of the members it answers.
    pub output: &'static [&'static str],
    run: fn(Context, Bytes, Format) -> Answer,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Entry {
    const fn of<O: Operation + 'static>(name: &'static str) -> Self {
        Self {
            name,
            input: <O::Input as Shaped>::SHAPE,
            output: <O::Output as Document>::MEMBERS,
            run: |context, body, format| Box::pin(run::<O>(context, body, format)),
        }
    }

    /// The operation called `name`.
    pub fn find(name: &str) -> Option<&'static Self> {
        let at = OPERATIONS
            .binary_search_by(|entry| entry.name.cmp(name))
            .ok()?;
        Some(&OPERATIONS[at])
    }

    /// From a request's body to the body of its answer.
    ///
    /// # Errors
    /// The exception that the service would answer.
    pub async fn answer(
        &self,
        context: Context,
        body: Bytes,
        format: Format,
    ) -> Result<Vec<u8>, Error> {
        (self.run)(context, body, format).await
    }
}

/// Every operation there is, sorted by name.
pub static OPERATIONS: &[Entry] = &[
    Entry::of::<create_stream::CreateStream>("CreateStream"),
    Entry::of::<delete_stream::DeleteStream>("DeleteStream"),
    Entry::of::<describe_stream::DescribeStream>("DescribeStream"),
    Entry::of::<describe_stream_summary::DescribeStreamSummary>("DescribeStreamSummary"),
    Entry::of::<get_records::GetRecords>("GetRecords"),
    Entry::of::<get_shard_iterator::GetShardIterator>("GetShardIterator"),
    Entry::of::<list_shards::ListShards>("ListShards"),
    Entry::of::<list_streams::ListStreams>("ListStreams"),
    Entry::of::<put_record::PutRecord>("PutRecord"),
    Entry::of::<put_records::PutRecords>("PutRecords"),
];

async fn run<O: Operation>(
    context: Context,
    body: Bytes,
    format: Format,
) -> Result<Vec<u8>, Error> {
    let input = match wire::decode(format, &body) {
        Some(input) => input,
        None => explain::<O>(&context, &body, format)?,
    };
    drop(body);
    Ok(O::run(&context, input).await?.encode(format))
}

/// The slow way, for a body that the fast reader refused.
fn explain<O: Operation>(
    context: &Context,
    body: &[u8],
    format: Format,
) -> Result<O::Input, Error> {
    let shape = <O::Input as Shaped>::SHAPE;
    match wire::explain(format, body, shape, |input| O::excuses(context, input)) {
        Explained::Fine(input) => Ok(input),
        Explained::Unreadable => Err(Error::unreadable()),
        Explained::Mistyped(mismatch) => Err(Error::mistyped(mismatch.0)),
        Explained::Invalid(report) => Err(Error::invalid(report.message())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_without_doubles() {
        assert!(
            OPERATIONS
                .windows(2)
                .all(|pair| pair[0].name < pair[1].name)
        );
    }
}
