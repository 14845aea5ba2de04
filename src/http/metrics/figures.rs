//! The metrics of queues and channels on the metrics page.

use crate::engine::channel::ChannelFigures;
use crate::engine::queue::QueueFigures;

/// A metric of queues or channels: its name, its help text, true for a counter or false for a
/// gauge, and the function that reads its value from the figures.
pub(super) type Figure<F> = (&'static str, &'static str, bool, fn(&F) -> u64);

/// Largest number of visible records that the service reports in the metrics of a queue.
const MOST_VISIBLE: u64 = 1_000_000;

/// The metrics that the metrics page shows for each queue.
pub(super) const QUEUE_FIGURES: &[Figure<QueueFigures>] = &[
    (
        "queue_received_records",
        "Receives of records; a record counts each time it is received.",
        true,
        |figures| figures.received,
    ),
    (
        "queue_acknowledged_records",
        "Records acknowledged.",
        true,
        |figures| figures.acknowledged,
    ),
    (
        "queue_empty_receives",
        "Receives that returned no record.",
        true,
        |figures| figures.empty_receives,
    ),
    (
        "queue_in_flight_records",
        "Records in flight.",
        false,
        |figures| figures.counts.in_flight as u64,
    ),
    (
        "queue_visible_records",
        "Records that can be received, up to a million.",
        false,
        |figures| (figures.counts.visible as u64 + figures.unread).min(MOST_VISIBLE),
    ),
    (
        "queue_visible_dead_letter_records",
        "Dead-letter records that are visible.",
        false,
        |figures| (figures.counts.dead_visible as u64).min(MOST_VISIBLE),
    ),
    (
        "queue_in_flight_dead_letter_records",
        "Dead-letter records in flight.",
        false,
        |figures| figures.counts.dead_in_flight as u64,
    ),
];

/// The metrics that the metrics page shows for each channel.
pub(super) const CHANNEL_FIGURES: &[Figure<ChannelFigures>] = &[
    (
        "channel_delivered_records",
        "Records that the channel delivered.",
        true,
        |figures| figures.records,
    ),
    (
        "channel_delivered_objects",
        "Objects that the channel delivered.",
        true,
        |figures| figures.objects,
    ),
    (
        "channel_delivered_bytes",
        "Bytes of the objects that the channel delivered.",
        true,
        |figures| figures.bytes,
    ),
    (
        "channel_failed_records",
        "Records that do not have the channel's format and were delivered as dead letters.",
        true,
        |figures| figures.failed_records,
    ),
    (
        "channel_expired_records",
        "Records that expired or were removed before the channel could deliver them.",
        true,
        |figures| figures.expired_records,
    ),
    (
        "channel_failed_attempts",
        "Failed delivery attempts.",
        true,
        |figures| figures.failed_attempts,
    ),
    (
        "channel_buffered_records",
        "Records that are not delivered yet.",
        false,
        |figures| figures.buffered,
    ),
    (
        "channel_freshness_lag_milliseconds",
        "Age of the oldest record that is not delivered yet.",
        false,
        |figures| figures.lag_ms,
    ),
];
