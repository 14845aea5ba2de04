//! Reading a log: from memory where the records still are, else from disk on a blocking thread.

use super::log::{Log, Place};
use super::segment::{Records, Run};
use super::{RecordView, StoreError};
use crate::limits::SEGMENTS_A_READ;
use crate::world::Timestamp;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// How much a read may return; at least one record whatever the bytes.
#[derive(Debug, Clone, Copy)]
pub struct ReadLimit {
    /// At most this many records.
    pub records: usize,
    /// At most this many bytes of partition keys and data.
    pub bytes: u64,
}

/// Records that were read. They share the memory of the segments they are in.
#[derive(Debug)]
pub struct Batch {
    runs: Vec<Run>,
    count: usize,
    weight: u64,
    last: Option<(u64, Timestamp)>,
    next_index: u64,
    reached_end: bool,
    /// What was read from disk is in memory for this batch alone, so it may be so long only as
    /// others are kept from reading.
    _from_disk: Option<OwnedSemaphorePermit>,
}

impl Batch {
    /// The records in order.
    pub fn iter(&self) -> impl Iterator<Item = RecordView<'_>> {
        self.runs.iter().flat_map(Run::iter)
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of data and partition keys.
    pub fn bytes(&self) -> u64 {
        self.weight
    }

    /// The index of the last of them, and when it arrived.
    pub fn last(&self) -> Option<(u64, Timestamp)> {
        self.last
    }

    /// Where to read on: after the last record here, or at the first index not looked at.
    pub fn next_index(&self) -> u64 {
        self.next_index
    }

    /// True when nothing visible came after these records at the time of the read.
    pub fn reached_end(&self) -> bool {
        self.reached_end
    }
}

/// What a read asks for.
#[derive(Debug, Clone, Copy)]
struct Wish {
    from: u64,
    horizon: Timestamp,
    limit: ReadLimit,
    visible: u64,
}

impl Wish {
    fn empty(&self) -> Batch {
        let next_index = self.from;
        Batch {
            runs: Vec::new(),
            count: 0,
            weight: 0,
            last: None,
            next_index,
            reached_end: false,
            _from_disk: None,
        }
    }

    /// The wanted among `records`, and whether there may be more wanted after them.
    fn select(&self, batch: &mut Batch, records: &impl Records) -> (Range<usize>, bool) {
        let wanted = |at| records.index(at) < self.from || records.arrival(at) < self.horizon;
        let start = records.search(wanted);
        let stop = records.search(|at| records.index(at) < self.visible);
        let mut end = start;
        while end < stop {
            let weight = records.weight(end);
            let full = batch.count >= self.limit.records
                || batch.count > 0 && batch.weight + weight > self.limit.bytes;
            if full {
                return (start..end, false);
            }
            batch.count += 1;
            batch.weight += weight;
            batch.next_index = records.index(end) + 1;
            batch.last = Some((records.index(end), records.arrival(end)));
            end += 1;
        }
        (start..end.max(start), true)
    }

    fn finish(&self, mut batch: Batch) -> Batch {
        batch.next_index = self.visible.max(self.from);
        batch.reached_end = true;
        batch
    }
}

enum Gathered {
    Ready(Batch),
    /// The records due are on disk, in these segments; each with the last index in it.
    OnDisk(Wish, Vec<(Place, u64)>),
}

impl Log {
    /// Reads visible records from index `from` on that did not arrive before `horizon`.
    pub async fn read(
        &self,
        from: u64,
        horizon: Timestamp,
        limit: ReadLimit,
    ) -> Result<Batch, StoreError> {
        let mut from = from;
        loop {
            let (wish, places) = match self.gather(from, horizon, limit) {
                Gathered::Ready(batch) => return Ok(batch),
                Gathered::OnDisk(wish, places) => (wish, places),
            };
            let (batch, missing) = self.load(wish, places).await?;
            if !batch.is_empty() || batch.reached_end {
                return Ok(batch);
            }
            // Nothing in these segments was due: what comes after them is.
            from = batch.next_index;
            if let Some((place, last)) = missing
                && self.is_at(&place, last)
            {
                from = last + 1;
            }
        }
    }

    /// Whether the segment that ends at index `last` should be at `place`: then it is lost.
    /// Otherwise it was moved or forgotten since somebody looked where it is.
    fn is_at(&self, place: &Place, last: u64) -> bool {
        let state = self.state.lock();
        let at = state.pieces.partition_point(|piece| piece.last < last);
        let now = state.pieces.get(at).and_then(|piece| piece.place.as_ref());
        now.is_some_and(|now| {
            Arc::ptr_eq(&now.generation, &place.generation) && now.number == place.number
        })
    }

