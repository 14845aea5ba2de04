//! Reads the records of a log. Records in memory are read immediately. Other records are read from
//! the disk, in a thread for blocking work.

use super::segments::{Location, SegmentRef};
use super::shard_log::Log;
use crate::limits::SEGMENTS_A_READ;
use crate::store::error::StoreError;
use crate::store::format::record::{PackedRecords, Record, Records};
use crate::store::generations::Unread;
use crate::store::shared::state::Shared;
use crate::world::Timestamp;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// Number of bytes of records that [`Log::read_all`] reads in one step.
const READ_ALL_BYTES: u64 = 1 << 20;

/// The maximum size of a read. A read returns at least one record, even if this record has more
/// than `bytes` bytes.
#[derive(Debug, Clone, Copy)]
pub struct ReadLimit {
    /// Maximum number of records that the read returns.
    pub records: usize,
    /// Maximum number of bytes of partition keys and data that the read returns.
    pub bytes: u64,
}

/// The records that a read of a log returned. The batch shares memory with the segments of these
/// records.
#[derive(Debug, Default)]
pub struct Batch {
    runs: Vec<PackedRecords>,
    count: usize,
    weight: u64,
    last: Option<(u64, Timestamp)>,
    next_index: u64,
    reached_end: bool,
    /// The permit to read from the disk. The number of permits bounds the number of batches that
    /// hold segments from the disk in memory. `None` if the records of the batch count in the
    /// in-flight budget, or were read from memory.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Batch {
    /// Iterates over the records of the batch in ascending order of their indexes.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        self.runs.iter().flat_map(PackedRecords::iter)
    }

    /// Returns the number of records in the batch.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns true if the batch has no records.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the number of bytes of the partition keys and data of all records in the batch.
    pub fn bytes(&self) -> u64 {
        self.weight
    }

    /// Returns the index and the arrival time of the last record in the batch. Returns `None` if
    /// the batch has no records.
    pub fn last(&self) -> Option<(u64, Timestamp)> {
        self.last
    }

    /// Returns the index at which the next read of the log has to start.
    pub fn next_index(&self) -> u64 {
        self.next_index
    }

    /// Returns true if, at the time of the read, the log had no published record after the records
    /// of the batch.
    pub fn reached_end(&self) -> bool {
        self.reached_end
    }
}

/// A read of a log, with the bounds on the records that it returns.
#[derive(Debug, Clone, Copy)]
struct ReadRequest {
    from: u64,
    /// The earliest arrival time of a record that has not expired. The read returns no older
    /// record.
    horizon: Timestamp,
    limit: ReadLimit,
    /// The index after the last published record of the log.
    visible: u64,
}

impl ReadRequest {
    fn empty_batch(&self) -> Batch {
        Batch {
            next_index: self.from,
            ..Batch::default()
        }
    }

    /// Adds to `batch` the records in `records` that the read requests. Returns true if the batch
    /// has space for further records.
    fn select(&self, batch: &mut Batch, records: &impl Records) -> bool {
        let start = records.first_from(self.from, self.horizon);
        let stop = records.end_before(self.visible);
        let (mut end, mut has_space) = (start, true);
        while end < stop {
            let weight = records.weight(end);
            has_space = batch.count < self.limit.records
                && (batch.count == 0 || batch.weight + weight <= self.limit.bytes);
            if !has_space {
                break;
            }
            batch.count += 1;
            batch.weight += weight;
            batch.next_index = records.index(end) + 1;
            batch.last = Some((records.index(end), records.arrival(end)));
            end += 1;
        }
        if start < end {
            batch.runs.push(records.slice(start..end));
        }
        has_space
    }

    /// Completes a batch whose read has reached the last published record of the log. The next read
    /// will start after that record.
    fn finish(&self, mut batch: Batch) -> Batch {
        batch.next_index = self.visible.max(self.from);
        batch.reached_end = true;
        batch
    }

    /// Reads the segments at `locations` from the disk, and returns the requested records in these
    /// segments. Stops at a segment that cannot be read, and then also returns the location of this
    /// segment and the cause.
    fn load(
        &self,
        shared: &Shared,
        locations: Vec<Location>,
    ) -> Result<(Batch, Option<(Location, String)>), StoreError> {
        let mut batch = self.empty_batch();
        for location in locations {
            let segment = match shared.generations.read(&location.0, &location.1) {
                Ok(segment) => segment,
                Err(Unread::Failed(error)) => return Err(error),
                Err(Unread::Lost(problem)) => return Ok((batch, Some((location, problem)))),
            };
            if !self.select(&mut batch, &segment) {
                return Ok((batch, None));
            }
            if batch.is_empty() {
                batch.next_index = location.1.last + 1;
            }
        }
        batch.reached_end = batch.next_index >= self.visible;
        Ok((batch, None))
    }
}

