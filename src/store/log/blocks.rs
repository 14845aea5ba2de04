//! Divides the next records of a log into blocks without a read from the disk. The delivery of a
//! channel uses these blocks to plan its objects.

use super::shard_log::Log;
use crate::model::channel::Block;
use crate::store::format::record::Records;
use crate::store::format::segment::weight_of;
use crate::world::Timestamp;

impl Log {
    /// Divides published records of the log into blocks. The records have an index of at least
    /// `from` and an arrival time of at least `horizon`. Each block has records of one segment.
    /// Stops after the block that makes the total size of the blocks exceed `most_bytes`. In this
    /// total, each record counts one byte more than its partition key and data.
    ///
    /// Never accesses the disk. A block of a segment that is only on disk therefore counts all
    /// records and bytes of the segment, even if some records of the segment are not in the block.
    pub(crate) fn blocks(&self, from: u64, horizon: Timestamp, most_bytes: u64) -> Vec<Block> {
        let state = self.state.lock();
        let visible = state.visible;
        let (mut blocks, mut bytes) = (Vec::new(), 0);
        let mut add = |block: Block| {
            bytes += block.bytes + block.records;
            blocks.push(block);
            bytes <= most_bytes
        };
        if from >= visible {
            return blocks;
        }
        let start = state.first_from(from, horizon);
        for segment in state.segments.range(start..) {
            let entry = &segment.entry;
            if entry.first >= visible {
                return blocks;
            }
            // The numbers in `entry` are exact for the block if all records of the segment are
            // requested.
            let is_whole =
                entry.first >= from && entry.last < visible && entry.first_arrival >= horizon;
            let block = match &segment.memory {
                Some(memory) if !is_whole => block_of(memory, from, horizon, visible),
                _ => Some(Block {
                    end: (entry.last + 1).min(visible),
                    first_arrival: entry.first_arrival.max(horizon),
                    records: u64::from(entry.records),
                    bytes: weight_of(entry.bytes, entry.records),
                }),
            };
            if let Some(block) = block
                && !add(block)
            {
                return blocks;
            }
        }
        if let Some(block) = block_of(&state.tail, from, horizon, visible) {
            add(block);
        }
        blocks
    }
}

/// Returns the block of the records in `records` that have an index of at least `from` and less
/// than `visible`, and an arrival time of at least `horizon`. Returns `None` if there are no such
/// records.
fn block_of(records: &impl Records, from: u64, horizon: Timestamp, visible: u64) -> Option<Block> {
    let first = records.first_from(from, horizon);
    let end = records.end_before(visible);
    (first < end).then(|| Block {
        end: records.index(end - 1) + 1,
        first_arrival: records.arrival(first),
        records: (end - first) as u64,
        bytes: records.weights(first..end),
    })
}