    fn gather(&self, from: u64, horizon: Timestamp, limit: ReadLimit) -> Gathered {
        let state = self.state.lock();
        let wish = Wish {
            from,
            horizon,
            limit,
            visible: state.visible,
        };
        let mut batch = wish.empty();
        let passed = |piece: &super::log::Piece| piece.last < from || piece.last_arrival < horizon;
        let start = state.pieces.partition_point(passed);
        for (at, piece) in state.pieces.iter().enumerate().skip(start) {
            if piece.first >= wish.visible {
                break;
            }
            let Some(segment) = &piece.memory else {
                if !batch.is_empty() {
                    return Gathered::Ready(batch);
                }
                return Gathered::OnDisk(wish, places(state.pieces.range(at..), limit.bytes));
            };
            let (range, more) = wish.select(&mut batch, segment);
            if !range.is_empty() {
                batch.runs.push(segment.slice(range));
            }
            if !more {
                return Gathered::Ready(batch);
            }
        }
        if !state.tail.is_empty() {
            let (range, more) = wish.select(&mut batch, &state.tail);
            if !range.is_empty() {
                batch.runs.push(state.tail.copy(range));
            }
            if !more {
                return Gathered::Ready(batch);
            }
        }
        Gathered::Ready(wish.finish(batch))
    }

    /// Reads segments on disk, up to the first that is not where it was.
    async fn load(
        &self,
        wish: Wish,
        places: Vec<(Place, u64)>,
    ) -> Result<(Batch, Option<(Place, u64)>), StoreError> {
        let shared = self.shared().clone();
        let permit = shared.disk_reads.clone().acquire_owned().await.ok();
        blocking(self.shared().settings.on_runtime, move || {
            let mut batch = wish.empty();
            batch._from_disk = permit;
            for (place, last) in places {
                let segment = shared.generations.read(&place.generation, place.number)?;
                let Some(segment) = segment else {
                    return Ok((batch, Some((place, last))));
                };
                let (range, more) = wish.select(&mut batch, &segment);
                if !range.is_empty() {
                    batch.runs.push(segment.slice(range));
                }
                if !more {
                    return Ok((batch, None));
                }
                if batch.is_empty() {
                    batch.next_index = last + 1;
                }
            }
            batch.reached_end = batch.next_index >= wish.visible;
            Ok((batch, None))
        })
        .await
    }

    /// The index of the first visible record that arrived at `at` or later; the end without one.
    pub async fn index_at_time(&self, at: Timestamp) -> Result<u64, StoreError> {
        let mut from = 0;
        loop {
            let (place, last, end) = {
                let state = self.state.lock();
                let end = state.visible;
                let passed =
                    |piece: &super::log::Piece| piece.last < from || piece.last_arrival < at;
                let start = state.pieces.partition_point(passed);
                match state.pieces.get(start) {
                    None => return Ok(first_at(&state.tail, at).unwrap_or(end).min(end)),
                    Some(piece) => match (&piece.memory, &piece.place) {
                        (Some(segment), _) => {
                            return Ok(first_at(segment, at).unwrap_or(end).min(end));
                        }
                        (None, Some(place)) => (place.clone(), piece.last, end),
                        (None, None) => unreachable!("a segment is in memory or on disk"),
                    },
                }
            };
            let shared = self.shared().clone();
            let looked = place.clone();
            let segment = blocking(self.shared().settings.on_runtime, move || {
                shared.generations.read(&looked.generation, looked.number)
            });
            let segment = segment.await?;
            if segment.is_none() && !self.is_at(&place, last) {
                continue;
            }
            match segment.and_then(|segment| first_at(&segment, at)) {
                Some(index) => return Ok(index.min(end)),
                None => from = last + 1,
            }
        }
    }
}

/// Reads from disk on a thread for such things; here, where nothing blocks.
async fn blocking<T: Send + 'static>(
    here: bool,
    read: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    if here {
        return read();
    }
    let done = tokio::task::spawn_blocking(read).await;
    done.map_err(|error| StoreError::Unreadable(error.to_string().into()))?
}

fn first_at(records: &impl Records, at: Timestamp) -> Option<u64> {
    let position = records.search(|position| records.arrival(position) < at);
    (position < records.len()).then(|| records.index(position))
}

/// The segments on disk that a read of `bytes` wants, at most a few at a time.
fn places<'a>(
    pieces: impl Iterator<Item = &'a super::log::Piece>,
    bytes: u64,
) -> Vec<(Place, u64)> {
    let mut places = Vec::new();
    let mut sum = 0;
    for piece in pieces {
        match (&piece.memory, &piece.place) {
            (None, Some(place)) if places.len() < SEGMENTS_A_READ && (sum == 0 || sum < bytes) => {
                sum += piece.bytes;
                places.push((place.clone(), piece.last));
            }
            _ => break,
        }
    }
    places
}
