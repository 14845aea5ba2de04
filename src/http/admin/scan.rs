//! Searches the shards of a stream for records, and returns the records page by page.

use super::position::ListingStart;
use super::query::{Query, refused};
use super::state::Refused;
use crate::engine::{Read, ReadBudget, RecordView, Shard, StoreError, Stream};
use crate::limits;
use crate::model::{SequenceNumber, ShardId};
use crate::world::Timestamp;
use axum::http::StatusCode;
use std::sync::Arc;

/// The criteria that select records of a stream for a listing.
#[derive(Debug)]
pub(in crate::http) struct Selection {
    /// Selects only the records of this shard. None: the records of all shards.
    pub(in crate::http) shard: Option<ShardId>,
    /// Selects only the records with this partition key. None: all partition keys.
    pub(in crate::http) key: Option<String>,
    /// Selects only the records whose data contains this text. None: any data.
    pub(in crate::http) text: Option<String>,
    /// The position in each shard at which the listing starts.
    pub(in crate::http) from: ListingStart,
}

/// The start of a page in a listing of records: a shard, and the index of the first record to read
/// in the shard's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Cursor {
    pub(in crate::http) shard: ShardId,
    pub(in crate::http) index: u64,
}

impl Cursor {
    /// Parses a cursor from a query string. None if the text is not a cursor.
    pub(in crate::http) fn parse(text: &str) -> Option<Self> {
        let (shard, index) = text.split_once('-')?;
        Some(Self {
            shard: ShardId::checked(shard.parse().ok()?)?,
            index: index.parse().ok()?,
        })
    }

    /// The cursor as text, for a query string.
    pub(in crate::http) fn text(self) -> String {
        format!("{}-{}", self.shard.index(), self.index)
    }
}

impl Selection {
    /// Removes the parameters of a selection from the query and returns the selection. `default` is
    /// the start if the parameter `from` is missing.
    pub(in crate::http) fn take(query: &mut Query, default: ListingStart) -> Result<Self, Refused> {
        let shard = query.take("shard").map(|text| {
            let id = ShardId::parse(&text);
            id.ok_or_else(|| refused("shard is the id of a shard, such as shardId-000000000000"))
        });
        let shard = shard.transpose()?;
        let from = query.take("from").map(|text| ListingStart::parse(&text));
        let from = from.transpose()?.unwrap_or(default);
        if shard.is_some() && from.shard().is_some_and(|of| Some(of) != shard) {
            return Err(refused("from is a sequence number of another shard"));
        }
        Ok(Self {
            shard: shard.or(from.shard()),
            key: query.take("key"),
            text: query.take("text"),
            from,
        })
    }

    /// True if the record has the selected partition key, and its data contains the selected text.
    pub(in crate::http) fn shows(&self, record: &RecordView<'_>) -> bool {
        let has_key = self.key.is_none() || self.key.as_deref() == record.partition_key;
        let contains = |text: &str| memchr::memmem::find(record.data, text.as_bytes()).is_some();
        has_key && self.text.as_deref().is_none_or(contains)
    }

    /// Refuses the selection if it names a shard that the stream does not have.
    pub(in crate::http) fn check_shard(
        &self,
        stream: &Stream,
        now: Timestamp,
    ) -> Result<(), Refused> {
        match self.shard {
            Some(shard) if stream.readable_shard(shard, now).is_none() => {
                let text = format!("the stream has no shard {shard}");
                Err(Refused::new(StatusCode::NOT_FOUND, &text))
            }
            _ => Ok(()),
        }
    }

    /// The readable shards that the selection covers, in the order of their ids.
    pub(in crate::http) fn shards(&self, stream: &Stream, now: Timestamp) -> Vec<Arc<Shard>> {
        let ids = stream.listed_shards(now).into_iter().map(|shard| shard.id);
        ids.filter(|id| self.shard.is_none_or(|shard| shard == *id))
            .filter_map(|id| stream.readable_shard(id, now))
            .collect()
    }
}

/// A page of a listing of records, while records are being added to it.
pub(in crate::http) struct Page<T, M> {
    now: Timestamp,
    limit: usize,
    make: M,
    /// The entries of the page, one for each record that matches the selection.
    pub(in crate::http) shown: Vec<T>,
    /// Number of records that were read for the page, including the records that do not match the
    /// selection.
    pub(in crate::http) scanned: usize,
    /// Number of bytes of the entries in `shown`.
    bytes: u64,
}

impl<T, M: Fn(ShardId, &RecordView<'_>) -> (T, usize)> Page<T, M> {
    /// Makes an empty page for at most `limit` records. `make` converts a record to an entry of the
    /// page, and also returns the size of the entry in bytes.
    pub(in crate::http) fn new(now: Timestamp, limit: usize, make: M) -> Self {
        Self {
            now,
            limit,
            make,
            shown: Vec::new(),
            scanned: 0,
            bytes: 0,
        }
    }

    /// True if the page must not get further records. Either the page is as large as permitted, or
    /// as many records were read for the page as permitted.
    fn is_full(&self) -> bool {
        self.shown.len() >= self.limit
            || self.scanned >= limits::LISTING_SCANNED_RECORDS
            || self.bytes >= limits::LISTING_BYTES
    }

    /// Maximum number of records to read from the store at a time. For a search by key or text, the
    /// maximum is larger than the page, because usually only a few of the records match.
    fn batch_records(&self, selection: &Selection) -> usize {
        match selection.key.is_some() || selection.text.is_some() {
            true => limits::LISTING_SEARCHED_RECORDS,
            false => (self.limit - self.shown.len()).clamp(1, limits::LISTING_RECORDS_MOST),
        }
    }

    /// Reads one shard after another, and adds the matching records to the page until the page is
    /// full. Begins at `start` or, without `start`, at the start of the selection. Returns the
    /// start of the next page. None if there is no next page.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(in crate::http) async fn fill(
        &mut self,
        stream: &Stream,
        selection: &Selection,
        shards: &[Arc<Shard>],
        start: Option<Cursor>,
    ) -> Result<Option<Cursor>, StoreError> {
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

    /// Reads records of `shard` from `index` on, and adds the matching records to the page. Returns
    /// the index of the next record to read. None at the end of the shard.
    async fn read(
        &mut self,
        stream: &Stream,
        selection: &Selection,
        shard: &Shard,
        index: u64,
    ) -> Result<Option<u64>, StoreError> {
        let batch = shard
            .read(
                Read {
                    from: shard.position(index, self.now),
                    horizon: stream.horizon(self.now),
                    records: self.batch_records(selection),
                    bytes: limits::LISTING_BYTES,
                },
                ReadBudget::AtOnce,
            )
            .await?;
        for record in batch.iter() {
            if self.is_full() {
                return Ok(Some(record.number.index));
            }
            self.scanned += 1;
            if selection.shows(&record) {
                let (entry, bytes) = (self.make)(shard.id, &record);
                self.bytes += bytes as u64;
                self.shown.push(entry);
            }
        }
        // Yield, so that a search through a large shard does not delay other requests.
        tokio::task::yield_now().await;
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
        for text in ["", "1", "a-1", "1-b", "1-2-3", "-1-2", "2147483648-0"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
