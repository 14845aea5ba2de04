//! Tests the delivery with buckets in memory, a virtual clock and a simulated disk.

mod bench;
mod expiry;
mod kills;
mod resharding;
mod retries;
mod sizes;
mod timing;