/// A read from the disk that has not started yet.
#[derive(Debug)]
pub(crate) struct DiskRead {
    request: ReadRequest,
    /// The locations of the segments on disk that contain the requested records.
    locations: Vec<Location>,
}

/// The bound on the memory that records from the disk occupy: the in-flight budget, or the number
/// of permits to read from the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemoryBound {
    /// The records count in the in-flight budget.
    Budget,
    /// The batch of the records keeps its permit to read from the disk. The owner of the batch must
    /// not wait for anything, because other reads may be waiting for the permit.
    DiskPermit,
}

impl DiskRead {
    /// Estimates the number of records that the read will return, and the number of bytes of these
    /// records.
    pub(crate) fn estimate(&self) -> (usize, u64) {
        let (mut records, mut bytes, mut average) = (0, 0, 0);
        for (_, entry) in &self.locations {
            records += entry.records as usize;
            bytes += u64::from(entry.bytes);
            average = average.max(entry.bytes.div_ceil(entry.records.max(1)));
        }
        let limit = self.request.limit;
        let records = records.min(limit.records);
        let bytes = bytes.min(limit.bytes);
        (records, bytes.min(records as u64 * u64::from(average)))
    }
}

impl Log {
    /// Reads published records of the log, up to `limit`. The records have an index of at least
    /// `from` and an arrival time of at least `horizon`.
    ///
    /// # Errors
    /// The disk cannot be read, or was occupied by other reads for too long.
    pub async fn read(
        &self,
        from: u64,
        horizon: Timestamp,
        limit: ReadLimit,
    ) -> Result<Batch, StoreError> {
        match self.read_memory(from, horizon, limit) {
            Ok(batch) => Ok(batch),
            Err(read) => self.read_disk(read, MemoryBound::DiskPermit).await,
        }
    }

    /// Runs the disk read `read`. If all records of this read have expired or cannot be read, the
    /// function reads later records instead. `bound` names the bound on the memory of the returned
    /// records.
    ///
    /// # Errors
    /// The disk cannot be read, or was occupied by other reads for too long.
    pub(crate) async fn read_disk(
        &self,
        mut read: DiskRead,
        bound: MemoryBound,
    ) -> Result<Batch, StoreError> {
        loop {
            let DiskRead { request, locations } = read;
            let load = move |shared: &Shared| request.load(shared, locations);
            let ((mut batch, lost), permit) = self.blocking(load).await?;
            if !batch.is_empty() || batch.reached_end {
                batch._permit = (bound == MemoryBound::DiskPermit).then_some(permit);
                return Ok(batch);
            }
            if let Some((location, problem)) = lost {
                self.drop_lost_segment(&location, &problem);
            }
            // None of the segments has a record to return, so the read continues after these
            // segments.
            match self.read_memory(batch.next_index, request.horizon, request.limit) {
                Ok(batch) => return Ok(batch),
                Err(next) => read = next,
            }
        }
    }

