//! `GET streams/NAME/records`: returns a page of records, without a shard iterator.

use super::position::From;
use super::query::{Query, refused};
use super::record_json;
use super::state::{Admin, Refused, failed, json};
use crate::engine::{Read, ReadBudget, Shard, Stream};
use crate::limits;
use crate::model::{SequenceNumber, ShardId};
use crate::world::Timestamp;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;

/// Selects the records of a stream to show.
#[derive(Debug)]
pub(super) struct Selection {
    /// The only shard to show. None for all shards.
    pub(super) shard: Option<ShardId>,
    /// The only partition key to show. None for all keys.
    pub(super) key: Option<String>,
    /// The record of each shard at which the listing starts.
    pub(super) from: From,
}

/// The start of a page: a shard, and the index of the first record in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    shard: ShardId,
    index: u64,
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        let (shard, index) = text.split_once('-')?;
        Some(Self {
            shard: ShardId::new(shard.parse().ok()?),
            index: index.parse().ok()?,
        })
    }

    fn text(self) -> String {
        format!("{}-{}", self.shard.index(), self.index)
    }
}

impl Selection {
    /// Reads the selection from the query string. `default` is the position if the query string
    /// names none.
    pub(super) fn take(query: &mut Query, default: From) -> Result<Self, Refused> {
        let shard = query.take("shard").map(|text| {
            let id = ShardId::parse(&text);
            id.ok_or_else(|| refused("shard is the id of a shard, such as shardId-000000000000"))
        });
        let shard = shard.transpose()?;
        let from = query.take("from").map(|text| From::parse(&text));
        let from = from.transpose()?.unwrap_or(default);
        if shard.is_some() && from.shard().is_some_and(|of| Some(of) != shard) {
            return Err(refused("from is a sequence number of another shard"));
        }
        Ok(Self {
            shard: shard.or(from.shard()),
            key: query.take("key"),
            from,
        })
    }

    /// True if records with this partition key are shown.
    pub(super) fn shows(&self, partition_key: Option<&str>) -> bool {
        self.key.is_none() || self.key.as_deref() == partition_key
    }

    /// Refuses a selection of a shard that the stream does not have.
    pub(super) fn check_shard(&self, stream: &Stream, now: Timestamp) -> Result<(), Refused> {
        match self.shard {
            Some(shard) if stream.readable_shard(shard, now).is_none() => {
                let text = format!("the stream has no shard {shard}");
                Err(Refused::new(StatusCode::NOT_FOUND, &text))
            }
            _ => Ok(()),
        }
    }

    /// The shards that are shown, in the order of their ids.
    pub(super) fn shards(&self, stream: &Stream, now: Timestamp) -> Vec<Arc<Shard>> {
        let ids = stream.listed_shards(now).into_iter().map(|shard| shard.id);
        ids.filter(|id| self.shard.is_none_or(|shard| shard == *id))
            .filter_map(|id| stream.readable_shard(id, now))
            .collect()
    }
}

/// Answers with a page of records.
pub(super) async fn records(
    admin: &Admin,
    stream: &Stream,
    mut query: Query,
) -> Result<Response, Refused> {
    let selection = Selection::take(&mut query, From::TrimHorizon)?;
    let most = 1..=limits::LOOK_RECORDS_MOST;
    let limit = query.number("limit", most, limits::LOOK_RECORDS)?;
    let next = query.take("next").map(|text| Cursor::parse(&text));
    if next == Some(None) {
        return Err(refused("next is not from an answer of this path"));
    }
    query.end()?;
    let mut page = Page {
        now: admin.engine.world.clock.now(),
        limit,
        shown: Vec::new(),
        scanned: 0,
        bytes: 0,
    };
    selection.check_shard(stream, page.now)?;
    let shards = selection.shards(stream, page.now);
    let next = page.fill(stream, &selection, &shards, next.flatten()).await;
    let next = next.map_err(|error| failed(&error))?;
    let mut answer = serde_json::Map::new();
    answer.insert("Records".to_owned(), Value::Array(page.shown));
    if let Some(next) = next {
        answer.insert("Next".to_owned(), Value::String(next.text()));
    }
    Ok(json(&Value::Object(answer)))
}

/// A page that is being filled.
struct Page {
    now: Timestamp,
    limit: usize,
    shown: Vec<Value>,
    /// Number of records that were read, shown or not.
    scanned: usize,
    /// Bytes of data and partition keys of the shown records.
    bytes: u64,
}

impl Page {
    /// True if no more records are read for this page.
    fn is_full(&self) -> bool {
        self.shown.len() >= self.limit
            || self.scanned >= limits::LOOK_SCANNED_RECORDS
            || self.bytes >= limits::LOOK_BYTES
    }

    /// Fills the page from `start` on, one shard after another. Returns the start of the next page.
    async fn fill(
        &mut self,
        stream: &Stream,
        selection: &Selection,
        shards: &[Arc<Shard>],
        start: Option<Cursor>,
    ) -> Result<Option<Cursor>, crate::engine::StoreError> {
        for shard in shards {
            let mut index = match start {
                Some(start) if shard.id < start.shard => continue,
                Some(start) if shard.id == start.shard => start.index,
                _ => selection.from.index(shard).await?,
            };
            loop {
                if self.is_full() {
                    let shard = shard.id;
                    return Ok(Some(Cursor { shard, index }));
                }
                match self.read(stream, selection, shard, index).await? {
                    Some(next) => index = next,
                    None => break,
                }
            }
        }
        Ok(None)
    }

    /// Adds records of a shard. Returns the index at which the next page continues. None at the end
    /// of the shard.
    async fn read(
        &mut self,
        stream: &Stream,
        selection: &Selection,
        shard: &Shard,
        index: u64,
    ) -> Result<Option<u64>, crate::engine::StoreError> {
        let batch = shard
            .read(
                Read {
                    from: shard.position(index, self.now),
                    horizon: stream.horizon(self.now),
                    records: (self.limit - self.shown.len()).clamp(1, limits::LOOK_RECORDS_MOST),
                    bytes: limits::LOOK_BYTES,
                },
                ReadBudget::AtOnce,
            )
            .await?;
        self.scanned += batch.len();
        for record in batch
            .iter()
            .filter(|record| selection.shows(record.partition_key))
        {
            self.bytes += record.data.len() as u64;
            self.shown
                .push(Value::Object(record_json::record(shard.id, &record)));
        }
        let next: SequenceNumber = batch.next();
        Ok((!batch.reached_end()).then_some(next.index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_as_it_is_written() {
        let cursor = Cursor {
            shard: ShardId::new(12),
            index: u64::MAX,
        };
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        for text in ["", "1", "a-1", "1-b", "1-2-3", "-1-2"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