    /// Reads all published records of the log in the calling thread, and calls `each` for each
    /// record. Only the start of the program may block a thread in this way.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn read_all(&self, mut each: impl FnMut(Record<'_>)) -> Result<(), StoreError> {
        let (horizon, mut from) = (Timestamp::from_millis(i64::MIN), 0);
        let limit = ReadLimit {
            records: usize::MAX,
            bytes: READ_ALL_BYTES,
        };
        loop {
            let batch = match self.read_memory(from, horizon, limit) {
                Ok(batch) => batch,
                Err(DiskRead { request, locations }) => {
                    let (batch, lost) = request.load(&self.shared, locations)?;
                    if let Some((location, problem)) = lost.filter(|_| batch.is_empty()) {
                        self.drop_lost_segment(&location, &problem);
                        from = batch.next_index;
                        continue;
                    }
                    batch
                }
            };
            batch.iter().for_each(&mut each);
            if batch.reached_end {
                return Ok(());
            }
            from = batch.next_index;
        }
    }

    /// Reads published records from memory, up to `limit`. The records have an index of at least
    /// `from` and an arrival time of at least `horizon`. Stops at a record that is only on disk.
    ///
    /// # Errors
    /// The first of the records is only on disk. The error is the `DiskRead` that the caller has to
    /// run.
    pub(crate) fn read_memory(
        &self,
        from: u64,
        horizon: Timestamp,
        limit: ReadLimit,
    ) -> Result<Batch, DiskRead> {
        let state = self.state.lock();
        let request = ReadRequest {
            from,
            horizon,
            limit,
            visible: state.visible,
        };
        let mut batch = request.empty_batch();
        let start = state.first_from(from, horizon);
        for (at, segment) in state.segments.iter().enumerate().skip(start) {
            if segment.entry.first >= request.visible {
                break;
            }
            let Some(segment) = &segment.memory else {
                if !batch.is_empty() {
                    return Ok(batch);
                }
                let locations = locations(state.segments.range(at..), limit.bytes);
                return Err(DiskRead { request, locations });
            };
            if !request.select(&mut batch, segment) {
                return Ok(batch);
            }
        }
        match request.select(&mut batch, &state.tail) {
            true => Ok(request.finish(batch)),
            false => Ok(batch),
        }
    }

    /// Returns the index of the first published record that arrived at `at` or later. If there is
    /// no such record, returns the index after the last published record.
    pub async fn index_at_time(&self, at: Timestamp) -> Result<u64, StoreError> {
        let mut from = 0;
        loop {
            let (location, end) = match self.find(from, at) {
                Ok(index) => return Ok(index),
                Err(found) => found,
            };
            let (generation, entry) = location.clone();
            let read = move |shared: &Shared| Ok(shared.generations.read(&generation, &entry));
            let (segment, _permit) = self.blocking(read).await?;
            match segment {
                Ok(segment) => match first_at(&segment, at) {
                    Some(index) => return Ok(index.min(end)),
                    None => from = entry.last + 1,
                },
                Err(Unread::Lost(problem)) => self.drop_lost_segment(&location, &problem),
                Err(Unread::Failed(error)) => return Err(error),
            }
        }
    }

    /// Finds the index of the first published record that arrived at `at` or later and has an index
    /// of at least `from`. If there is no such record, returns the index after the last published
    /// record.
    ///
    /// # Errors
    /// The record may be in a segment that is only on disk. The error is the location of this
    /// segment, and the index after the last published record.
    fn find(&self, from: u64, at: Timestamp) -> Result<u64, (Location, u64)> {
        let state = self.state.lock();
        let end = state.visible;
        let found = match state.segments.get(state.first_from(from, at)) {
            None => first_at(&state.tail, at),
            Some(segment) => match &segment.memory {
                Some(memory) => first_at(memory, at),
                None => {
                    let location = segment.location();
                    let location = location.expect("a segment is in memory or stored");
                    return Err((location, end));
                }
            },
        };
        Ok(found.unwrap_or(end).min(end))
    }

    /// Runs the disk read `read` in a thread for blocking work. Runs `read` in the calling thread
    /// if the disk is instant (`Disk::is_instant`). Returns the result of `read`, and the permit to
    /// read from the disk.
    ///
    /// # Errors
    /// The error of `read`, or [`StoreError::Busy`] if no permit became free in time.
    async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<(T, OwnedSemaphorePermit), StoreError> {
        let permit = self.shared.disk_permit().await?;
        if self.shared.generations.disk.is_instant() {
            return Ok((read(&self.shared)?, permit));
        }
        let shared: Arc<Shared> = self.shared.clone();
        // The permit moves into the thread, because the read continues even if the caller's future
        // is dropped.
        let reading = move || Ok((read(&shared)?, permit));
        let done = tokio::task::spawn_blocking(reading).await;
        done.map_err(|error| StoreError::Unreadable(error.to_string().into()))?
    }
}

fn first_at(records: &impl Records, at: Timestamp) -> Option<u64> {
    let position = records.search(|position| records.arrival(position) < at);
    (position < records.len()).then(|| records.index(position))
}

/// Returns the locations of the segments that a read of `bytes` bytes needs from the disk, starting
/// with the first segment in `segments`. Returns at most `SEGMENTS_A_READ` locations.
fn locations<'a>(segments: impl Iterator<Item = &'a SegmentRef>, bytes: u64) -> Vec<Location> {
    let mut locations = Vec::new();
    let mut sum = 0;
    for segment in segments {
        let wanted = locations.len() < SEGMENTS_A_READ && (sum == 0 || sum < bytes);
        match segment.location() {
            Some(location) if wanted && segment.memory.is_none() => {
                sum += segment.bytes();
                locations.push(location);
            }
            _ => break,
        }
    }
    locations
}
